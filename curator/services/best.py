"""An expert's choice among a question's traces, and how the teachers of a project compare."""

from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _

from common.core.intervals import wilson
from common.core.refusal import Refusal
from common.models import Project, User
from curator.core import best
from curator.core.best import Ranking
from curator.core.candidates import Candidates
from curator.models import ChosenTrace, Question, Teacher, Trace
from curator.queries.best import TeacherTotals, get_teacher_totals
from curator.services.candidates import table_of


@transaction.atomic
def choose_trace(*, trace: Trace, reason: str, by: User) -> ChosenTrace:
    """Put a trace before all others of its question; a new choice replaces the one before.

    Raises:
        Refusal: no reason is given.
    """
    if not reason.strip():
        raise Refusal(_("Say why this trace is to be taken instead; whoever looks at it later will ask."))
    chosen, _made = ChosenTrace.objects.update_or_create(
        question_id=trace.question_id,
        defaults={"trace": trace, "reason": reason.strip(), "expert": by},
    )
    return chosen


@transaction.atomic
def release_trace(*, question: Question) -> None:
    """Take an expert's choice back, so that the rule decides again.

    Raises:
        Refusal: no expert has chosen among its traces.
    """
    released, _by_table = ChosenTrace.objects.filter(question=question).delete()
    if not released:
        raise Refusal(_("No expert has chosen a trace of this question; the rule decides already."))


@dataclass(frozen=True)
class TeacherRow:
    """A teacher beside the others: what it wrote, how often that was right and the best, and at what price."""

    totals: TeacherTotals
    right: float | None  # share of what could be marked, with its 95 % interval
    right_from: float
    right_to: float
    usd_per_right: float | None
    stands_for: int  # questions
    stands_share: float | None  # of the questions for which any trace stands


@dataclass(frozen=True)
class Agreement:
    """How often two teachers gave the same answer, of the questions that both answered, with its 95 % interval."""

    one: Teacher
    other: Teacher
    both: int
    same: int
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """The teachers of a project beside one another."""

    rows: tuple[TeacherRow, ...]
    agreements: tuple[Agreement, ...]  # of every two that answered a question both
    questions: int  # for which a trace stands


def compare_teachers(*, project: Project, ranking: Ranking) -> Comparison:
    """Return what each teacher wrote, how often it stands for a question by a ranking, and who agrees with whom."""
    table = table_of(project)
    totals = get_teacher_totals(project)
    stands = _stands_for(table, ranking)
    questions = sum(stands.values())
    rows = tuple(_row(each, stands.get(each.teacher.pk, 0), questions) for each in totals)
    teachers = {each.teacher.pk: each.teacher for each in totals}
    agreements = tuple(
        Agreement(teachers[it.one], teachers[it.other], it.both, it.same, *wilson(it.same, it.both))
        for it in best.pairs(table.traces)
        if it.one in teachers and it.other in teachers  # a row of the other query may be newer
    )
    return Comparison(rows, agreements, questions)


def _stands_for(table: Candidates, ranking: Ranking) -> dict[int, int]:
    places = table.best_traces(table.mask(table.patterns), ranking)
    teachers = table.traces["teacher"].to_numpy()[places[places >= 0]]
    keys, counts = np.unique(teachers, return_counts=True)
    return dict(zip(keys.tolist(), counts.tolist(), strict=True))


def _row(totals: TeacherTotals, stands_for: int, questions: int) -> TeacherRow:
    low, high = wilson(totals.right, totals.keyed)
    return TeacherRow(
        totals=totals,
        right=totals.right / totals.keyed if totals.keyed else None,
        right_from=low,
        right_to=high,
        usd_per_right=totals.usd / totals.right if totals.right else None,
        stands_for=stands_for,
        stands_share=stands_for / questions if questions else None,
    )
