"""Pages of evaluations and results, as a browser sees them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.access import Role
from common.jobs import JobState
from evaluation import tasks
from evaluation.models import Evaluation, Thought
from evaluation.queries import costs
from evaluation.queries.items import Segment, segments

pytestmark = pytest.mark.django_db
GOOD, POOR, FAIR = "r" * 20, "w" * 20, "r" * 10 + "w" * 10


@pytest.fixture
def project(make_project: Callable[..., Any]) -> Any:
    return make_project()


@pytest.fixture
def owner(make_member: Callable[..., Any], project: Any) -> Any:
    return make_member(project, Role.OWNER)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record which jobs were sent to a worker; a worker is another process."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_evaluation, "delay_on_commit", lambda *, job_id: ids.append(job_id))
    return ids


@pytest.fixture
def measured(project, make_benchmark, make_base, make_tuned, make_evaluation) -> dict[str, Any]:
    """A base and a tuned model, measured under the same policies; "Wait" spoils half of what was right."""
    benchmark, base = make_benchmark(project, items=20), make_base(project)
    tuned = make_tuned(base)
    poor = {(16, 0): POOR, (64, 0): "r" + "w" * 19, (64, 1): "r" + "w" * 19}
    good = {(16, 0): "w" * 19 + "r", (64, 0): GOOD, (64, 1): FAIR}
    return {
        "benchmark": benchmark,
        "base": make_evaluation(base, benchmark, poor),
        "tuned": make_evaluation(tuned, benchmark, good),
    }


def results_of(client: Any, project: Any, **query: Any) -> Any:
    return client.get(f"/projects/{project.slug}/results/", query)


def test_the_best_budget_is_compared_pairwise_and_said_in_a_sentence(client, owner, project, measured):
    client.force_login(owner)

    page = results_of(client, project)

    found = page.context["results"].at_best
    assert (found.budget, found.first_right, found.second_right, found.gained, found.lost) == (
        64,
        1,
        20,
        19,
        0,
    )
    assert found.points.value == pytest.approx(95)
    assert found.verdict == "better"
    assert "20 of 20" in page.text
    assert "95.0" in page.text


def test_a_difference_within_chance_is_not_called_better(
    client, owner, project, make_benchmark, make_base, make_tuned, make_evaluation
):
    client.force_login(owner)
    benchmark, base = make_benchmark(project, items=20), make_base(project)
    make_evaluation(base, benchmark, {(64, 0): "r" * 10 + "w" * 10})
    make_evaluation(make_tuned(base), benchmark, {(64, 0): "r" * 13 + "w" * 7})

    page = results_of(client, project)

    assert page.context["results"].at_best.verdict == "open"
    assert "better beyond chance</span>" not in page.text
    assert "not told apart" in page.text


def test_the_harm_of_wait_is_counted_in_flips(client, owner, project, measured):
    client.force_login(owner)

    page = results_of(client, project)

    harm = page.context["results"].worst
    assert (harm.budget, harm.extensions, harm.lost, harm.gained, harm.verdict) == (64, 1, 10, 0, "worse")
    assert "Right → wrong on 10, wrong → right on 0." in page.text


def test_no_claim_is_made_before_the_base_was_measured(
    client, owner, project, make_benchmark, make_base, make_tuned, make_evaluation
):
    client.force_login(owner)
    benchmark = make_benchmark(project, items=20)
    make_evaluation(make_tuned(make_base(project)), benchmark, {(64, 0): GOOD})

    page = results_of(client, project)

    assert page.context["results"].by_budget == ()
    assert "nothing can be said" in page.text


def test_policies_that_the_base_lacks_are_named(
    client, owner, project, make_benchmark, make_base, make_tuned, make_evaluation
):
    client.force_login(owner)
    benchmark, base = make_benchmark(project, items=20), make_base(project)
    make_evaluation(base, benchmark, {(16, 0): POOR})
    make_evaluation(make_tuned(base), benchmark, {(16, 0): POOR, (64, 0): GOOD})

    page = results_of(client, project)

    assert [point.policy for point in page.context["results"].not_on_base] == ["64"]
    assert "was not measured under one policy" in page.text


def test_the_newer_figures_of_a_policy_replace_the_older(client, owner, project, measured, make_evaluation):
    client.force_login(owner)
    make_evaluation(
        measured["tuned"].model, measured["benchmark"], {(64, 0): FAIR}, finished_at=timezone.now()
    )

    found = results_of(client, project).context["results"]

    assert found.tuned.points[-1].right == 10
    assert next(row for row in found.by_budget if row.budget == 64 and not row.extensions).second_right == 10


def test_an_arm_is_held_against_the_selection_and_is_not_the_tuned_model(
    client, owner, project, measured, make_tuned, make_evaluation
):
    client.force_login(owner)
    real = measured["tuned"].model.run.dataset.selection
    arm = make_tuned(measured["base"].model, name="longest only", arm_of=real, method="difficulty")
    make_evaluation(arm, measured["benchmark"], {(16, 0): POOR, (64, 0): "r" * 4 + "w" * 16})

    found = results_of(client, project).context["results"]

    assert found.tuned.model == measured["tuned"].model
    assert [(row.first_name, row.lost, row.gained) for row in found.against_arms] == [("longest only", 0, 16)]


def test_shares_by_domain_and_by_marks_add_up(client, owner, project, measured):
    client.force_login(owner)

    found = results_of(client, project).context["results"]

    assert {group.name: group.items for group in found.by_domain} == {"clock": 10, "law": 10}
    assert [group.name for group in found.by_marks] == ["2", "8"]
    for groups in (found.by_domain, found.by_marks):
        assert sum(group.shares[1].right for group in groups) == 20


def test_the_number_of_queries_depends_on_neither_items_nor_models(
    client, owner, project, make_benchmark, make_base, make_tuned, make_evaluation
):
    client.force_login(owner)

    def measure(items: int, models: int) -> int:
        benchmark, base = make_benchmark(project, items=items), make_base(project)
        make_evaluation(base, benchmark, {(16, 0): "w" * items})
        for _place in range(models):
            make_evaluation(make_tuned(base), benchmark, {(16, 0): "r" * items, (64, 0): "r" * items})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert results_of(client, project, benchmark=benchmark.pk).status_code == 200
        return len(queries)

    small, large = measure(4, 1), measure(60, 5)

    assert small == large <= 16


def test_an_empty_project_says_to_begin_with_the_base(client, owner, project):
    client.force_login(owner)

    page = results_of(client, project)

    assert "Evaluate the base model first" in page.text


def test_a_viewer_sees_the_results_but_no_item(client, make_member, project, measured):
    client.force_login(make_member(project, Role.VIEWER))
    path = measured["tuned"].get_absolute_url()

    pages = [results_of(client, project), client.get(path)]
    item = client.get(f"{path}items/0/")

    assert [page.status_code for page in pages] == [200, 200]
    assert "ten and two" not in pages[0].text + pages[1].text
    assert item.status_code == 404


def test_a_stranger_finds_nothing(client, make_user, project, measured):
    client.force_login(make_user())

    codes = [
        results_of(client, project).status_code,
        client.get(measured["base"].get_absolute_url()).status_code,
    ]

    assert codes == [404, 404]


@pytest.mark.parametrize("role", [Role.CURATOR, Role.REVIEWER, Role.VIEWER])
def test_only_an_owner_starts_or_stops_an_evaluation(client, make_member, project, measured, role, sent):
    client.force_login(make_member(project, role))
    path = measured["base"].get_absolute_url()

    codes = [
        client.post(to).status_code
        for to in (f"/projects/{project.slug}/evaluations/new/", f"{path}cancel/", f"{path}retry/")
    ]

    assert codes == [403, 403, 403]
    assert not sent


def test_an_evaluation_starts_with_the_budgets_in_order_and_a_wait_at_the_largest(
    client, owner, project, measured, sent
):
    client.force_login(owner)
    asked = {"model": measured["base"].model_id, "benchmark": measured["benchmark"].pk}
    asked |= {"budgets": "64，16, 32 16", "extensions": "1"}

    answer = client.post(f"/projects/{project.slug}/evaluations/new/", asked)

    made = Evaluation.objects.get(pk=sent[0])
    assert answer.headers["Location"] == made.get_absolute_url()
    keys = [(policy["max_tokens"], policy["extensions"]) for policy in made.policies]
    assert keys == [(16, 0), (32, 0), (64, 0), (64, 1)]


@pytest.mark.parametrize(
    ("budgets", "sentence"),
    [
        ("many", "“many” is no budget"),
        ("16, -2", "“-2” is no budget"),
        ("0", "“0” is no budget"),
        (",".join(map(str, range(1, 40))), "39 budgets are too many"),
        ("", "required"),
    ],
)
def test_budgets_that_cannot_be_used_are_refused_in_a_sentence(
    client, owner, project, measured, budgets, sentence, sent
):
    client.force_login(owner)
    asked = {"model": measured["base"].model_id, "benchmark": measured["benchmark"].pk, "budgets": budgets}

    page = client.post(f"/projects/{project.slug}/evaluations/new/", asked)

    assert sentence in page.text
    assert not sent


def test_the_form_asks_for_the_base_while_it_is_not_measured(
    client, owner, project, make_base, make_benchmark
):
    client.force_login(owner)
    base = make_base(project, name="tiny base")
    make_benchmark(project)

    page = client.get(f"/projects/{project.slug}/evaluations/new/")

    assert "The base tiny base was not measured yet" in page.text
    assert page.context["form"]["model"].value() == base.pk


def test_polling_ends_with_the_evaluation(client, owner, measured):
    client.force_login(owner)
    running = Evaluation.objects.create(
        project=measured["base"].project,
        model=measured["base"].model,
        benchmark=measured["benchmark"],
        policies=[],
        state=JobState.RUNNING,
        started_at=timezone.now(),
        heartbeat_at=timezone.now(),
    )

    live = client.get(running.get_absolute_url(), headers={"HX-Request": "true"})
    ended = client.get(measured["base"].get_absolute_url(), headers={"HX-Request": "true"})

    assert 'hx-trigger="every 2s"' in live.text
    assert "hx-trigger" not in ended.text


def test_items_are_filtered_by_outcome_under_a_budget(client, owner, measured):
    client.force_login(owner)

    page = client.get(measured["tuned"].get_absolute_url(), {"outcome": "right", "policy": "64+wait1"})

    assert [thought.item.position for thought, _answers in page.context["items"]] == list(range(10))


def test_an_item_shows_its_question_and_every_answer(client, owner, measured):
    client.force_login(owner)

    page = client.get(f"{measured['tuned'].get_absolute_url()}items/3/")

    assert "第3题" in page.text
    assert 'lang="zh"' in page.text
    assert [answer.policy for answer in page.context["answers"]] == ["16", "64", "64+wait1"]
    assert (page.context["before"], page.context["after"]) == (2, 4)
    assert "tokenizer is not on this machine" in page.text


def test_model_output_is_shown_as_text(client, owner, measured):
    client.force_login(owner)
    Thought.objects.filter(evaluation=measured["tuned"]).update(text="<script>alert(1)</script>")

    page = client.get(f"{measured['tuned'].get_absolute_url()}items/3/")

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


def test_a_thought_is_parted_at_cuts_stops_and_forced_tokens():
    thought = Thought(token_ids=[1, 2, 3, 4, 5], forced_at=[3], stops=[3, 5])
    words = {1: "one ", 2: "two ", 3: "three ", 4: "Wait ", 5: "five"}

    parts = segments(thought, {"2": 2, "9": 5}, lambda ids: "".join(words[token] for token in ids))

    assert parts == [
        Segment("one two ", forced=False, cuts=(), stopped=False, position=0),
        Segment("three ", forced=False, cuts=("2",), stopped=False, position=2),
        Segment("Wait ", forced=True, cuts=(), stopped=True, position=3),
        Segment("five", forced=False, cuts=(), stopped=False, position=4),
        Segment("", forced=False, cuts=("9",), stopped=True, position=5),
    ]


def test_a_cut_inside_a_character_loses_no_text():
    thought = Thought(token_ids=[0, 1, 2, 3, 4, 5], forced_at=[], stops=[])
    spelt = "千题".encode()

    parts = segments(thought, {"1": 1, "4": 4}, lambda ids: spelt[: len(ids)].decode(errors="replace"))

    assert "".join(part.text for part in parts) == "千题"
    assert [part.cuts for part in parts] == [(), ("1",), ("4",), ()]


def test_a_thought_without_tokens_still_shows_its_cuts():
    thought = Thought(token_ids=[], forced_at=[], stops=[0])

    parts = segments(thought, {"16": 0}, lambda ids: "")

    assert [(part.cuts, part.stopped) for part in parts] == [(("16",), True)]


def test_costs_are_summed_by_kind_of_work(project, measured):
    Evaluation.objects.filter(pk=measured["base"].pk).update(cost_usd=Decimal("1.25"))

    found = {cost.kind: cost for cost in costs.get_costs(project)}

    assert (found["evaluation"].jobs, found["evaluation"].usd) == (2, Decimal("1.25"))
    assert found["evaluation"].seconds == pytest.approx(120, abs=1)
    assert costs.total_of(found.values()).usd == Decimal("1.25")


def test_costs_of_another_project_do_not_count(make_project, measured):
    Evaluation.objects.update(cost_usd=Decimal(3))

    assert costs.get_costs(make_project()) == []
