"""Selections tried out, explained, compared and removed; patterns of quality with their counts."""

import pytest
from django.urls import reverse

from common.jobs import JobState
from curator import queries
from curator.models import Dataset, Domain, QualityPattern, Selection
from curator.services import selections


@pytest.fixture
def field(make_project, make_pool, make_question, make_teacher, make_trace, client):
    """Return a project of 30 questions in three domains, 24 of them with a trace, its owner signed in."""
    project = make_project()
    pool, teacher = make_pool(project, name="AIME"), make_teacher(project)
    domains = [
        Domain.objects.create(project=project, code=code, name=name, weight=weight)
        for code, name, weight in (("A", "Assets", 3), ("B", "Banks", 1), ("C", "合同", None))
    ]
    for number in range(30):
        question = make_question(pool, domain=domains[number % 3], external_id=f"q-{number}")
        if number < 24:
            make_trace(question, teacher, thinking_tokens=100 * number, cost_usd="0.02")
    client.force_login(project.members.get())
    return project


@pytest.fixture
def made(field):
    """Return what makes a selection that is done."""

    def make(method="s1-paper", size=6, seed=0):
        job = selections.start_selection(project=field, method=method, size=size, seed=seed, by=None)
        selections.run_selection(job=job)
        return job

    return make


def trial(client, field, **knobs):
    return client.get(reverse("selection_try", args=[field.slug]), knobs)


def test_a_method_just_chosen_begins_with_its_own_settings(client, field):
    form = trial(client, field, method="m1", size=5).context["form"]

    assert form["draw"].value() == "domain-source"
    assert form["before_traces"].value() is True
    assert form.cleaned_data["made"]["name"] == "m1"


def test_a_trial_draws_what_the_selection_will_and_stores_nothing(client, field, made):
    shown = trial(client, field, method="coverage", size=6, seed=3)

    assert not field.selections.exists()
    assert made("coverage", 6, 3).members_hash == shown.context["result"].members_hash


def test_a_turned_knob_changes_the_draw_and_the_methods_name(client, field):
    knobs = {
        "method": "s1-paper",
        "knobs_of": "s1-paper",
        "size": 30,
        "difficulty": "on",
        "difficulty_by": ["length"],
        "least_tokens": 1000,
        "combine": "any",
        "keep_untried": "on",
    }

    shown = trial(client, field, **knobs, seed=0)

    assert shown.context["form"].errors == {}
    assert len(shown.context["result"].member_rows) == 14
    assert shown.context["form"].cleaned_data["made"]["name"] == "s1-paper*"


def test_the_trial_says_why_any_question_is_in_or_out(client, field):
    unanswered = field.questions.get(external_id="q-29")

    shown = trial(client, field, method="s1-paper", size=5, question=f"#{unanswered.pk}")

    ((question, is_in, verdict, _item),) = shown.context["whys"]
    assert (question, is_in, verdict.reason) == (unanswered, False, "No teacher has answered it.")
    assert "No teacher has answered it." in shown.text


@pytest.mark.parametrize(
    ("knobs", "sentence"),
    [
        ({"size": 0}, "greater than or equal to 1"),
        ({"knobs_of": "s1-paper", "weights": "law", "size": 1, "seed": 0}, "is no NAME=NUMBER"),
        ({"method": "s1-notebook", "size": 1}, "No benchmark of the project names a domain"),
    ],
)
def test_what_cannot_be_drawn_is_said_on_the_page(client, field, knobs, sentence):
    shown = trial(client, field, **{"method": "s1-paper", **knobs})

    assert shown.status_code == 200
    assert sentence in shown.text


def test_what_a_project_lacks_is_said_before_and_after_the_button_is_pressed(client, make_question):
    project = make_question().project
    client.force_login(project.members.get())
    list_url = reverse("selections", args=[project.slug])
    knobs = {"method": "all", "size": 5, "seed": 0}

    pages = {
        "form": client.get(list_url),
        "trial": trial(client, project, **knobs),
        "pressed": client.post(list_url, knobs),
        "kept": client.post(reverse("selection_keep", args=[project.slug]), knobs, follow=True),
    }

    for name, page in pages.items():
        assert "No question of this project has a trace yet" in page.text, name
        assert reverse("traces_import", args=[project.slug]) in page.text, name
    assert not project.selections.exists()


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("banned", "banned"),
        ("leak", "in a benchmark"),
        ("copy", "a near copy"),
        ("quality", "the question has a flaw"),
        ("trace", "no trace"),
        ("trace quality", "the trace has a flaw"),
        ("right", "not answered right"),
        ("difficulty", "too easy"),
        ("draw", "not drawn"),
        ("branch", "still there of the version"),
    ],
)
def test_a_questions_page_says_in_words_what_it_fell_at(client, field, made, stage, words):
    question = field.questions.get(external_id="q-29")
    made().decisions.filter(question=question).update(stage=stage, reason="…")

    shown = client.get(question.get_absolute_url()).text

    row = shown[shown.index('id="decisions"') :].split("</tr>")[1]
    assert ('<span class="badge">out</span>' in row, words in row) == (True, True)


