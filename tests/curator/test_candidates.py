"""The columns of a project are kept between draws until something of the project itself changes."""

import pytest

from common.models import User
from curator.models import (
    Attempt,
    Benchmark,
    ChosenTrace,
    Domain,
    Pool,
    QualityPattern,
    Question,
    Solver,
    Trace,
)
from curator.services import questions as services
from curator.services.candidates import table_of

# Each change in a transaction of its own, as in life: of rows of one transaction the stamp is the same.
pytestmark = pytest.mark.django_db(transaction=True)


def test_what_changes_in_another_project_leaves_the_columns_as_they_are(make_pool, make_question, make_trace):
    here, elsewhere = make_pool(), make_pool()
    make_trace(make_question(here))
    kept = table_of(here.project)

    make_trace(make_question(elsewhere))
    again = table_of(here.project)

    assert again is kept
    assert table_of(elsewhere.project) is not kept


def a_question(pool, _trace):
    Question.objects.create(project=pool.project, pool=pool, content_hash="f" * 64, text="New", language="en")


def a_standing(pool, _trace):
    services.set_standings(questions=Question.objects.filter(pool=pool), standing="pinned", by=None)


def a_verdict(_pool, trace):
    Trace.objects.filter(pk=trace.pk).update(verdict="wrong")


def a_choice(_pool, trace):
    expert = User.objects.create_user("expert@school.example")
    ChosenTrace.objects.create(question=trace.question, trace=trace, expert=expert)


def a_domain(pool, _trace):
    Domain.objects.create(project=pool.project, code="1", name="Law")


def a_pools_name(pool, _trace):
    Pool.objects.filter(pk=pool.pk).update(name="other")


def a_benchmark(pool, _trace):
    Benchmark.objects.create(project=pool.project, name="exam", content_hash="e" * 64)


def a_pattern(pool, _trace):
    QualityPattern.objects.create(project=pool.project, name="mine", expression="x", reason="y")


def an_attempt(pool, trace):
    solver = Solver.objects.create(
        project=pool.project, name="small", model="small", base_url="http://x.example"
    )
    Attempt.objects.create(question=trace.question, solver=solver, sample=0, verdict="right")


@pytest.mark.parametrize(
    "change",
    [a_question, a_standing, a_verdict, a_choice, a_domain, a_pools_name, a_benchmark, a_pattern, an_attempt],
)
def test_what_changes_in_the_project_is_read_anew(make_pool, make_question, make_trace, change):
    pool = make_pool()
    trace = make_trace(make_question(pool))
    kept = table_of(pool.project)

    change(pool, trace)

    assert table_of(pool.project) is not kept
