"""Reads of which trace stands for a question, and of why it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import Avg, Count, F, Func, IntegerField, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.models import Project
from curator.core import best
from curator.core.best import Kind, Ranking
from curator.core.quality import PATTERNS, Pattern, Specimen, own_pattern, trace_flaws
from curator.models import ChosenTrace, Decision, QualityPattern, Question, Teacher, Trace
from curator.queries.questions import get_traces


def with_standing(decisions: "QuerySet[Decision]") -> "QuerySet[Any]":
    """Return decisions with `stands`: the key of the trace that an expert chose, else of the one drawn."""
    return decisions.annotate(stands=Coalesce("question__chosen_trace__trace_id", "trace_id"))


def standing(decisions: "QuerySet[Decision]") -> "QuerySet[Any, Any]":
    """Return the keys of the traces that stand for the questions of decisions, for a query of traces."""
    return with_standing(decisions).order_by().values("stands")


@dataclass(frozen=True)
class RankedTrace:
    """A trace in the order of a ranking, with the facts that the order rests on, and why it goes before the next."""

    trace: Trace
    place: int  # from 1
    stands: bool  # for its question, in the next selection
    kind: Kind
    agreeing: int  # teachers that give its answer, its own among them; 0 where it names none
    teachers: int  # that answered the question
    flaws: tuple[Pattern, ...]
    why: str

    @property
    def is_summary(self) -> bool:
        """Tell whether it is only a summary of thinking."""
        return self.kind is Kind.SUMMARY

    @property
    def is_bare(self) -> bool:
        """Tell whether it is an answer without thinking."""
        return self.kind is Kind.BARE


def get_chosen(question: Question) -> ChosenTrace | None:
    """Return the choice that an expert made among a question's traces."""
    found: ChosenTrace | None = (
        ChosenTrace.objects.filter(question=question).select_related("expert", "trace__teacher").first()
    )
    return found


def get_ranked(question: Question, ranking: Ranking) -> list[RankedTrace]:
    """Return a question's traces in the order of a ranking, each with the sentence that says why."""
    length = Func(F("thinking"), function="octet_length", output_field=IntegerField())
    traces = list(get_traces(question).annotate(thinking_bytes=length))
    if not traces:
        return []
    known = get_patterns(question.project)
    flaws = [_flaws(trace, question, known) for trace in traces]
    chosen = ChosenTrace.objects.filter(question=question).values_list("trace_id", flat=True).first()
    columns = best.typed([_row(question, *each, chosen, known) for each in zip(traces, flaws, strict=True)])
    by_key = {trace.pk: (trace, shown) for trace, shown in zip(traces, flaws, strict=True)}
    everything = np.uint64(2 ** len(known) - 1)
    steps = best.ranked(columns, everything, ranking)
    standing_places = set(best.best_places(columns, everything, ranking).tolist())
    teachers = len({trace.teacher_id for trace in traces})
    rows = []
    for number, step in enumerate(steps, start=1):
        facts = columns.row(step.place, named=True)
        trace, shown = by_key[facts["trace"]]
        agreeing = facts["agreement"] + 1 if facts["said"] else 0
        stands, kind = step.place in standing_places, Kind(facts["kind"])
        rows.append(RankedTrace(trace, number, stands, kind, agreeing, teachers, shown, ""))
    losses = [step.lost_by for step in steps[1:]]
    return [_with_why(row, *after) for row, after in zip(rows, _following(rows, losses), strict=True)]


def get_patterns(project: Project) -> tuple[Pattern, ...]:
    """Return the patterns of quality that a project has: the built-in ones and its own."""
    own = QualityPattern.objects.filter(project=project).values("name", "place", "expression", "reason")
    return (*PATTERNS, *(own_pattern(**row) for row in own))


def _flaws(trace: Trace, question: Question, known: Sequence[Pattern]) -> tuple[Pattern, ...]:
    """Return the patterns that a trace shows: as they are kept, or read now where they are not."""
    names = trace.flaws
    if names is None:
        specimen = Specimen(
            "",
            trace.thinking,
            trace.answer,
            trace.finish_reason,
            language=question.language,
            key=question.key,
            options=question.options,
        )
        names = trace_flaws(specimen, known)
    return tuple(pattern for pattern in known if pattern.name in names)


def _row(
    question: Question,
    trace: Trace,
    flaws: Sequence[Pattern],
    chosen: int | None,
    known: Sequence[Pattern],
) -> dict[str, object]:
    """Return a trace as a ranking looks at it."""
    is_right = trace.verdict == "right"
    bare = Kind.TRACE if trace.thinking_bytes else Kind.BARE  # type: ignore[attr-defined]  # annotated
    said = best.answer_form(trace.answer, options=tuple(question.options), key=question.key)
    return {
        "question": question.pk,
        "trace": trace.pk,
        "tokens": trace.thinking_tokens,
        "is_right": is_right,
        "flaws": sum(1 << known.index(flaw) for flaw in flaws),
        "usd": float(trace.cost_usd),
        "teacher": trace.teacher_id,
        "kind": (Kind.SUMMARY if trace.is_summary else bare).value,
        "said": best.BY_KEY if is_right else said,
        "content": int(trace.content_hash[:15], 16),
        "is_chosen": trace.pk == chosen,
    }


