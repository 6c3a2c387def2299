"""Reads of selections, their members and reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)

from common.core.text import neutralise
from common.jobs import JobState
from common.models import Project
from common.queries import get_kept
from curator.core.selection import Result
from curator.core.spread import domain_counts
from curator.models import Decision, Domain, Question, Selection, TraceEdit
from curator.queries.search import best_match, searched
from curator.queries.taxonomy import branches_of

MOST_REASONS = 200
# A reason without the number of the question or the item that it names.
_OF_ANOTHER = Func(
    Func(
        F("reason"),
        Value(r"^It shares a passage with item \d+ of "),
        Value("It shares a passage with "),
        function="regexp_replace",
        output_field=TextField(),
    ),
    Value(r"^It is a near copy of question \d+,"),
    Value("It is a near copy of another question,"),
    function="regexp_replace",
    output_field=TextField(),
)
MOST_FOUND = 10
KEPT_SECONDS = 3600  # counts that nothing has changed since


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
    """Return why questions were left out, the most frequent reason of each stage first.

    Reasons that name another question each are one reason: "It is a near copy of question 7" and of 8.
    """
    out = Decision.objects.filter(selection=selection, position__isnull=True).order_by()
    rows = out.annotate(kind=_OF_ANOTHER).values_list("stage", "kind")
    counted = rows.annotate(count=Count("pk"), example=Min("question_id"))
    return [Reason(*row) for row in counted.order_by("-count", "stage", "kind")[:MOST_REASONS]]


@dataclass(frozen=True)
class MemberRows:
    """A selection's members for a paginator: their places are 0, 1, 2 … without a gap, so a page is found at once."""

    rows: "QuerySet[Decision]"

    def __len__(self) -> int:
        return self.rows.count()

    def __getitem__(self, part: slice) -> "QuerySet[Decision]":
        return self.rows.filter(position__gte=part.start, position__lt=part.stop)


@dataclass(frozen=True)
class LeftOutRows:
    """Questions that were left out for a paginator: keys are skipped, and only a page's own rows are read."""

    rows: "QuerySet[Decision]"

    def __len__(self) -> int:
        return self.rows.count()

    def __getitem__(self, part: slice) -> "QuerySet[Decision]":
        return self.rows.filter(pk__in=list(self.rows.values_list("pk", flat=True)[part]))


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
    return (
        rows.select_related("question__domain", "question__pool").defer("question__solution").order_by("pk")
    )


@dataclass(frozen=True)
class Spread:
    """How a selection's members and the pool spread over one thing: names, members, pool."""

    names: tuple[str, ...]
    members: tuple[int, ...]
    pool: tuple[int, ...]
    wanted: tuple[float | None, ...] = ()  # the share that a blueprint asks for, from 0 to 1

    @property
    def rows(self) -> list[tuple[str, int, int, float | None]]:
        """Return a line for each name."""
        wanted = self.wanted or (None,) * len(self.names)
        return list(zip(self.names, self.members, self.pool, wanted, strict=True))


def get_spread(project: Project, result: Result) -> Spread:
    """Return members and all questions of a draw by domain, beside the method's weights or the taxonomy's."""
    taxonomy = list(Domain.objects.filter(project=project))
    weights = result.method.weights or _weights(taxonomy)
    names = {domain.code: domain.name for domain in taxonomy}
    rows = domain_counts(result, weights)
    return _spread([(names.get(row.code, row.code), row.members, row.pool, row.wanted) for row in rows])


def _weights(taxonomy: Sequence[Domain]) -> dict[str, float]:
    return {domain.code: domain.weight for domain in taxonomy if domain.weight is not None}


def _spread(rows: Sequence[tuple[str, int, int, float | None]]) -> Spread:
    wanted = tuple(row[3] for row in rows)
    return Spread(
        tuple(row[0] or "–" for row in rows),
        tuple(row[1] for row in rows),
        tuple(row[2] for row in rows),
        wanted if any(share is not None for share in wanted) else (),
    )


def get_domains(selection: Selection) -> Spread:
    """Return members and all candidates by domain, or by the branch that carries its weight, largest first.

    Counted anew when a question of the project was changed.
    """
    taxonomy = list(Domain.objects.filter(project=selection.project))
    last = Question.objects.filter(project=selection.project).aggregate(last=Max("changed_at"))["last"]
    known = [(row.pk, row.code, row.name, row.weight, row.parent_id) for row in taxonomy]
    stamp = sha256(repr((selection.pk, selection.members_hash, last, known)).encode()).hexdigest()
    return get_kept(f"spread-{stamp}", KEPT_SECONDS, lambda: _counted_domains(selection, taxonomy))


def _counted_domains(selection: Selection, taxonomy: list[Domain]) -> Spread:
    weights = selection.method.get("weights") or _weights(taxonomy)
    branches = branches_of(taxonomy) if weights else {}
    names = {domain.code: domain.name for domain in taxonomy}
    rows = (
        Decision.objects.filter(selection=selection)
        .order_by()
        .values_list("question__domain__code")
        .annotate(members=Count("pk", filter=Q(position__isnull=False)), all=Count("pk"))
    )
    counts: dict[str, tuple[int, int]] = {}
    for code, members, there in rows:
        branch = branches.get(code or "", code or "")
        before = counts.get(branch, (0, 0))
        counts[branch] = (before[0] + members, before[1] + there)
    total = sum(weights.values())
    shares = {code: weight / total for code, weight in weights.items()} if total else {}
    by_size = sorted(counts.items(), key=lambda item: (-item[1][1], item[0]))
    return _spread([(names.get(code, code), *two, shares.get(code)) for code, two in by_size])


