"""What a funnel does not say of itself: a criterion with nothing to judge by is named where its zero is shown."""

from datetime import timedelta

import pytest
from django.utils import timezone

from common.access import Role
from common.jobs import JobState
from curator.core.method import METHODS
from curator.models import Attempt, Benchmark, CopySearch, Domain, Question, Solver
from curator.queries.caveats import get_caveats
from curator.services import selections

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project, make_pool, make_question, make_trace):
    made = make_project()
    pool = make_pool(made)
    for _number in range(3):
        make_trace(make_question(pool))
    return made


def said(project, name="s1-paper", **changes):
    return " ".join(get_caveats(project, METHODS[name].as_dict() | changes))


def searched(project):
    now = timezone.now()
    CopySearch.objects.create(project=project, state=JobState.SUCCEEDED, started_at=now, finished_at=now)


def test_a_project_in_which_nothing_was_prepared_is_told_all_that_had_no_effect(project):
    text = said(project)

    assert "Near copies were never searched for" in text
    assert "has no benchmark" in text
    assert "No solver has tried a question" in text


def test_what_was_done_is_not_said(project):
    searched(project)
    Benchmark.objects.create(project=project, name="exam", file_name="exam.csv", content_hash="a" * 64)
    solver = Solver.objects.create(project=project, name="7b")
    Attempt.objects.create(question=project.questions.first(), solver=solver, verdict="wrong")

    assert said(project) == ""


def test_questions_that_came_after_the_search_are_counted(project, make_question):
    searched(project)
    make_question(project.pools.get())
    make_question(project.pools.get())

    assert "2 questions have come since near copies were last searched for" in said(project)


@pytest.mark.parametrize(
    ("name", "changes", "unsaid"),
    [
        ("s1-paper", {"drop_copies": False}, "Near copies"),
        ("random", {}, "solver"),
        ("s1-paper", {"difficulty_by": ["length"]}, "solver"),
        ("s1-notebook", {"first": {"cpa": 100}}, "taken first"),
    ],
)
def test_a_criterion_that_a_method_leaves_out_is_not_missed(project, name, changes, unsaid):
    assert unsaid not in said(project, name, **changes)


def test_a_blueprint_without_weights_and_a_notebook_without_sources_are_said(project):
    assert "No domain has a weight" in said(project, "blueprint")
    assert "No source is taken first" in said(project, "s1-notebook")
    Domain.objects.create(project=project, code="law", name="Law", weight=2)
    assert "No domain has a weight" not in said(project, "blueprint")


def test_a_selection_says_what_held_when_it_was_made_and_which_pins_are_out(
    project, client, make_member, make_question
):
    client.force_login(make_member(project, Role.OWNER))
    make_question(project.pools.get(), standing="pinned")  # it has no trace
    job = selections.start_selection(project=project, method="random", size=2, by=None)
    selections.run_selection(job=job)
    searched(project)
    CopySearch.objects.update(created_at=timezone.now() + timedelta(seconds=5))

    page = client.get(f"/selections/{job.pk}/").text

    assert "Near copies were never searched for" in page
    assert "1 pinned question is out all the same" in page
    assert Question.objects.filter(project=project).count() == 4
