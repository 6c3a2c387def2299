"""The trace that stands for a question, in selections, reviews and datasets; the expert's choice; the pages."""

from html import unescape

import pytest
from django.urls import reverse

from common.access import Role
from common.core.refusal import Refusal
from curator import queries
from curator.core.best import RANKINGS, STANDARD
from curator.core.selection import ONLY_SUMMARIES
from curator.models import ChosenTrace, Trace
from curator.queries.best import get_ranked
from curator.services import best, datasets, reviews, selections
from curator.services import questions as question_services
from curator.services.reviews import Word

NAMES = ("DeepSeek", "Kimi", "QwQ", "Gemini")


@pytest.fixture
def answered(make_project, make_pool, make_question, make_teacher, make_trace):
    """Return a question that four teachers answered: two right ones, one of them in a loop, and two others."""
    project = make_project()
    question = make_question(make_pool(project), text="How much is 6 and 6?", key="12")
    teachers = [make_teacher(project, name=name) for name in NAMES]
    given = [
        {"thinking_tokens": 200, "answer": "\\boxed{12}"},
        {"thinking_tokens": 900, "answer": "\\boxed{12}", "thinking": "Wait.\n" * 20},
        {"thinking_tokens": 500, "answer": "\\boxed{13}", "verdict": "wrong"},
        {"thinking_tokens": 40, "answer": "\\boxed{13}", "verdict": "wrong", "is_summary": True},
    ]
    for number, (teacher, facts) in enumerate(zip(teachers, given, strict=True)):
        make_trace(question, teacher, cost_usd=f"0.0{number + 1}", **facts)
    return question


def by(question, name):
    return question.traces.get(teacher__name=name)


def select(project, **fields):
    given = {"method": {"name": "mine", "quality": False, "difficulty": False}, "size": 1}
    job = selections.start_selection(project=project, by=None, **{**given, **fields})
    selections.run_selection(job=job)
    return job


def taken(project, **fields):
    """Return the teacher whose trace a selection takes."""
    return select(project, **fields).decisions.get(position=0).trace.teacher.name


def whys(question, ranking=STANDARD):
    return [row.why for row in get_ranked(question, RANKINGS[ranking])]


def test_a_question_says_of_each_trace_why_it_stands_where_it_does(answered):
    assert whys(answered) == [
        "Chosen: right, 2 of 4 teachers agree, no flaw; beats Kimi: 1 flaw (loop).",
        "Right, 2 of 4 teachers agree, 1 flaw (loop); beats QwQ: wrong.",
        "Wrong, 2 of 4 teachers agree, no flaw; beats Gemini: only a summary of its thinking.",
        "Only a summary of its thinking, wrong, 2 of 4 teachers agree, no flaw.",
    ]


@pytest.mark.parametrize("ranking", list(RANKINGS))
@pytest.mark.parametrize("overruled", [None, "Kimi", "QwQ", "Gemini"])
def test_a_selection_takes_the_trace_that_the_page_shows_first(answered, make_user, ranking, overruled):
    if overruled:
        best.choose_trace(trace=by(answered, overruled), reason="Clearer.", by=make_user())

    first = get_ranked(answered, RANKINGS[ranking])[0]

    method = {"name": "mine", "quality": False, "difficulty": False, "ranking": ranking}
    assert taken(answered.project, method=method) == first.trace.teacher.name
    assert first.stands
    assert overruled in (None, first.trace.teacher.name)


def test_agreement_decides_where_no_answer_is_known_to_be_right(
    make_project, make_pool, make_question, make_teacher, make_trace
):
    project = make_project()
    question = make_question(make_pool(project), key="")
    for name, answer, tokens in [("one", "7", 900), ("two", "1/2", 100), ("three", "0.5", 300)]:
        reply = f"Final Answer: {answer}"
        teacher = make_teacher(project, name=name)
        make_trace(question, teacher, answer=reply, thinking_tokens=tokens, verdict="unkeyed")

    assert taken(project) == "three"
    assert "beats two: 100 thinking tokens, shorter" in whys(question)[0]
    assert "beats one: no other teacher agrees" in whys(question)[1]


