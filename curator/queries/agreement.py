"""How far the reviewers of a selection agree, and where they do not."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass

from django.db.models import Count, F, QuerySet
from django.utils.translation import gettext as _

from curator.core.agreement import Agreement, agreement_between
from curator.models import Decision, Flag, Reason, Review, Selection, Trace
from curator.queries.best import standing

MOST_DISPUTED = 200

_Words = dict[int, dict[Hashable, Hashable]]  # by trace and reviewer


@dataclass(frozen=True)
class Line:
    """How far reviewers agree about one part of what they judged."""

    name: str
    found: Agreement


@dataclass(frozen=True)
class AgreementTable:
    """How far the reviewers of a selection agree: in all, by domain, and by reason."""

    whole: Agreement
    by_domain: list[Line]
    by_reason: list[Line]


def get_agreement(selection: Selection) -> AgreementTable:
    """Return how far the reviewers of a selection agree about its members' traces.

    Of a reason it is the agreement about whether it holds, among traces that somebody has rejected.
    """
    rows = list(
        _reviews(selection).values_list(
            "trace_id", "reviewer_id", "judgement", "reasons", "trace__question__domain__name"
        )
    )
    words: _Words = defaultdict(dict)
    domains: dict[str, _Words] = defaultdict(lambda: defaultdict(dict))
    given: dict[int, dict[Hashable, list[str]]] = defaultdict(dict)
    for trace, reviewer, judgement, reasons, domain in rows:
        words[trace][reviewer] = judgement
        domains[domain or _("no domain")][trace][reviewer] = judgement
        given[trace][reviewer] = reasons
    rejected = [trace for trace, said in words.items() if "reject" in said.values()]
    return AgreementTable(
        whole=agreement_between(list(words.values())),
        by_domain=_lines({name: list(said.values()) for name, said in domains.items()}),
        by_reason=_lines(
            {
                str(reason): [
                    {reviewer: reason.code in codes for reviewer, codes in given[trace].items()}
                    for trace in rejected
                ]
                for reason in Reason.objects.filter(project=selection.project)
                if any(reason.code in codes for trace in rejected for codes in given[trace].values())
            }
        ),
    )


def _lines(parts: dict[str, list[dict[Hashable, Hashable]]]) -> list[Line]:
    lines = [Line(name, agreement_between(words)) for name, words in parts.items()]
    return sorted(
        (line for line in lines if line.found.things), key=lambda line: (-line.found.things, line.name)
    )


def _reviews(selection: Selection) -> "QuerySet[Review]":
    members = Decision.objects.filter(selection=selection, position__isnull=False)
    rows: QuerySet[Review] = Review.objects.filter(trace__in=standing(members))
    return rows


def get_flagged(selection: Selection) -> "QuerySet[Flag]":
    """Return the flags of a selection's questions at whose traces nobody has looked."""
    questions = Decision.objects.filter(selection=selection, position__isnull=False).values("question")
    rows: QuerySet[Flag] = Flag.objects.filter(trace__question__in=questions, settled_at=None)
    return rows.select_related("trace__question", "raised_by", "colleague").defer("trace__thinking")


def get_disputed(selection: Selection) -> "QuerySet[Trace]":
    """Return the members' traces of which reviewers say different things; those without a last word first."""
    counts = _reviews(selection).order_by().values("trace").annotate(words=Count("judgement", distinct=True))
    rows: QuerySet[Trace] = Trace.objects.filter(pk__in=counts.filter(words__gt=1).values("trace"))
    return (
        rows.select_related("question", "teacher", "adjudication__decided_by")
        .defer("thinking")
        .prefetch_related("reviews__reviewer")
        .order_by(F("adjudication").asc(nulls_first=True), "pk")[:MOST_DISPUTED]
    )
