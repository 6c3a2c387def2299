"""Reads for the pages: rows with what a page shows of them, in a number of queries that does not grow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet

from common.jobs import JobState
from common.models import Project, User
from curator import readers
from curator.core.agreement import agreement
from curator.core.quality import PATTERNS, Pattern, Specimen
from curator.core.rows import QuestionRow, Rejected, read_row
from curator.models import (
    Attempt,
    Benchmark,
    BenchmarkItem,
    Collection,
    Dataset,
    Decision,
    Domain,
    Import,
    Leak,
    Pool,
    Probe,
    Question,
    Review,
    RowReport,
    Selection,
    Solver,
    Standing,
    Teacher,
    Trace,
)

QUESTIONS_A_PAGE = 50
PREVIEWED_ROWS = 5
MOST_REASONS = 200
LATEST = 10


# --- pools and their questions ---


def get_pools(project: Project) -> "QuerySet[Pool]":
    """Return a project's pools with their numbers of questions, and of those that need a key."""
    rows: QuerySet[Pool] = Pool.objects.filter(project=project)
    return rows.annotate(
        question_count=Count("questions"),
        without_key=Count("questions", filter=Q(questions__key="")),
        read_at=Max("questions__created_at"),
    ).order_by("name")


def get_imports(pool: Pool) -> "QuerySet[Import]":
    """Return a pool's imports, newest first."""
    rows: QuerySet[Import] = Import.objects.filter(pool=pool).select_related("created_by")
    return rows


@dataclass(frozen=True)
class Preview:
    """The first rows of a file, raw and as they would be read."""

    table: readers.Table
    samples: tuple[tuple[str, tuple[str, ...]], ...]  # a column with its first values

    def read_with(self, mapping: dict[str, str]) -> list[QuestionRow | Rejected]:
        """Return the first rows as questions or refusals under a mapping."""
        return [
            read_row(row, mapping, number) for number, row in islice(self.table.numbered(), PREVIEWED_ROWS)
        ]


def get_preview(path: Path, file_name: str) -> Preview:
    """Return the beginning of a file.

    Raises:
        Refusal: the file is no table.
    """
    table = readers.open_table(path, file_name)
    first = table.rows[:PREVIEWED_ROWS]
    samples = tuple((column, tuple(_shown(row.get(column)) for row in first)) for column in table.columns)
    return Preview(table, samples)


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True)
class KeysetPage:
    """One page of rows in the order of their keys, with where the pages beside it begin."""

    rows: list[Any]
    before: int | None  # the page before ends below this key
    after: int | None  # the page after begins above this key


def get_keyset_page(
    rows: "QuerySet[Any]",
    *,
    after: int | None = None,
    before: int | None = None,
    size: int = QUESTIONS_A_PAGE,
) -> KeysetPage:
    """Return the page that follows the key `after`, or precedes the key `before`."""
    if before is not None:
        found = list(rows.filter(pk__lt=before).order_by("-pk")[: size + 1])
        page = found[:size][::-1]
        more_before, more_after = len(found) > size, True
    else:
        found = list((rows if after is None else rows.filter(pk__gt=after)).order_by("pk")[: size + 1])
        page = found[:size]
        more_before, more_after = after is not None, len(found) > size
    first, last = (page[0].pk, page[-1].pk) if page else (None, None)
    return KeysetPage(page, first if more_before else None, last if more_after else None)


def get_questions(project: Project, **chosen: Any) -> "QuerySet[Question]":
    """Return a project's questions as filtered, with their numbers of traces.

    `chosen` may hold text, pool, domain, language, standing, key ("missing", "there"), and traces
    ("some", "none").
    """
    rows: QuerySet[Question] = Question.objects.filter(project=project).select_related("pool", "domain")
    for field in ("pool", "domain", "language", "standing"):
        if chosen.get(field):
            rows = rows.filter(**{field: chosen[field]})
    if chosen.get("text"):
        rows = rows.filter(Q(text__icontains=chosen["text"]) | Q(external_id=chosen["text"]))
    if chosen.get("key"):
        rows = rows.filter(key="") if chosen["key"] == "missing" else rows.exclude(key="")
    if chosen.get("traces"):
        answered = Exists(Trace.objects.filter(question=OuterRef("pk")))
        rows = rows.filter(answered) if chosen["traces"] == "some" else rows.filter(~answered)
    return rows


