"""Selections: the criteria run over a project's questions, with a reason for each of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.jobs import Pulse, Watch, carried, unwatched
from common.models import Project, User
from curator.core.quality import BY_NAME, Specimen, first_flaw
from curator.core.ranking import RankedTrace, best_trace
from curator.core.selection import CONTROL_METHODS, Candidate, Result, method_from, select
from curator.models import Leak, Question, Selection, Standing, Trace

CODE_VERSION = "selection 1"  # changes whenever the same inputs, method and seed give other members


def start_selection(
    *,
    project: Project,
    method: Mapping[str, Any] | str,
    size: int,
    seed: int = 0,
    name: str = "",
    arm_of: Selection | None = None,
    by: User | None,
) -> Selection:
    """Queue one selection.

    Raises:
        Refusal: the method, the size, the seed or the name cannot be used.
    """
    chosen = method_from(method)
    if size < 1:
        raise Refusal(_("A selection of %(size)s questions is none; ask for 1 or more.") % {"size": size})
    selection = Selection(
        project=project,
        name=name or f"{chosen.name} {size}",
        method=_with_blueprint(project, chosen.as_dict()),
        method_name=chosen.name,
        size=size,
        seed=seed,
        arm_of=arm_of,
        code_version=CODE_VERSION,
        created_by=by,
    )
    checked(selection, "name", "method_name", "size", "seed").save()
    return selection


def _with_blueprint(project: Project, method: dict[str, Any]) -> dict[str, Any]:
    """Return a method with the taxonomy's weights, where it draws by a blueprint and names none."""
    if method["draw"] != "blueprint" or method["weights"]:
        return method
    return method | {
        "weights": dict(project.domains.filter(weight__isnull=False).values_list("code", "weight"))
    }


def start_arms(
    *, selection: Selection, methods: Sequence[str] = CONTROL_METHODS, by: User | None
) -> list[Selection]:
    """Return control arms beside a selection, of its size and seed; those missing are queued."""
    known = {arm.method_name: arm for arm in selection.arms.all()}
    return [
        known.get(method)
        or start_selection(
            project=selection.project,
            method=method,
            size=selection.size,
            seed=selection.seed,
            name=f"{selection.name[:180]} · {method}",
            arm_of=selection,
            by=by,
        )
        for method in methods
    ]


def run_selection(*, job: Selection, watch: Watch = unwatched) -> None:
    """Carry one selection from queued to done: criteria, draw, and a decision for every question.

    Raises:
        AlreadyClaimed: another worker has it.
        PoolTooSmall: nothing passed the criteria.
    """
    with carried(job):
        pulse = Pulse(job, watch)
        pulse(0, 3, phase=_("reading"))
        method = method_from(job.method)
        candidates = candidates_of(job.project, method.patterns)
        pulse(1, 3, phase=_("choosing"))
        result = select(candidates, method, size=job.size, seed=job.seed)
        pulse(2, 3, phase=_("writing"))
        with transaction.atomic():
            _store(job, candidates, result)
        pulse(3, 3)


def candidates_of(project: Project, patterns: Sequence[str] = tuple(BY_NAME)) -> list[Candidate]:
    """Return every question of a project as the criteria see it, with its best trace.

    `patterns` names the flaws of quality that count.
    """
    traces = _best_traces(project, patterns)
    leaked = dict(
        Leak.objects.filter(question__project=project, overruled_by__isnull=True).values_list(
            "question_id", "item__benchmark__name"
        )
    )
    questions = (
        Question.objects.filter(project=project)
        .annotate(tries=Count("attempts"), passes=Count("attempts", filter=Q(attempts__verdict="right")))
        .values_list("pk", "content_hash", "domain__code", "pool__name", "standing", "tries", "passes")
    )
    return [
        Candidate(
            id=content_hash,
            domain=domain or "",
            source=pool,
            trace=traces[pk].id if pk in traces else None,
            trace_tokens=traces[pk].tokens if pk in traces else 0,
            is_right=traces[pk].is_right if pk in traces else False,
            flaw=traces[pk].flaw if pk in traces else "",
            attempts=tries,
            passes=passes,
            pinned=standing == Standing.PINNED,
            banned=standing == Standing.BANNED,
            leaked=leaked.get(pk, ""),
        )
        for pk, content_hash, domain, pool, standing, tries, passes in questions.iterator()
    ]


def _best_traces(project: Project, patterns: Sequence[str]) -> dict[int, RankedTrace]:
    rows = (
        Trace.objects.filter(question__project=project)
        .order_by("question_id", "pk")
        .values_list(
            "question_id",
            "pk",
            "verdict",
            "thinking_tokens",
            "question__text",
            "thinking",
            "answer",
            "finish_reason",
            "question__pool__name",
        )
    )
    best: dict[int, RankedTrace] = {}
    for question, pk, verdict, tokens, text, thinking, answer, finish_reason, pool in rows.iterator(
        chunk_size=500
    ):
        flaw = first_flaw(Specimen(text, thinking, answer, finish_reason, pool), patterns)
        trace = RankedTrace(pk, verdict == "right", flaw.reason if flaw else "", tokens)
        chosen = best_trace([best[question], trace] if question in best else [trace])
        if chosen is not None:
            best[question] = chosen
    return best


def _store(job: Selection, candidates: Iterable[Candidate], result: Result) -> None:
    """Replace what an earlier try stored; one decision a question, written by COPY."""
    job.decisions.all().delete()
    keys = dict(Question.objects.filter(project=job.project).values_list("content_hash", "pk"))
    positions = {member: position for position, member in enumerate(result.members)}
    columns = "selection_id, question_id, trace_id, position, stage, reason"
    with connection.cursor() as cursor, cursor.copy(f"copy curator_decision ({columns}) from stdin") as copy:
        for candidate in candidates:
            verdict = result.verdicts[candidate.id]
            copy.write_row(
                (
                    job.pk,
                    keys[candidate.id],
                    candidate.trace,
                    positions.get(candidate.id),
                    verdict.stage,
                    verdict.reason,
                )
            )
    job.funnel = [
        {"stage": stage.stage, "kept": stage.kept, "dropped": stage.dropped} for stage in result.funnel
    ]
    job.members_hash, job.shortfall = result.members_hash, result.shortfall
    job.save(update_fields=["funnel", "members_hash", "shortfall"])