def test_an_answer_is_read_again_when_the_kind_of_its_key_changes(answered):
    select(answered.project)
    assert set(answered.traces.values_list("answer_form", flat=True)) == {"12", "13"}

    question_services.set_key(question=answered, key="13", by=None)

    assert selections.count_unread(answered.project) == 4
    assert taken(answered.project) == "QwQ"
    assert selections.count_unread(answered.project) == 0


def test_a_question_with_summaries_alone_is_left_out_until_an_expert_takes_one(answered, make_user):
    Trace.objects.update(is_summary=True)
    with pytest.raises(Refusal, match="1 dropped by trace"):
        select(answered.project)
    assert [row.stands for row in get_ranked(answered, RANKINGS[STANDARD])] == [False] * 4

    best.choose_trace(trace=by(answered, "QwQ"), reason="As good as thinking.", by=make_user())

    assert taken(answered.project) == "QwQ"


def test_a_question_left_out_for_its_summaries_says_so(answered, make_question, make_trace):
    other = make_question(answered.pool)
    make_trace(other, by(answered, "QwQ").teacher, is_summary=True)

    decision = select(answered.project).decisions.get(question=other)

    assert (decision.stage, decision.reason, decision.position) == ("trace", ONLY_SUMMARIES, None)


def test_an_expert_overrules_changes_the_choice_and_takes_it_back(answered, make_user):
    expert = make_user()
    best.choose_trace(trace=by(answered, "QwQ"), reason="Shows the check.", by=expert)
    best.choose_trace(trace=by(answered, "Kimi"), reason=" Better still. ", by=expert)

    chosen = ChosenTrace.objects.get()
    assert (chosen.trace, chosen.reason) == (by(answered, "Kimi"), "Better still.")
    assert taken(answered.project) == "Kimi"

    best.release_trace(question=answered)

    assert taken(answered.project) == "DeepSeek"
    with pytest.raises(Refusal, match="No expert has chosen"):
        best.release_trace(question=answered)


def test_a_choice_without_a_reason_is_refused(answered, make_user):
    with pytest.raises(Refusal, match="Say why"):
        best.choose_trace(trace=by(answered, "QwQ"), reason=" ", by=make_user())

    assert not ChosenTrace.objects.exists()


def test_a_choice_holds_in_the_review_and_the_dataset_of_a_selection_made_before(answered, make_member):
    selection = select(answered.project)
    reviewer = make_member(answered.project, Role.REVIEWER)
    drawn = by(answered, "DeepSeek")
    reviews.judge(trace=drawn, reviewer=reviewer, word=Word("reject"))
    with pytest.raises(Refusal, match="Every trace"):
        datasets.freeze(selection=selection, by=None)
    before = queries.get_review_figures(selection, reviewer)

    best.choose_trace(trace=by(answered, "QwQ"), reason="Shows the check.", by=reviewer)

    assert (before.judged, before.rejected) == (1, 1)
    after = queries.get_review_figures(selection, reviewer)
    assert (after.members, after.judged) == (1, 0)
    assert queries.get_unjudged_position(selection, reviewer) == 0
    assert not queries.can_undo(selection, reviewer)
    assert queries.get_position_of_question(selection, answered.pk) == 0
    assert [decision.stands for decision in reviews.to_review(selection, reviewer)] == [
        by(answered, "QwQ").pk
    ]
    dataset = datasets.freeze(selection=selection, by=None)
    assert dataset.rows.get().content["teacher"] == "QwQ"
    assert dataset.card["teachers"] == ["QwQ"]
    assert dataset.card["chosen_by_experts"] == 1
    assert (dataset.card["right"], dataset.card["reviewed"]) == (0, 0)


def test_a_choice_taken_back_freezes_as_if_it_had_not_been_made(answered, make_user):
    selection = select(answered.project)
    dataset = datasets.freeze(selection=selection, by=None)
    best.choose_trace(trace=by(answered, "QwQ"), reason="Shows the check.", by=make_user())
    other = datasets.freeze(selection=selection, name="other", by=None)

    best.release_trace(question=answered)

    assert other.content_hash != dataset.content_hash
    assert datasets.freeze(selection=selection, by=None) == dataset


