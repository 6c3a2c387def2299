"""A selection stored: the same members for the same inputs, and a reason for every question."""

import pytest
from django.utils import timezone

from common.core.refusal import Refusal
from common.jobs import AlreadyClaimed, JobState
from curator.core.method import CONTROL_METHODS, BadMethod
from curator.core.selection import PoolTooSmall
from curator.models import Attempt, Benchmark, BenchmarkItem, Domain, Leak, Solver
from curator.services import selections


@pytest.fixture
def field(make_project, make_pool, make_question, make_teacher, make_trace):
    """Return a project of 24 questions in three domains, 20 of them with a trace."""
    project = make_project()
    pool, teacher = make_pool(project), make_teacher(project)
    domains = [Domain.objects.create(project=project, code=code, name=code, weight=1) for code in "ABC"]
    for number in range(24):
        question = make_question(pool, domain=domains[number % 3])
        if number < 20:
            make_trace(question, teacher, thinking_tokens=100 + number)
    return project


def select(project, **fields):
    given = {"method": "s1-paper", "size": 6, "seed": 0}
    job = selections.start_selection(project=project, by=None, **{**given, **fields})
    selections.run_selection(job=job)
    return job


def members(selection):
    return list(
        selection.decisions.filter(position__isnull=False)
        .order_by("position")
        .values_list("question_id", flat=True)
    )


@pytest.mark.parametrize("method", ["s1-paper", "random", "coverage", "blueprint", "m1", "diversity"])
def test_the_same_inputs_method_and_seed_give_the_same_members(field, method):
    one, again = select(field, method=method), select(field, method=method)

    assert one.members_hash == again.members_hash
    assert members(one) == members(again)
    assert len(members(one)) == 6


def test_another_seed_gives_other_members(field):
    hashes = {select(field, method="random", seed=seed).members_hash for seed in range(4)}

    assert len(hashes) == 4


@pytest.mark.parametrize("method", ["s1-paper", "random", "difficulty", "all"])
def test_every_question_has_a_reason_and_the_funnel_adds_up(field, method):
    job = select(field, method=method)

    assert job.state == JobState.SUCCEEDED
    assert job.decisions.count() == field.questions.count() == 24
    assert not job.decisions.filter(reason="").exists()
    assert job.funnel[0] == {"stage": "pool", "kept": 24, "dropped": 0, "usd_spent": 0, "usd_saved": 0}
    for before, after in zip(job.funnel, job.funnel[1:], strict=False):
        assert before["kept"] == after["kept"] + after["dropped"]
    assert job.funnel[-1]["kept"] == len(members(job))


def test_the_decisions_of_a_stage_are_as_many_as_the_funnel_dropped(field):
    job = select(field)

    for stage in job.funnel[1:]:
        dropped = job.decisions.filter(stage=stage["stage"], position__isnull=True)
        assert dropped.count() == stage["dropped"], stage


def test_members_stand_in_the_order_drawn_each_with_its_trace(field):
    job = select(field)

    rows = job.decisions.filter(position__isnull=False).order_by("position")
    assert [row.position for row in rows] == list(range(6))
    assert all(row.trace.question_id == row.question_id for row in rows)


def test_questions_that_bans_leaks_solvers_and_flaws_keep_out_say_so(field):
    banned, leaked, easy, flawed, *_others = field.questions.filter(traces__isnull=False)
    banned.standing = "banned"
    banned.save()
    benchmark = Benchmark.objects.create(project=field, name="exam", file_name="x", content_hash="0" * 64)
    item = BenchmarkItem.objects.create(
        benchmark=benchmark, position=0, content_hash="1" * 64, text=leaked.text, key="1", language="en"
    )
    Leak.objects.create(question=leaked, item=item, shared_text=leaked.text)
    solver = Solver.objects.create(project=field, name="weak")
    Attempt.objects.create(question=easy, solver=solver, verdict="right")
    flawed.traces.update(finish_reason="length")

    job = select(field, size=20)

    stages = {row.question: (row.stage, row.reason) for row in job.decisions.filter(position__isnull=True)}
    assert stages[banned] == ("banned", "An expert banned it.")
    assert stages[leaked] == ("leak", "It shares a passage with item 1 of the benchmark exam.")
    assert stages[easy] == ("difficulty", "Solvers pass it: 1 of 1 tries.")
    assert stages[flawed] == ("trace quality", "The trace was cut before its end.")
    assert len(members(job)) == 16
    assert "20 questions were wanted and 16 selected" in job.shortfall


def test_an_overruled_leak_keeps_nothing_out(field, make_user):
    leaked = field.questions.filter(traces__isnull=False).first()
    benchmark = Benchmark.objects.create(project=field, name="exam", file_name="x", content_hash="0" * 64)
    item = BenchmarkItem.objects.create(
        benchmark=benchmark, position=0, content_hash="1" * 64, text=leaked.text, key="1", language="en"
    )
    Leak.objects.create(
        question=leaked,
        item=item,
        shared_text="",
        overruled_by=make_user(),
        overruled_at=timezone.now(),
        overruled_why="a stem",
    )

    assert leaked.pk in members(select(field, size=20))


def test_a_pinned_question_is_a_member_whatever_the_seed(field):
    pinned = field.questions.filter(traces__isnull=False)[3]
    pinned.standing = "pinned"
    pinned.save()

    assert all(pinned.pk in members(select(field, size=2, seed=seed)) for seed in range(5))