def test_a_members_row_says_that_it_is_in_and_names_no_stage(client, field, made):
    member = made().decisions.get(position=0).question

    shown = client.get(member.get_absolute_url()).text

    row = shown[shown.index('id="decisions"') :].split("</tr>")[1]
    assert '<span class="badge badge-good">in</span></td>' in row


def test_where_there_is_a_trace_nothing_is_said_to_lack(client, field):
    assert client.get(reverse("selections", args=[field.slug])).context["lack"] == ""
    assert "has a trace yet" not in trial(client, field, method="all", size=5).text


def test_htmx_gets_the_outcome_alone_or_the_whole_trial(client, field):
    url = reverse("selection_try", args=[field.slug])
    asked = {"HX-Request": "true"}

    outcome = client.get(url, {"size": 5}, headers={**asked, "HX-Target": "outcome"}).text
    whole = client.get(url, {"size": 5}, headers={**asked, "HX-Target": "trial"}).text

    assert outcome.lstrip().startswith('<section id="outcome"')
    assert whole.lstrip().startswith('<div id="trial"')
    assert "<html" not in outcome + whole


def test_a_stored_selection_leads_back_to_its_own_settings(client, field, made):
    job = made({"name": "mine", "draw": "coverage", "bands": 3, "most_passed": 0.5, "quality": False}, 7, 4)

    shown = client.get(client.get(job.get_absolute_url()).context["trial"])

    assert shown.context["result"].members_hash == job.members_hash
    kept = client.post(reverse("selection_keep", args=[field.slug]), dict(_gathered(shown.context["form"])))
    assert field.selections.first().method | {"name": "mine"} == job.method
    assert kept.status_code == 302


def _gathered(form):
    values = {}
    for name, value in form.settings:
        values.setdefault(name, []).append(value)
    return values


def test_choosing_another_method_keeps_size_and_seed(client, field):
    shown = trial(client, field, method="m1", knobs_of="s1-paper", size=7, seed=5, draw="random")

    form = shown.context["form"]
    assert (form["size"].value(), form["seed"].value(), form["draw"].value()) == ("7", "5", "domain-source")


def test_weights_of_branches_are_compared_branch_by_branch(client, field):
    top = field.domains.get(code="A")
    Domain.objects.create(project=field, code="A.1", name="Cash", parent=top)
    field.questions.filter(domain=top).update(domain=field.domains.get(code="A.1"))

    job = made_blueprint(field)

    for spread in (trial(client, field, size=5).context["spread"], queries.get_domains(job)):
        assert {name: (pool, wanted) for name, _in, pool, wanted in spread.rows}["Assets"] == (10, 0.75)


def made_blueprint(field):
    job = selections.start_selection(project=field, method="blueprint", size=4, by=None)
    selections.run_selection(job=job)
    return job


def test_a_selection_that_is_not_done_is_not_compared(client, field, made):
    waiting = selections.start_selection(project=field, method="random", size=1, by=None)

    shown = client.get(reverse("selection_compare", args=[made().pk, waiting.pk]), follow=True)

    assert "not done yet cannot be compared" in shown.text


@pytest.mark.parametrize("asked", ["\0", "%", "'", "#99999999999999999999", "q-1 \0"])
def test_hostile_words_find_nothing_or_something_but_never_break(client, field, made, asked):
    job = made()

    assert client.get(reverse("selection_why", args=[job.pk]), {"question": asked}).status_code == 200
    assert trial(client, field, question=asked).status_code == 200


def test_keeping_a_trial_starts_that_selection(client, field, django_capture_on_commit_callbacks):
    url = reverse("selection_keep", args=[field.slug])

    response = client.post(url, {"method": "difficulty", "size": 4, "seed": 9})

    kept = field.selections.get()
    assert response.url == kept.get_absolute_url()
    assert (kept.method_name, kept.size, kept.seed, kept.state) == ("difficulty", 4, 9, JobState.QUEUED)


def test_the_blueprint_stands_beside_the_domains(client, field):
    rows = {
        name: (pool, wanted)
        for name, _members, pool, wanted in trial(client, field, size=5).context["spread"].rows
    }

    assert rows == {"Assets": (10, 0.75), "Banks": (10, 0.25), "合同": (10, None)}


def test_a_selection_says_why_a_question_is_in_or_out(client, field, made):
    job = made("difficulty", 3)
    url = reverse("selection_why", args=[job.pk])

    shown = client.get(url, {"question": "q-23"})

    assert [decision.position for decision in shown.context["whys"]] == [0]
    assert "Drawn 1 of 3 by difficulty" in shown.text
    assert "no such question" in client.get(url, {"question": "q-99"}).text