def test_the_reviewer_reads_the_chosen_trace(client, answered, make_member):
    reviewer = make_member(answered.project, Role.REVIEWER)
    selection = select(answered.project)
    best.choose_trace(trace=by(answered, "QwQ"), reason="Shows the check.", by=reviewer)
    client.force_login(reviewer)

    page = client.get(reverse("review", args=[selection.pk]))
    client.post(
        reverse("review", args=[selection.pk]), {"trace": page.context["trace"].pk, "judgement": "accept"}
    )

    assert page.context["trace"] == by(answered, "QwQ")
    assert by(answered, "QwQ").reviews.get().judgement == "accept"


def test_the_page_of_a_question_takes_a_choice_with_its_reason_and_takes_it_back(
    client, answered, make_member
):
    client.force_login(make_member(answered.project, Role.REVIEWER))
    before = client.get(answered.get_absolute_url()).content.decode()
    take = reverse("trace_take", args=[by(answered, "QwQ").pk])

    refused = client.post(take, {"reason": ""}, follow=True).content.decode()
    done = client.post(take, {"reason": "Shows <b>the</b> check."}, follow=True).content.decode()
    undone = client.post(reverse("trace_release", args=[answered.pk]), follow=True).content.decode()

    assert take in before
    assert "Say in a few words" in unescape(refused)
    assert "Shows &lt;b&gt;the&lt;/b&gt; check." in done
    sentence = (
        "Chosen by an expert: wrong, 2 of 4 teachers agree, no flaw; beats DeepSeek: the expert's word."
    )
    assert sentence in unescape(done)
    assert "Chosen: right, 2 of 4 teachers agree, no flaw; beats Kimi" in unescape(undone)
    assert not ChosenTrace.objects.exists()


def test_a_question_is_ranked_by_the_rule_that_is_asked_for(client, answered, make_member):
    client.force_login(make_member(answered.project, Role.REVIEWER))
    answered.traces.update(flaws=[])

    pages = {name: client.get(answered.get_absolute_url(), {"ranking": name}) for name in ("brief", "luck")}

    first = {name: page.context["ranked"][0].trace.teacher.name for name, page in pages.items()}
    assert first == {"brief": "DeepSeek", "luck": "Kimi"}


def test_a_question_takes_no_more_queries_for_many_traces(
    client, answered, make_member, make_trace, django_assert_max_num_queries
):
    client.force_login(make_member(answered.project, Role.REVIEWER))
    answered.traces.update(flaws=[])
    with django_assert_max_num_queries(40) as few:
        client.get(answered.get_absolute_url())
    teacher = by(answered, "Kimi").teacher
    for sample in range(1, 6):
        make_trace(answered, teacher, sample=sample, flaws=[])

    with django_assert_max_num_queries(len(few)):
        page = client.get(answered.get_absolute_url())

    assert len(page.context["ranked"]) == 9


def test_a_question_without_a_trace_says_so(client, make_question, make_member):
    question = make_question()
    client.force_login(make_member(question.project, Role.REVIEWER))

    assert "No teacher has answered it." in client.get(question.get_absolute_url()).content.decode()


def test_teachers_stand_beside_one_another(client, answered, make_member):
    select(answered.project)
    client.force_login(make_member(answered.project, Role.REVIEWER))

    page = client.get(reverse("teachers_compared", args=[answered.project.slug]))

    compared = page.context["compared"]
    rows = {row.totals.teacher.name: row for row in compared.rows}
    assert {name: row.stands_for for name, row in rows.items()} == {
        **dict.fromkeys(NAMES, 0),
        "DeepSeek": 1,
    }
    deep, qwq = rows["DeepSeek"], rows["QwQ"]
    assert (deep.right, deep.usd_per_right, deep.totals.mean_tokens) == (1.0, 0.01, 200)
    assert 0.2 < deep.right_from < 0.21
    assert (qwq.right, qwq.usd_per_right) == (0.0, None)
    assert rows["Gemini"].totals.summaries == 1
    same = {(pair.one.name, pair.other.name): pair.same for pair in compared.agreements}
    assert same.pop(("DeepSeek", "Kimi")) == same.pop(("QwQ", "Gemini")) == 1
    assert set(same.values()) == {0}
    assert len(same) == 4
    assert "100.0%" in page.content.decode()


def test_no_trace_can_be_compared_before_there_is_one(client, make_project, make_member):
    project = make_project()
    client.force_login(make_member(project, Role.REVIEWER))

    assert "No trace yet" in client.get(reverse("teachers_compared", args=[project.slug])).content.decode()