def _following(rows: Sequence[RankedTrace], losses: Sequence[str]) -> list[tuple[RankedTrace | None, str]]:
    return [*zip(rows[1:], losses, strict=True), (None, "")]


def _with_why(row: RankedTrace, following: RankedTrace | None, lost_by: str) -> RankedTrace:
    """Return a trace with one sentence: what it is, and by what it beats the one after it."""
    said = _facts(row)
    if lost_by == best.CHOSEN:
        said = _("Chosen by an expert: %(facts)s") % {"facts": said}
    elif row.stands:
        said = _("Chosen: %(facts)s") % {"facts": said}
    if following is not None:
        beaten = {"facts": said, "other": _named(following.trace), "loss": _loss(lost_by, following, row)}
        said = _("%(facts)s; beats %(other)s: %(loss)s") % beaten
    return replace(row, why=_("%(sentence)s.") % {"sentence": said[:1].upper() + said[1:]})


def _named(trace: Trace) -> str:
    if not trace.sample:
        return str(trace.teacher)
    return _("%(teacher)s (try %(number)s)") % {"teacher": trace.teacher, "number": trace.sample + 1}


def _facts(row: RankedTrace) -> str:
    facts = [str(row.trace.get_verdict_display()), _agreement(row), _flaws_said(row)]
    if row.kind is not Kind.TRACE:
        facts.insert(0, _kind(row))
    return _(", ").join(facts)


def _kind(row: RankedTrace) -> str:
    if row.is_summary:
        return _("only a summary of its thinking")
    return _("an answer without thinking")


def _agreement(row: RankedTrace) -> str:
    if row.teachers < 2:
        return _("the only teacher")
    if row.agreeing < 2:
        return _("no other teacher agrees")
    return _("%(count)s of %(teachers)s teachers agree") % {"count": row.agreeing, "teachers": row.teachers}


def _flaws_said(row: RankedTrace) -> str:
    if not row.flaws:
        return _("no flaw")
    return ngettext("%(count)s flaw (%(names)s)", "%(count)s flaws (%(names)s)", len(row.flaws)) % {
        "count": len(row.flaws),
        "names": ", ".join(flaw.name for flaw in row.flaws),
    }


def _loss(lost_by: str, row: RankedTrace, winner: RankedTrace) -> str:
    """Return by what a trace lost against the one before it."""
    match lost_by:
        case best.CHOSEN:
            return _("the expert's word")
        case best.KIND:
            return _kind(row)
        case "right":
            return str(row.trace.get_verdict_display())
        case "agreement":
            return _agreement(row)
        case "flaws":
            return _flaws_said(row)
        case "longer" | "shorter" | "middle":
            words = {"longer": _("shorter"), "shorter": _("longer"), "middle": _("further from the middle")}
            tokens = ngettext(
                "%(count)s thinking token", "%(count)s thinking tokens", row.trace.thinking_tokens
            ) % {"count": number_format(row.trace.thinking_tokens, force_grouping=True)}
            return _("%(tokens)s, %(how)s") % {"tokens": tokens, "how": words[lost_by]}
        case "cheaper":
            return _("dearer by $%(usd)s") % {"usd": f"{row.trace.cost_usd - winner.trace.cost_usd:f}"}
        case _:
            return _("even in everything; the hash of the content decided")


@dataclass(frozen=True)
class TeacherTotals:
    """What a teacher has written, and what it cost."""

    teacher: Teacher
    traces: int
    summaries: int
    keyed: int  # traces that could be marked
    right: int
    mean_tokens: float
    usd: float


def get_teacher_totals(project: Project) -> list[TeacherTotals]:
    """Return a project's teachers that have written something, with their totals."""
    counts = Trace.objects.filter(question__project=project).order_by().values("teacher")
    rows = counts.annotate(
        traces=Count("pk"),
        summaries=Count("pk", filter=Q(is_summary=True)),
        keyed=Count("pk", filter=~Q(verdict="unkeyed")),
        right=Count("pk", filter=Q(verdict="right")),
        mean_tokens=Coalesce(Avg("thinking_tokens", filter=Q(is_summary=False)), 0.0),
        usd=Sum("cost_usd"),
    )
    by_key = {row.pop("teacher"): row for row in rows}
    teachers = Teacher.objects.filter(project=project, pk__in=by_key)
    return [TeacherTotals(teacher, **_plain(by_key[teacher.pk])) for teacher in teachers]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"usd": float(row["usd"])}
