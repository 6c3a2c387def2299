"""Reads of questions: the list as filtered and ordered, and one with what is known of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Concat, Left

from common.models import Project
from common.paging import ROWS_A_PAGE, Order
from curator.core.classification import OTHER
from curator.core.taxonomy import Node, walk
from curator.models import (
    Attempt,
    Decision,
    Domain,
    Doubt,
    Leak,
    NearCopy,
    Question,
    Standing,
    Trace,
)
from curator.queries.search import best_match, searched
from curator.queries.taxonomy import LEAST_SURE

LATEST = 10
QUESTIONS_A_PAGE = ROWS_A_PAGE
PREVIEW = 240  # characters of a text that a list reads
KEY_PREVIEW = 60
NO_DOMAIN, UNSURE = "none", "unsure"
UNRATED = "none"
_BEYOND_MARKS = Decimal(100_000)  # more than a question can have
_LISTED = (
    "project",
    "language",
    "standing",
    "key_disputed",
    "neutralised",
    "flaws",
    "marks",
    "rating",
    "tags",
    "domain_source",
    "domain_confidence",
    "pool__name",
    "domain__name",
)


def _whole(text: str) -> int:
    if len(text) > 9:
        raise ValueError(text)
    return int(text)


def _marks(text: str) -> Decimal:
    if not -1 <= (marks := Decimal(text)) <= _BEYOND_MARKS:
        raise ValueError(text)
    return marks


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


# In bytes: a CJK character counts as three letters, about as much as it says, and PostgreSQL counts no
# characters for it.
_LENGTH = Func(F("text"), function="octet_length", output_field=IntegerField())
# What has no value comes last, either way.
ORDERS: dict[str, Order] = {
    "oldest": Order(),
    "newest": Order(is_down=True),
    "changed": Order(F("changed_at"), is_down=True, read=_moment),
    "most_marks": Order(Coalesce("marks", Decimal(-1)), is_down=True, read=_marks),
    "fewest_marks": Order(Coalesce("marks", _BEYOND_MARKS), read=_marks),
    "longest": Order(_LENGTH, is_down=True, read=_whole),
    "shortest": Order(_LENGTH, read=_whole),
    "domain": Order(Case(When(domain=None, then=Value("1")), default=Concat(Value("0"), F("domain__code")))),
    "least_sure": Order(Coalesce("domain_confidence", 2.0), read=float),
    "hardest": Order(Coalesce("rating", 0), is_down=True, read=_whole),
}


def get_order(project: Project, name: str, typed: str) -> Order:
    """Return the order of a name; without one the best match of a search first, or else the oldest."""
    return ORDERS[name] if name else best_match(project, typed) or ORDERS["oldest"]


@dataclass(frozen=True)
class Listed:
    """A question as a list shows it, with what other tables know of it."""

    question: Question
    traces: int
    right: int
    is_copy: bool
    leaks: bool


def get_questions(project: Project, **chosen: Any) -> "QuerySet[Question]":
    """Return a project's questions as filtered.

    `chosen` may hold text, pool, domain (a key, "none" or "unsure"), domain_source, language, standing,
    key ("missing", "there"), traces ("some", "none"), rating (1 to 5 or "none"), marks_from, marks_to,
    tags, and flags (of `FLAGS`).
    """
    rows: QuerySet[Question] = Question.objects.filter(project=project)
    for name, value in chosen.items():
        if value not in (None, "", [], ()) and name != "text":
            rows = rows.filter(_FILTERS[name](project, value))
    return searched(rows, project, chosen.get("text") or "")


def _of_key(_project: Project, key: str) -> Q:
    return Q(key="") if key == "missing" else ~Q(key="")


def _of_traces(_project: Project, traces: str) -> Q:
    answered = Q(Exists(Trace.objects.filter(question=OuterRef("pk"))))
    return answered if traces == "some" else ~answered


def _of_domain(project: Project, domain: str) -> Q:
    if domain == NO_DOMAIN:
        return Q(domain=None)
    if domain == UNSURE:
        return Q(domain_confidence__lt=LEAST_SURE)
    return Q(domain__in=_with_descendants(project, int(domain)))


def _with_descendants(project: Project, domain: int) -> list[int]:
    children: dict[int | None, list[int]] = {}
    for key, parent in Domain.objects.filter(project=project).order_by().values_list("pk", "parent"):
        children.setdefault(parent, []).append(key)
    found, place = [domain], 0
    while place < len(found):
        found += children.get(found[place], [])
        place += 1
    return found


def _of_rating(_project: Project, rating: str) -> Q:
    return Q(rating=None) if rating == UNRATED else Q(rating=int(rating))


_FLAGGED: dict[str, Q] = {
    "neutralised": Q(neutralised=True),
    "copy": Q(Exists(NearCopy.objects.filter(question=OuterRef("pk")))),
    "leak": Q(Exists(Leak.objects.filter(question=OuterRef("pk"), overruled_at=None))),
    "flaw": Q(flaws__len__gt=0),
    "disputed": Q(key_disputed=True),
    "doubted": Q(Exists(Doubt.objects.filter(question=OuterRef("pk"), settled_at=None))),
}
FLAGS = tuple(_FLAGGED)


def _of_flags(_project: Project, flags: Sequence[str]) -> Q:
    all_of = Q()
    for flag in flags:
        all_of &= _FLAGGED[flag]
    return all_of


_FILTERS: Mapping[str, Callable[[Project, Any], Q]] = {
    "pool": lambda _project, pool: Q(pool=pool),
    "domain": _of_domain,
    "domain_source": lambda _project, source: Q(domain_source=source),
    "language": lambda _project, language: Q(language=language),
    "standing": lambda _project, standing: Q(standing=standing),
    "key": _of_key,
    "traces": _of_traces,
    "rating": _of_rating,
    "marks_from": lambda _project, marks: Q(marks__gte=marks),
    "marks_to": lambda _project, marks: Q(marks__lte=marks),
    "tags": lambda _project, tags: Q(tags__contains=tags),
    "flags": _of_flags,
}


def as_listed(rows: "QuerySet[Question]") -> "QuerySet[Question]":
    """Return questions with no more than a list shows: `preview` and `key_preview` for the whole texts."""
    shown = rows.select_related("pool", "domain").only(*_LISTED)
    return shown.annotate(preview=Left("text", PREVIEW), key_preview=Left("key", KEY_PREVIEW))


def get_listed(questions: Sequence[Question]) -> list[Listed]:
    """Return a page's questions with their traces, copies and leaks, in three queries for all."""
    counts = Trace.objects.filter(question__in=questions).order_by().values_list("question")
    counted = counts.annotate(all=Count("pk"), right=Count("pk", filter=Q(verdict="right")))
    traces = {key: numbers for key, *numbers in counted}
    copies = set(NearCopy.objects.filter(question__in=questions).values_list("question", flat=True))
    leaks = Leak.objects.filter(question__in=questions, overruled_at=None)
    leaking = set(leaks.values_list("question", flat=True))
    none = (0, 0)
    return [
        Listed(
            question,
            traces.get(question.pk, none)[0],
            traces.get(question.pk, none)[1],
            question.pk in copies,
            question.pk in leaking,
        )
        for question in questions
    ]


