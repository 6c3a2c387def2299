"""Selections: the criteria run over a project's questions, with a reason for each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.jobs import Pulse, Watch, carried, unwatched
from common.models import Project, User
from curator.core.method import CONTROL_METHODS, Method, method_from
from curator.core.selection import Result, select
from curator.models import BenchmarkItem, Dataset, Question, Selection, Trace
from curator.services.candidates import table_of, usd_per_trace
from curator.services.flaws import read_missing_flaws, unread_traces

CODE_VERSION = "selection 3"  # changes whenever the same inputs, method and seed give other members


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
        Refusal: the method, the size, the seed or the name cannot be used, or there is nothing to select from.
    """
    chosen = _checked_method(project, method)
    if size < 1:
        raise Refusal(_("A selection of %(size)s questions is none; ask for 1 or more.") % {"size": size})
    selection = Selection(
        project=project,
        name=name
        or _("%(method)s %(size)s, seed %(seed)s") % {"method": chosen.name, "size": size, "seed": seed},
        method=_completed(project, chosen),
        method_name=chosen.name,
        size=size,
        seed=seed,
        arm_of=arm_of,
        code_version=CODE_VERSION,
        created_by=by,
    )
    checked(selection, "name", "method_name", "size", "seed")
    if lack := said_lack(project):
        raise Refusal(lack)
    selection.save()
    return selection


def said_lack(project: Project) -> str:
    """Return what a project lacks to select from, and what to do; empty where it has a trace."""
    if Trace.objects.filter(question__project=project).exists():
        return ""
    if not Question.objects.filter(project=project).exists():
        return _("This project has no question yet; upload a pool, then collect traces for it.")
    return _(
        "No question of this project has a trace yet, and a selection takes only questions that have one; "
        "collect traces from a teacher, or import some."
    )


def _checked_method(project: Project, method: Mapping[str, Any] | str) -> Method:
    own = project.quality_patterns.values_list("name", flat=True)
    return method_from(method, own_patterns=tuple(own))


def _completed(project: Project, method: Method) -> dict[str, Any]:
    """Return a method with the weights that it draws by, where it names none.

    A blueprint's are the taxonomy's; a target's are the mix of domains in the project's benchmarks.

    Raises:
        Refusal: a method draws by a target, and no benchmark names domains of the taxonomy.
    """
    plain = method.as_dict()
    if method.weights or method.draw not in ("blueprint", "even-then-target"):
        return plain
    if method.draw == "blueprint":
        weighted = project.domains.filter(weight__isnull=False)
        return plain | {"weights": dict(weighted.values_list("code", "weight"))}
    return plain | {"weights": _target_mix(project)}


def _target_mix(project: Project) -> dict[str, float]:
    """Return how many items of the project's benchmarks belong to each domain, by its code."""
    names = BenchmarkItem.objects.filter(benchmark__project=project).exclude(domain="")
    counts = dict(names.order_by().values_list("domain").annotate(Count("pk")))
    mix: dict[str, float] = {}
    for code, name in project.domains.values_list("code", "name"):
        items = counts.get(code, 0) or counts.get(name, 0)
        if items:
            mix[code] = float(items)
    if not mix:
        raise Refusal(
            _(
                "No benchmark of the project names a domain of its taxonomy, so its mix is not known; upload an exam"
                " with a column of domains, or give the method its weights."
            )
        )
    return mix


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
        read_missing_flaws(job.project, pulse)
        pulse(0, 2, phase=_("choosing"))
        table = table_of(job.project)
        method = method_from(job.method, own_patterns=table.patterns)
        result = select(table, method, size=job.size, seed=job.seed, usd_per_trace=usd_per_trace(table))
        pulse(1, 2, phase=_("writing"))
        with transaction.atomic():
            _store(job, result)
        pulse(2, 2)


def try_method(*, project: Project, method: Mapping[str, Any] | str, size: int, seed: int = 0) -> Result:
    """Return what a method would select now, and store nothing; what was not read yet shows no flaw.

    Raises:
        Refusal: the method cannot be used, there is nothing to select from, or nothing passes its criteria.
    """
    known = _checked_method(project, method)
    chosen = replace(known, weights=_completed(project, known)["weights"])
    if size < 1:
        raise Refusal(_("A selection of %(size)s questions is none; ask for 1 or more.") % {"size": size})
    if lack := said_lack(project):
        raise Refusal(lack)
    table = table_of(project)
    return select(table, chosen, size=size, seed=seed, usd_per_trace=usd_per_trace(table))


def count_unread(project: Project) -> int:
    """Return how many questions and traces were not read for flaws since the patterns last changed."""
    questions = Question.objects.filter(project=project, flaws__isnull=True).count()
    return questions + unread_traces(project).count()


def _store(job: Selection, result: Result) -> None:
    """Replace what an earlier try stored; one decision a question, written by COPY."""
    job.decisions.all().delete()
    table = result.candidates
    traces, places = table.traces["trace"].to_list(), result.trace_of.tolist()
    keys = table.numbers("pk")
    columns = "selection_id, question_id, trace_id, position, stage, reason"
    with connection.cursor() as cursor, cursor.copy(f"copy curator_decision ({columns}) from stdin") as copy:
        # In the order of the keys: each foreign key is looked up and locked, and pages that follow one another
        # are written once, where those of questions in the order of their hashes would be many times.
        for row in np.argsort(keys).tolist():
            place, verdict = places[row], result.verdict_at(row)
            trace = traces[place] if place >= 0 else None
            position = result.position_of.get(row)
            copy.write_row((job.pk, int(keys[row]), trace, position, verdict.stage, verdict.reason))
    job.funnel = [asdict(stage) for stage in result.funnel]
    job.members_hash, job.shortfall = result.members_hash, result.shortfall
    job.pinned, job.banned = result.pinned, result.banned
    job.save(update_fields=["funnel", "members_hash", "shortfall", "pinned", "banned"])


@transaction.atomic
def delete_selection(*, selection: Selection) -> None:
    """Remove a selection with its arms.

    Raises:
        Refusal: it is being made, or a dataset came from it or from one of its arms.
    """
    family = Selection.objects.filter(Q(pk=selection.pk) | Q(arm_of=selection))
    if Dataset.objects.filter(selection__in=family).exists():
        raise Refusal(
            _("A dataset was frozen from %(name)s; it stays, so that the dataset can be explained.")
            % {"name": selection.name}
        )
    if any(each.is_active for each in family):
        raise Refusal(_("%(name)s is being made; cancel that first.") % {"name": selection.name})
    selection.delete()