def test_of_several_traces_the_best_is_chosen(field, make_trace, make_teacher):
    question = field.questions.filter(traces__isnull=False).first()
    question.traces.update(verdict="wrong")
    right = make_trace(question, make_teacher(field))

    job = select(field, size=20)

    assert job.decisions.get(question=question).trace == right


def test_a_blueprint_takes_the_weights_of_the_taxonomy(field):
    field.domains.filter(code="A").update(weight=4)
    field.domains.filter(code="C").update(weight=0)

    job = select(field, method="blueprint", size=5)

    assert job.method["weights"] == {"A": 4, "B": 1, "C": 0}
    drawn = [field.questions.get(pk=pk).domain.code for pk in members(job)]
    assert sorted(drawn) == ["A", "A", "A", "A", "B"]


def test_the_arms_stand_beside_a_selection_with_its_size_and_seed(field):
    job = select(field, seed=5)

    arms = selections.start_arms(selection=job, by=None)
    for arm in arms:
        selections.run_selection(job=arm)

    assert [arm.method_name for arm in arms] == list(CONTROL_METHODS)
    assert {(arm.size, arm.seed, arm.arm_of) for arm in arms} == {(6, 5, job)}
    assert [len(members(arm)) for arm in arms] == [6, 6, 6, 6, 20]


def test_asking_for_the_arms_twice_makes_them_once(field):
    job = select(field)
    first = selections.start_arms(selection=job, by=None)

    assert selections.start_arms(selection=job, by=None) == first
    assert job.arms.count() == len(CONTROL_METHODS)


def test_the_longest_arm_takes_the_longest_traces(field):
    job = select(field, method="difficulty", size=3)

    tokens = [row.trace.thinking_tokens for row in job.decisions.filter(position__isnull=False)]
    assert tokens == [119, 118, 117]


@pytest.fixture
def bared(make_question, make_trace):
    """Return a selection whose only trace is gone before it runs."""
    question = make_question()
    trace = make_trace(question)
    job = selections.start_selection(project=question.project, method="s1-paper", size=1, by=None)
    trace.delete()
    return job


def test_where_no_trace_exists_a_selection_is_refused_before_it_is_queued(make_project, make_question):
    project, question = make_project(), make_question()

    for lacking, sentence in ((project, "has no question yet"), (question.project, "has a trace yet")):
        for method in ("s1-paper", "all", "random"):
            with pytest.raises(Refusal, match=sentence):
                selections.start_selection(project=lacking, method=method, size=1, by=None)
            with pytest.raises(Refusal, match=sentence):
                selections.try_method(project=lacking, method=method, size=1)
        assert not lacking.selections.exists()


def test_a_trace_of_another_project_is_none_of_ones_own(make_question, make_trace):
    make_trace()

    assert "has a trace yet" in selections.said_lack(make_question().project)


def test_a_selection_from_nothing_fails_with_its_counts_and_decides_nothing(bared):
    job = bared

    with pytest.raises(PoolTooSmall, match="1 in the pool, 1 dropped by trace"):
        selections.run_selection(job=job)

    assert (job.state, job.decisions.count(), job.members_hash) == (JobState.FAILED, 0, "")
    assert "collect traces, or choose a milder method" in job.failure


def test_a_failed_selection_can_be_carried_again(bared, make_trace):
    job, question = bared, bared.project.questions.get()
    with pytest.raises(PoolTooSmall):
        selections.run_selection(job=job)
    make_trace(question)
    job.requeue(now=job.finished_at)

    selections.run_selection(job=job)

    assert (job.state, members(job)) == (JobState.SUCCEEDED, [question.pk])


def test_a_selection_that_is_done_is_not_made_again(field):
    job = select(field)

    with pytest.raises(AlreadyClaimed):
        selections.run_selection(job=job)

    assert job.decisions.count() == 24


def test_questions_of_another_project_are_not_seen(field, make_trace):
    make_trace()

    assert select(field, method="all").decisions.count() == 24


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("s2", "There is no method 's2'; there are s1-paper"),
        ({"name": "mine", "colour": "red"}, "A method has no field colour"),
        ({"draw": "random"}, "The method has no name"),
        ({"name": "mine", "draw": "dice"}, "The method's draw 'dice' is not one of"),
        ({"name": "mine", "bands": 0}, "The method's bands is 0"),
    ],
)
def test_a_method_that_cannot_be_used_queues_nothing(make_project, method, sentence):
    project = make_project()

    with pytest.raises(BadMethod) as refused:
        selections.start_selection(project=project, method=method, size=1, by=None)

    assert sentence in str(refused.value)
    assert not project.selections.exists()


@pytest.mark.parametrize("size", [0, -1])
def test_a_selection_of_none_is_refused(make_project, size):
    with pytest.raises(Refusal, match="ask for 1 or more"):
        selections.start_selection(project=make_project(), method="random", size=size, by=None)


@pytest.mark.parametrize("fields", [{"size": 10**12}, {"seed": 2**70}, {"name": "n" * 300}])
def test_a_number_or_name_that_the_database_cannot_hold_is_refused_in_words(make_project, fields):
    given = {"method": "random", "size": 1, "by": None, **fields}

    with pytest.raises(Refusal):
        selections.start_selection(project=make_project(), **given)