def with_traces(questions: Sequence[Question]) -> list[tuple[Question, dict[str, int]]]:
    """Return questions with how many traces and right traces each has, in one query for all."""
    counts = Trace.objects.filter(question__in=questions).values("question").order_by()
    by_question = {
        row["question"]: row
        for row in counts.annotate(all=Count("pk"), right=Count("pk", filter=Q(verdict="right")))
    }
    none = {"all": 0, "right": 0}
    return [(question, by_question.get(question.pk, none)) for question in questions]


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


# --- the taxonomy ---


@dataclass(frozen=True)
class Branch:
    """A domain, how deep it lies in the tree, and how many questions and traces it has."""

    domain: Domain
    depth: int
    questions: int
    answered: int


def get_taxonomy(project: Project) -> list[Branch]:
    """Return the domains as a tree read from top to bottom."""
    answered = Exists(Trace.objects.filter(question=OuterRef("pk")))
    counts = Question.objects.filter(project=project, domain__isnull=False).annotate(is_answered=answered)
    by_domain = {
        row["domain"]: row
        for row in counts.order_by()
        .values("domain")
        .annotate(questions=Count("pk"), answered_count=Count("pk", filter=Q(is_answered=True)))
    }
    children: dict[int | None, list[Domain]] = {}
    for domain in Domain.objects.filter(project=project).order_by("code"):
        children.setdefault(domain.parent_id, []).append(domain)
    branches: list[Branch] = []

    def walk(parent: int | None, depth: int) -> None:
        for domain in children.get(parent, []):
            row = by_domain.get(domain.pk, {"questions": 0, "answered_count": 0})
            branches.append(Branch(domain, depth, row["questions"], row["answered_count"]))
            walk(domain.pk, depth + 1)

    walk(None, 0)
    return branches


# --- teachers, solvers and what they wrote ---


@dataclass(frozen=True)
class EndpointFigures:
    """A teacher or solver with what it has answered."""

    endpoint: Any
    answered: int
    right: int
    unkeyed: int
    last: Any

    @property
    def keyed(self) -> int:
        """Return how many of its answers could be marked."""
        return self.answered - self.unkeyed


def get_teachers(project: Project) -> list[EndpointFigures]:
    """Return a project's teachers with the numbers of their traces."""
    counts = Trace.objects.filter(question__project=project).order_by().values(of=F("teacher"))
    return _figures(Teacher.objects.filter(project=project), counts)


def get_solvers(project: Project) -> list[EndpointFigures]:
    """Return a project's solvers with the numbers of their attempts."""
    counts = Attempt.objects.filter(question__project=project).order_by().values(of=F("solver"))
    return _figures(Solver.objects.filter(project=project), counts)


def _figures(endpoints: Iterable[Any], counts: "QuerySet[Any, Any]") -> list[EndpointFigures]:
    by_id = {
        row["of"]: row
        for row in counts.annotate(
            answered=Count("pk"),
            right=Count("pk", filter=Q(verdict="right")),
            unkeyed=Count("pk", filter=Q(verdict="unkeyed")),
            last=Max("created_at"),
        )
    }
    none = {"answered": 0, "right": 0, "unkeyed": 0, "last": None}
    return [
        EndpointFigures(each, **{name: by_id.get(each.pk, none)[name] for name in none}) for each in endpoints
    ]


def get_orders(project: Project) -> list[Collection | Probe]:
    """Return a project's latest orders to teachers and solvers, newest first."""
    orders: list[Any] = [
        *Collection.objects.filter(project=project).select_related("teacher")[:LATEST],
        *Probe.objects.filter(project=project).select_related("solver")[:LATEST],
    ]
    return sorted(orders, key=lambda order: order.created_at, reverse=True)[:LATEST]


def get_verdicts(rows: "QuerySet[Any]") -> list[tuple[str, int]]:
    """Return how many answers got which verdict, the most frequent first."""
    return list(rows.order_by().values_list("verdict").annotate(Count("pk")).order_by("-pk__count"))


def get_lengths(rows: "QuerySet[Any]") -> list[int]:
    """Return the thinking tokens of answers."""
    return list(rows.order_by().values_list("thinking_tokens", flat=True))


def flaws_of(trace: Trace) -> list[Pattern]:
    """Return every sign of bad quality that a trace shows, as a hint to who reads it."""
    question = trace.question
    specimen = Specimen(question.text, trace.thinking, trace.answer, trace.finish_reason, question.pool.name)
    return [pattern for pattern in PATTERNS if pattern.found_in(specimen)]


# --- selections ---