def get_trace_lengths(selection: Selection) -> tuple[list[int], list[int]]:
    """Return the thinking tokens of the members' traces, and of those left out.

    Counted anew when a trace of the project was put right.
    """
    edited = TraceEdit.objects.filter(trace__question__project=selection.project).aggregate(last=Max("pk"))
    key = f"lengths-{selection.pk}-{selection.members_hash}-{edited['last']}"
    return get_kept(key, KEPT_SECONDS, lambda: _counted_lengths(selection))


def _counted_lengths(selection: Selection) -> tuple[list[int], list[int]]:
    rows = Decision.objects.filter(selection=selection, trace__isnull=False).order_by()
    lengths = list(rows.values_list("trace__thinking_tokens", "position"))
    members = [tokens for tokens, position in lengths if position is not None]
    return members, [tokens for tokens, position in lengths if position is None]


def get_arms(selection: Selection) -> list[tuple[Selection, int, int]]:
    """Return a selection's control arms with their members, and how many of those it shares."""
    arms = list(selection.arms.order_by("pk"))
    if not arms:
        return []
    own = set(get_members(selection).values_list("question_id", flat=True))
    by_arm: dict[int, set[int]] = {arm.pk: set() for arm in arms}
    rows = Decision.objects.filter(selection__in=arms, position__isnull=False)
    for arm, question in rows.values_list("selection_id", "question_id"):
        by_arm[arm].add(question)
    return [(arm, len(by_arm[arm.pk]), len(by_arm[arm.pk] & own)) for arm in arms]


def get_freezable(project: Project) -> "QuerySet[Selection]":
    """Return the selections that are done, newest first."""
    rows: QuerySet[Selection] = Selection.objects.filter(project=project, state=JobState.SUCCEEDED)
    return rows.order_by("-created_at")


def find_questions(project: Project, words: str) -> "QuerySet[Question]":
    """Return the questions that a person means by a number, an id of the source, or words of the text."""
    asked = neutralise(words)[0].strip()
    number = asked.lstrip("#")
    rows: QuerySet[Question] = Question.objects.filter(project=project)
    rows = rows.only("pk", "text", "language", "project")
    if number.isascii() and number.isdecimal() and len(number) < 18 and rows.filter(pk=int(number)).exists():
        return rows.filter(pk=int(number))
    found, best = searched(rows, project, asked), best_match(project, asked)
    if best is None:
        return found.order_by("pk")[:MOST_FOUND]
    return found.annotate(match=best.value).order_by("-match", "pk")[:MOST_FOUND]


def get_why(selection: Selection, words: str) -> "QuerySet[Decision]":
    """Return why the questions that a person asks for are in a selection, or out of it."""
    asked = find_questions(selection.project, words).values_list("pk", flat=True)
    rows: QuerySet[Decision] = Decision.objects.filter(selection=selection, question__in=list(asked))
    return rows.select_related("question").defer("question__solution").order_by("question")


@dataclass(frozen=True)
class Comparison:
    """Two selections side by side: how many members only one has, or both, in all and by domain."""

    only_one: int
    both: int
    only_other: int
    by_domain: tuple[tuple[str, int, int, int], ...]  # name, only in the one, in both, only in the other


def compare(one: Selection, other: Selection) -> Comparison:
    """Hold the members of one selection against those of another."""
    rows = (
        Decision.objects.filter(selection__in=[one, other], position__isnull=False)
        .order_by()
        .values_list("question_id", "question__domain__name")
        .annotate(mine=Count("pk", filter=Q(selection=one)), theirs=Count("pk", filter=Q(selection=other)))
    )
    counts: dict[str, list[int]] = {}
    for _question, domain, mine, theirs in rows:
        place = 1 if mine and theirs else 0 if mine else 2
        counts.setdefault(domain or "–", [0, 0, 0])[place] += 1
    by_domain = sorted(counts.items(), key=lambda item: (-sum(item[1]), item[0]))
    only_one, both, only_other = (sum(three[place] for three in counts.values()) for place in range(3))
    rows_by_domain = tuple((name, mine, shared, theirs) for name, (mine, shared, theirs) in by_domain)
    return Comparison(only_one, both, only_other, rows_by_domain)


def get_only_in(one: Selection, other: Selection) -> "QuerySet[Decision]":
    """Return the members that one selection has and the other has not, each with the other's reason."""
    there = Decision.objects.filter(selection=other, question=OuterRef("question"))
    rows: QuerySet[Decision] = Decision.objects.filter(selection=one, position__isnull=False)
    left = rows.annotate(is_there=Exists(there.filter(position__isnull=False))).filter(is_there=False)
    return (
        left.annotate(other_reason=Subquery(there.values("reason")[:1]))
        .select_related("question__domain")
        .defer("question__solution")
        .order_by("position")
    )


def get_comparable(selection: Selection) -> "QuerySet[Selection]":
    """Return the other selections of a project that are done, the newest first."""
    rows: QuerySet[Selection] = Selection.objects.filter(project=selection.project, state=JobState.SUCCEEDED)
    return rows.exclude(pk=selection.pk).order_by("-created_at")
