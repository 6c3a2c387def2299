"""Reads of the experts' checks of marks: what is drawn for them, what they said, how far they agree."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.db.models.fields import CharField
from django.db.models.functions import MD5, Cast, Concat

from common.models import Project, User
from curator.core.agreement import SpotChecked
from curator.models import ANSWERS, Answer, Attempt, Grading, SpotCheck, Standing, Trace, Verdict

SAMPLE = 50  # answers, of which a rate of agreement is told: enough to tell 90 % from 75 %
RELATED = ("trace__question", "trace__teacher", "attempt__question", "attempt__solver")
AGREED = Q(is_right=True, marked=Verdict.RIGHT) | Q(is_right=False, marked=Verdict.WRONG)
_GRADED = ("trace__grade", "attempt__grade")
_PLAIN = (Verdict.RIGHT, Verdict.WRONG)


@dataclass(frozen=True)
class Sample:
    """What experts check blindly: the grades of one order, or all that the rules have marked in a project."""

    project: Project
    grading: Grading | None = None

    def answers(self, kind: type[Answer]) -> "QuerySet[Any]":
        """Return the answers of one kind from which the sample is drawn: marked right or wrong, by the one or the other."""
        rows: QuerySet[Any] = kind._default_manager.filter(question__project=self.project)
        if self.grading:
            return rows.filter(grade__grading=self.grading)
        rows = rows.filter(verdict__in=_PLAIN, grade__isnull=True).exclude(question__key="")
        return rows.exclude(question__standing=Standing.BANNED)

    def checks(self) -> "QuerySet[SpotCheck]":
        """Return what experts have said about the sample without seeing the mark."""
        rows: QuerySet[SpotCheck] = SpotCheck.objects.filter(project=self.project, is_blind=True)
        if self.grading:
            return rows.filter(of_grades(self.grading))
        return rows.filter(marked__in=_PLAIN, trace__grade__isnull=True, attempt__grade__isnull=True)


def of_grades(grading: Any) -> Q:
    """Return the condition that a check is of an answer that an order has graded."""
    return Q(trace__grade__grading=grading) | Q(attempt__grade__grading=grading)


def get_unchecked(sample: Sample, expert: User) -> Answer | None:
    """Return the answer that an expert is to check next: the first without their word, in an order drawn by a seed.

    The seed is the order's key, or the project's, so that all experts see the same sample. Of what the rules have
    marked, it is as often one that they call right as one that they call wrong.
    """
    if sample.grading:
        return _first_drawn(sample, expert)
    own = Counter(get_own_checks(sample, expert).values_list("marked", flat=True))
    rarer, other = sorted(_PLAIN, key=lambda verdict: own[verdict])
    return _first_drawn(sample, expert, verdict=rarer) or _first_drawn(sample, expert, verdict=other)


def _first_drawn(sample: Sample, expert: User, **marked: str) -> Answer | None:
    firsts: list[tuple[str, type[Answer], int]] = []
    for kind in ANSWERS:
        seed = f"{kind._meta.model_name}:{(sample.grading or sample.project).pk}:"
        drawn = MD5(Concat(Value(seed), Cast("pk", CharField()), output_field=CharField()))
        rows = sample.answers(kind).filter(**marked).exclude(spot_checks__expert=expert)
        first = rows.annotate(drawn=drawn).order_by("drawn").values_list("drawn", "pk").first()
        if first:
            firsts.append((first[0], kind, first[1]))
    if not firsts:
        return None
    _drawn, kind, key = min(firsts, key=lambda found: found[0])
    related = ("question", "teacher" if kind is Trace else "solver")
    found: Answer = kind._default_manager.select_related(*related).defer("thinking").get(pk=key)
    return found


def get_answer(sample: Sample, kind: str, key: int) -> Answer | None:
    """Return an answer of a sample, or None where it is none of it any more."""
    found: Answer | None = sample.answers(Trace if kind == "trace" else Attempt).filter(pk=key).first()
    return found


def get_own_checks(sample: Sample, expert: User) -> "QuerySet[SpotCheck]":
    """Return what an expert has said about a sample, the latest first."""
    return sample.checks().filter(expert=expert).order_by("-pk")


def get_agreement(sample: Sample, **marked: str) -> SpotChecked:
    """Return with how many of the checked marks the experts agree; with `marked`, of those that say just this."""
    counts = (
        sample.checks()
        .filter(**marked)
        .aggregate(total=Count("pk"), agreed=Count(Case(When(AGREED, then=1))))
    )
    return SpotChecked(counts["agreed"], counts["total"])


def get_disagreements(sample: Sample) -> "QuerySet[SpotCheck]":
    """Return the checks in which an expert said otherwise than the mark, the latest first."""
    rows = sample.checks().exclude(AGREED).select_related("expert", *RELATED, *_GRADED)
    return rows.defer("trace__thinking", "attempt__thinking").order_by("-pk")


def get_checks(answer: Answer) -> "QuerySet[SpotCheck]":
    """Return what experts have said about an answer, the first first."""
    rows: QuerySet[SpotCheck] = answer.spot_checks.select_related("expert").order_by("pk")
    return rows