def test_two_selections_are_held_against_each_other(client, field, made):
    one, other = made("difficulty", 4), made("all")
    url = reverse("selection_compare", args=[one.pk, other.pk])

    shown = client.get(url)

    comparison = shown.context["comparison"]
    assert (comparison.only_one, comparison.both, comparison.only_other) == (0, 4, 20)
    assert sum(sum(counts) for _name, *counts in comparison.by_domain) == 24
    there = client.get(url, {"side": "other"}).context["page"].object_list
    assert len(there) == 20
    assert all("the draw (longest)" in decision.other_reason for decision in there)


def test_the_form_of_a_selection_leads_to_the_comparison(client, field, made):
    one, other = made(), made("random")
    url = reverse("selection_compared", args=[one.pk])

    assert client.get(url, {"with": other.pk}).url == reverse("selection_compare", args=[one.pk, other.pk])
    assert client.get(url, {"with": "x"}).url == one.get_absolute_url()


def test_selections_of_other_projects_are_not_compared(client, field, made, make_project):
    foreign = Selection.objects.create(
        project=make_project(), name="s", method={}, method_name="random", size=1
    )

    assert client.get(reverse("selection_compare", args=[made().pk, foreign.pk])).status_code == 404


def test_a_selection_is_removed_once_that_is_confirmed(client, field, made):
    job = made()
    url = reverse("selection_delete", args=[job.pk])

    assert client.get(url).status_code == 200
    assert field.selections.count() == 1
    client.post(url)

    assert field.selections.count() == 0


def test_a_selection_with_a_dataset_stays(client, field, made):
    job = made()
    Dataset.objects.create(project=field, selection=job, name="d", content_hash="c" * 64, row_count=1)

    shown = client.post(reverse("selection_delete", args=[job.pk]), follow=True)

    assert "A dataset was frozen from" in shown.text
    assert field.selections.count() == 1


def test_a_pattern_of_ones_own_begins_as_a_built_in_one(client, field):
    url = reverse("patterns", args=[field.slug])

    form = client.get(url, {"like": "missing-figure"}).context["form"]
    given = {name: form[name].value() for name in form.fields}
    client.post(url, given | {"expression": "如图所示"})

    assert given["place"] == "question"
    assert "如(下|上|右|左)?图" in given["expression"]
    own = field.quality_patterns.get()
    assert (own.name, own.expression) == ("own-missing-figure", "如图所示")
    assert client.get(url, {"like": "unknown"}).context["form"].initial == {}


def test_a_pattern_of_ones_own_keeps_questions_out_and_is_counted(client, field, make_question, make_trace):
    flawed = make_question(field.pools.get(), text="见附表三，求税额。")
    make_trace(flawed)
    url = reverse("patterns", args=[field.slug])
    pattern = {
        "name": "annex",
        "place": "question",
        "expression": "附表[一二三]",
        "reason": "It needs an annex.",
    }

    client.post(url, pattern)
    job = selections.start_selection(project=field, method="s1-paper", size=40, by=None)
    selections.run_selection(job=job)

    decision = job.decisions.get(question=flawed)
    assert (decision.stage, decision.reason) == ("quality", "It needs an annex.")
    assert client.get(url).context["own"] == [(QualityPattern.objects.get(), 1, [flawed.pk])]


def test_an_expression_is_counted_while_it_is_written(client, field, make_question):
    make_question(field.pools.get(), text="See annex 3.")
    url = reverse("pattern_count", args=[field.slug])

    count = client.get(url, {"expression": r"annex \d", "place": "question"}).context["count"]
    traces = client.get(url, {"expression": "step", "place": "thinking"}).context["count"]

    assert (count.hits, count.seen, count.total) == (1, 31, 31)
    assert (traces.hits, traces.seen) == (24, 24)
    assert "cannot be used: missing )" in client.get(url, {"expression": "(a"}).text


def test_a_bad_expression_is_refused_and_nothing_is_kept(client, field):
    given = {"name": "x", "place": "answer", "expression": "(", "reason": "r"}

    shown = client.post(reverse("patterns", args=[field.slug]), given)

    assert "cannot be used" in shown.text
    assert not field.quality_patterns.exists()


def test_a_changed_pattern_is_looked_for_again_and_a_removed_one_counts_no_more(client, field, made):
    pattern = QualityPattern.objects.create(
        project=field, name="one", place="question", expression="How much", reason="It asks."
    )
    url = reverse("pattern", args=[pattern.pk])
    given = {"name": "one", "place": "question", "expression": "nowhere", "reason": "It asks."}

    client.post(url, given)
    kept = made("s1-paper", 40)
    client.post(url, {"remove": "1"})

    assert kept.decisions.filter(position__isnull=False).count() == 24
    assert not field.quality_patterns.exists()
