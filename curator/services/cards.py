"""What a dataset keeps of how it was made, at the moment when it is frozen."""

import platform
from collections import Counter
from collections.abc import Hashable, Sequence
from importlib.metadata import version
from typing import Any

from common.models import User
from curator.core.agreement import Agreement, agreement_between
from curator.core.card import count_domains, lengths
from curator.core.dataset import hash_of_words
from curator.models import (
    Adjudication,
    Benchmark,
    Decision,
    Import,
    Leak,
    Review,
    Selection,
    Trace,
    TraceEdit,
    TraceImport,
    Verdict,
)
from curator.queries.best import standing
from curator.services import reviews

ROWS_VERSION = "2"  # changes whenever the same questions and traces would give other rows

_Words = dict[int, dict[Hashable, Hashable]]  # by trace and reviewer


def card_of(selection: Selection, decisions: Sequence[Decision], traces: Sequence[Trace]) -> dict[str, Any]:
    """Return where a dataset comes from, as plain values: inputs by hash, seed, versions, reviews, licences."""
    members = reviews.members(selection)
    judged = Review.objects.filter(trace__in=standing(members)).order_by("trace__content_hash", "pk")
    words: _Words = {}
    for trace_id, reviewer, judgement in judged.values_list("trace_id", "reviewer_id", "judgement"):
        words.setdefault(trace_id, {})[reviewer] = judgement
    found = agreement_between(list(words.values()))
    return {
        **_making(selection),
        **_sources(decisions, traces),
        **_content(decisions, traces),
        "right": sum(trace.verdict == Verdict.RIGHT for trace in traces),
        "chosen_by_experts": sum(hasattr(decision.question, "chosen_trace") for decision in decisions),
        "edited": TraceEdit.objects.filter(trace__in=traces).values("trace").distinct().count(),
        "instructive": sum(
            trace.verdict == Verdict.WRONG and "accept" in words.get(trace.pk, {}).values()
            for trace in traces
        ),
        "reviewed": sum(trace.pk in words for trace in traces),
        "rejected": members.count() - len(decisions),
        "reviewers": User.objects.filter(reviews__in=judged.filter(is_scripted=False)).distinct().count(),
        "scripted_reviews": judged.filter(is_scripted=True).count(),
        "agreement": found.alpha,
        "agreement_measured": _measured(found),
        "decontamination": _decontamination(selection, decisions),
        "lineage": _lineage(selection, decisions, traces),
    }


def _making(selection: Selection) -> dict[str, Any]:
    return {
        "method": selection.method,
        "seed": selection.seed,
        "size": selection.size,
        "members_hash": selection.members_hash,
        "funnel": selection.funnel,
        "code_version": selection.code_version,
        "versions": {
            "python": platform.python_version(),
            "django": version("django"),
            "polars": version("polars"),
            "rows": ROWS_VERSION,
        },
    }


def _sources(decisions: Sequence[Decision], traces: Sequence[Trace]) -> dict[str, Any]:
    pools = {decision.question.pool_id: decision.question.pool for decision in decisions}
    rows = Counter(decision.question.pool_id for decision in decisions)
    named = sorted(pools.values(), key=lambda pool: pool.name)
    return {
        "licences": sorted({pool.licence for pool in named}),
        "sources": [pool.name for pool in named],
        "pools": [
            {
                "name": pool.name,
                "licence": pool.licence,
                "provenance": pool.provenance,
                "rows": rows[pool.pk],
            }
            for pool in named
        ],
        "teachers": sorted({trace.teacher.name for trace in traces}),
        "terms": _terms(traces),
        "stand_in_teachers": sorted({it.teacher.name for it in traces if it.teacher.is_stand_in}),
    }


def _terms(traces: Sequence[Trace]) -> list[dict[str, Any]]:
    """Return what each teacher's terms said of training on its output, and of how many traces."""
    counts = Counter((trace.teacher.name, trace.terms) for trace in traces)
    return [
        {"teacher": teacher, "terms": terms, "traces": count}
        for (teacher, terms), count in sorted(counts.items())
    ]


def _content(decisions: Sequence[Decision], traces: Sequence[Trace]) -> dict[str, Any]:
    domains = [decision.question.domain for decision in decisions]
    return {
        "domains": count_domains((it.code, it.name) if it else ("", "") for it in domains),
        "languages": dict(sorted(Counter(decision.question.language for decision in decisions).items())),
        "tokens": lengths([trace.thinking_tokens for trace in traces]),
    }


def _measured(found: Agreement) -> dict[str, Any]:
    return {
        "traces": found.things,
        "pairs": found.pairs,
        "percent": found.percent,
        "percent_interval": list(found.percent_interval) if found.pairs else None,
        "kappa": found.kappa,
        "alpha": found.alpha,
        "alpha_interval": list(found.alpha_interval) if found.alpha_interval else None,
    }


def _decontamination(selection: Selection, decisions: Sequence[Decision]) -> dict[str, Any]:
    benchmarks = Benchmark.objects.filter(project=selection.project).order_by("name")
    leaks = Leak.objects.filter(question__in=[decision.question_id for decision in decisions])
    return {
        "benchmarks": [
            {"name": it.name, "hash": it.content_hash, "items": it.items.count()} for it in benchmarks
        ],
        "left_out": sum(step["dropped"] for step in selection.funnel if step["stage"] == "leak"),
        "let_in": leaks.values("question").distinct().count(),
    }


def _lineage(selection: Selection, decisions: Sequence[Decision], traces: Sequence[Trace]) -> dict[str, Any]:
    """Return every input by its hash; the same inputs give the same hashes on any machine."""
    imports = {key for it in decisions if (key := it.question.imported_by_id) is not None}
    trace_imports = {key for trace in traces if (key := trace.imported_by_id) is not None}
    parent = selection.branched_from
    return {
        **({"parent": parent.content_hash} if parent else {}),
        "members": selection.members_hash,
        "questions": hash_of_words(decision.question.content_hash for decision in decisions),
        "traces": hash_of_words(trace.content_hash for trace in traces),
        "reviews": _hash_of_reviews(selection),
        "files_of_questions": _files(Import.objects.filter(pk__in=imports).select_related("pool"), "pool"),
        "files_of_traces": _files(TraceImport.objects.filter(pk__in=trace_imports)),
    }


def _files(jobs: Any, *more: str) -> list[dict[str, str]]:
    """Return each file by its name and hash once, in the order of these."""
    lines = {(job.file_name, job.file_hash): {name: str(getattr(job, name)) for name in more} for job in jobs}
    return [{"file": name, "sha256": found, **lines[name, found]} for name, found in sorted(lines)]


def _hash_of_reviews(selection: Selection) -> str:
    """Return a hash of all that was judged of a selection's members, without the names of those who judged."""
    kept = standing(reviews.members(selection))
    said = Review.objects.filter(trace__in=kept).values_list("trace__content_hash", "judgement")
    last = Adjudication.objects.filter(trace__in=kept).values_list("trace__content_hash", "judgement")
    lines = [" ".join(row) for row in said] + [f"{' '.join(row)} last word" for row in last]
    return hash_of_words(sorted(lines))