def get_selections(project: Project) -> "QuerySet[Selection]":
    """Return a project's selections that are no arms, newest first, with their numbers of members."""
    rows: QuerySet[Selection] = Selection.objects.filter(project=project, arm_of__isnull=True)
    members = Count("decisions", filter=Q(decisions__position__isnull=False))
    return rows.annotate(member_count=members).prefetch_related("arms")


def get_latest_selection(project: Project) -> Selection | None:
    """Return the selection that was made last and is done, control arms left out."""
    done = Selection.objects.filter(project=project, arm_of__isnull=True, state=JobState.SUCCEEDED)
    found: Selection | None = done.order_by("-created_at").first()
    return found


@dataclass(frozen=True)
class Reason:
    """Why questions were left out at one stage, how many, and one of them."""

    stage: str
    reason: str
    questions: int
    example: int


def get_reasons(selection: Selection) -> list[Reason]:
    """Return why questions were left out, the most frequent reason of each stage first."""
    out = Decision.objects.filter(selection=selection, position__isnull=True).order_by()
    rows = out.values_list("stage", "reason").annotate(count=Count("pk"), example=Min("question_id"))
    return [Reason(*row) for row in rows.order_by("-count", "stage", "reason")[:MOST_REASONS]]


def get_members(selection: Selection) -> "QuerySet[Decision]":
    """Return a selection's members in the order drawn, with what a list shows of them."""
    rows: QuerySet[Decision] = Decision.objects.filter(selection=selection, position__isnull=False)
    return (
        rows.select_related("question__domain", "question__pool", "trace")
        .defer("trace__thinking", "trace__answer", "question__solution")
        .order_by("position")
    )


def get_left_out(selection: Selection, *, stage: str) -> "QuerySet[Decision]":
    """Return the questions that one stage left out."""
    rows: QuerySet[Decision] = Decision.objects.filter(
        selection=selection, position__isnull=True, stage=stage
    )
    return rows.select_related("question__domain", "question__pool").order_by("pk")


@dataclass(frozen=True)
class Spread:
    """How a selection's members and the pool spread over one thing: names, members, pool."""

    names: tuple[str, ...]
    members: tuple[int, ...]
    pool: tuple[int, ...]

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        """Return a line for each name."""
        return list(zip(self.names, self.members, self.pool, strict=True))


def get_domains(selection: Selection) -> Spread:
    """Return members and all candidates by domain, the largest in the pool first."""
    rows = (
        Decision.objects.filter(selection=selection)
        .order_by()
        .values_list("question__domain__name")
        .annotate(members=Count("pk", filter=Q(position__isnull=False)), all=Count("pk"))
        .order_by("-all")
    )
    found = [(name or "–", members, total) for name, members, total in rows]
    return Spread(*(tuple(column) for column in zip(*found, strict=True))) if found else Spread((), (), ())


def get_trace_lengths(selection: Selection) -> tuple[list[int], list[int]]:
    """Return the thinking tokens of the members' traces, and of those left out."""
    rows = Decision.objects.filter(selection=selection, trace__isnull=False).order_by()
    lengths = list(rows.values_list("trace__thinking_tokens", "position"))
    members = [tokens for tokens, position in lengths if position is not None]
    return members, [tokens for tokens, position in lengths if position is None]


def get_arms(selection: Selection) -> list[tuple[Selection, int, int]]:
    """Return a selection's control arms with their members, and how many of those it shares."""
    arms = list(selection.arms.order_by("pk"))
    own = set(get_members(selection).values_list("question_id", flat=True))
    by_arm: dict[int, set[int]] = {arm.pk: set() for arm in arms}
    rows = Decision.objects.filter(selection__in=arms, position__isnull=False)
    for arm, question in rows.values_list("selection_id", "question_id"):
        by_arm[arm].add(question)
    return [(arm, len(by_arm[arm.pk]), len(by_arm[arm.pk] & own)) for arm in arms]


# --- reviews ---


@dataclass(frozen=True)
class ReviewFigures:
    """How far the review of a selection has come."""

    members: int
    judged: int
    mine: int
    accepted: int
    rejected: int
    scripted: int
    disputed: int
    agreement: float | None

    @property
    def people(self) -> int:
        """Return how many judgements came from people."""
        return self.accepted + self.rejected - self.scripted