def get_domain_tree(project: Project) -> list[tuple[Domain, int]]:
    """Return a project's domains from top to bottom, each with how deep it lies."""
    domains = {domain.pk: domain for domain in Domain.objects.filter(project=project)}
    codes = {None: "", **{key: domain.code for key, domain in domains.items()}}
    nodes = [Node(domain.code, domain.name, codes[domain.parent_id]) for domain in domains.values()]
    by_code = {domain.code: domain for domain in domains.values()}
    return [(by_code[node.code], depth) for node, depth in walk(nodes, last=OTHER)]


def get_traces(question: Question) -> "QuerySet[Trace]":
    """Return a question's traces with their teachers and numbers of judgements."""
    rows: QuerySet[Trace] = (
        Trace.objects.filter(question=question).select_related("teacher").defer("thinking")
    )
    return rows.annotate(
        accepts=Count("reviews", filter=Q(reviews__judgement="accept")),
        rejects=Count("reviews", filter=Q(reviews__judgement="reject")),
    )


def get_attempts(question: Question) -> "QuerySet[Attempt]":
    """Return the solvers' tries at a question."""
    rows: QuerySet[Attempt] = Attempt.objects.filter(question=question).select_related("solver")
    return rows.defer("thinking").order_by("solver__name", "sample")


def get_decisions(question: Question) -> "QuerySet[Decision]":
    """Return why each selection took or left a question, the latest selection first."""
    rows: QuerySet[Decision] = Decision.objects.filter(question=question).select_related("selection")
    return rows.order_by("-selection__created_at")[:LATEST]


def get_leaks_of(question: Question) -> "QuerySet[Leak]":
    """Return the benchmark items that a question shares text with."""
    rows: QuerySet[Leak] = Leak.objects.filter(question=question).select_related("item__benchmark")
    return rows


def count_standing(project: Project) -> dict[str, int]:
    """Return how many questions an expert has pinned and banned."""
    rows = Question.objects.filter(project=project).exclude(standing=Standing.OPEN)
    return dict(rows.order_by().values_list("standing").annotate(Count("pk")))