def get_review_figures(selection: Selection, reviewer: User) -> ReviewFigures:
    """Return how many members were judged, by whom, and how far the reviewers agree."""
    members = Decision.objects.filter(selection=selection, position__isnull=False)
    rows = Review.objects.filter(trace__decisions__in=members)
    judged = list(rows.values_list("trace_id", "judgement", "reviewer_id", "is_scripted"))
    by_trace: dict[int, list[str]] = {}
    for trace, judgement, _reviewer, _scripted in judged:
        by_trace.setdefault(trace, []).append(judgement)
    return ReviewFigures(
        members=members.count(),
        judged=len(by_trace),
        mine=sum(row[2] == reviewer.pk for row in judged),
        accepted=sum(row[1] == "accept" for row in judged),
        rejected=sum(row[1] == "reject" for row in judged),
        scripted=sum(row[3] for row in judged),
        disputed=sum(len(set(words)) > 1 for words in by_trace.values()),
        agreement=agreement(list(by_trace.values())),
    )


def get_reviews(trace: Trace) -> "QuerySet[Review]":
    """Return the judgements of a trace."""
    rows: QuerySet[Review] = Review.objects.filter(trace=trace).select_related("reviewer")
    return rows


def get_reviewed(selection: Selection, *, position: int) -> Decision | None:
    """Return the member at a place, with all that a reviewer reads."""
    found: Decision | None = (
        Decision.objects.filter(selection=selection, position=position)
        .select_related("question__pool", "question__domain", "trace__teacher", "trace__adjudication")
        .first()
    )
    return found


def get_unjudged_position(selection: Selection, reviewer: User, *, after: int = -1) -> int | None:
    """Return the place of the next member that a reviewer has not judged, from the start at the end."""
    judged = Review.objects.filter(trace=OuterRef("trace"), reviewer=reviewer)
    left = Decision.objects.filter(~Exists(judged), selection=selection, position__isnull=False)
    places = left.order_by("position").values_list("position", flat=True)
    found: int | None = places.filter(position__gt=after).first()
    return found if found is not None else places.first()


def get_last_review(selection: Selection, reviewer: User) -> Review | None:
    """Return a reviewer's latest judgement of a member."""
    members = Decision.objects.filter(selection=selection, position__isnull=False)
    rows = Review.objects.filter(reviewer=reviewer, trace__decisions__in=members)
    found: Review | None = rows.order_by("-changed_at").first()
    return found


def get_position(selection: Selection, trace_id: int) -> int | None:
    """Return the place of a trace among a selection's members."""
    rows = Decision.objects.filter(selection=selection, trace_id=trace_id, position__isnull=False)
    return rows.values_list("position", flat=True).first()


# --- datasets and benchmarks ---


def get_datasets(project: Project) -> "QuerySet[Dataset]":
    """Return a project's datasets, newest first, with their selections."""
    rows: QuerySet[Dataset] = Dataset.objects.filter(project=project).select_related(
        "selection", "created_by"
    )
    return rows


def get_freezable(project: Project) -> "QuerySet[Selection]":
    """Return the selections that are done, newest first."""
    rows: QuerySet[Selection] = Selection.objects.filter(project=project, state=JobState.SUCCEEDED)
    return rows.order_by("-created_at")


def get_benchmarks(project: Project) -> "QuerySet[Benchmark]":
    """Return a project's benchmarks with their numbers of items, and of pool questions they share."""
    rows: QuerySet[Benchmark] = Benchmark.objects.filter(project=project)
    leaked = Count("items__leaks__question", distinct=True)
    return rows.annotate(item_count=Count("items", distinct=True), leak_count=leaked)


def get_items(benchmark: Benchmark) -> "QuerySet[BenchmarkItem]":
    """Return a benchmark's items in their order."""
    return benchmark.items.order_by("position")


def get_leaks(benchmark: Benchmark) -> "QuerySet[Leak]":
    """Return what pools share with a benchmark."""
    rows: QuerySet[Leak] = Leak.objects.filter(item__benchmark=benchmark)
    return rows.select_related("question__pool", "item").order_by("item__position", "pk")


def get_reports(job: Import, *, kind: str = "") -> "QuerySet[RowReport]":
    """Return the rows of an import that became no question, in the order of the file."""
    rows: QuerySet[RowReport] = RowReport.objects.filter(imported_by=job).order_by("row_number")
    return rows.filter(kind=kind) if kind else rows


def count_standing(project: Project) -> dict[str, int]:
    """Return how many questions an expert has pinned and banned."""
    rows = Question.objects.filter(project=project).exclude(standing=Standing.OPEN)
    return dict(rows.order_by().values_list("standing").annotate(Count("pk")))
