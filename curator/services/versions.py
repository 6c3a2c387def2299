"""What a person does with frozen versions: mark the one that counts, and begin a new draft from one."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from common.checks import checked
from common.core.refusal import Refusal
from common.jobs import JobState
from common.models import Project, User
from curator.core.dataset import hash_of_words
from curator.models import Dataset, Decision, Question, Selection, Trace
from curator.services.selections import CODE_VERSION


@transaction.atomic
def mark_current(*, dataset: Dataset) -> None:
    """Make a dataset the one that its project works with, in the place of any other."""
    Project.objects.select_for_update().get(pk=dataset.project_id)
    Dataset.objects.filter(project=dataset.project_id, is_current=True).update(is_current=False)
    Dataset.objects.filter(pk=dataset.pk).update(is_current=True, made_current_at=timezone.now())
    dataset.refresh_from_db(fields=["is_current", "made_current_at"])


@transaction.atomic
def undo_current(*, project: Project) -> Dataset | None:
    """Take the mark from a project's current dataset and give it back to the one before; return that.

    Raises:
        Refusal: none is marked.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    marked = Dataset.objects.filter(project=project)
    if not marked.filter(is_current=True).update(is_current=False, made_current_at=None):
        raise Refusal(_("No dataset of this project is marked as current; there is nothing to undo."))
    before: Dataset | None = marked.filter(made_current_at__isnull=False).order_by("-made_current_at").first()
    if before:
        marked.filter(pk=before.pk).update(is_current=True)
        before.refresh_from_db(fields=["is_current"])
    return before


@dataclass(frozen=True)
class Branch:
    """A new draft, and how many rows of its version are no longer in the project as they were."""

    selection: Selection
    gone: int


@transaction.atomic
def branch(*, dataset: Dataset, name: str = "", by: User | None) -> Branch:
    """Make a selection of a version's questions with their traces, in their order, to be reviewed and frozen anew.

    Raises:
        Refusal: none of the rows is in the project any more, or the name is too long.
    """
    rows = list(dataset.rows.order_by("position").values_list("question_hash", "trace_hash"))
    members = _still_there(dataset, rows)
    if not members:
        raise Refusal(
            _(
                "None of the questions of %(name)s is in the project any more; there is nothing to branch from."
            )
            % {"name": dataset.name}
        )
    origin = dataset.selection
    selection = Selection(
        project=dataset.project,
        branched_from=dataset,
        name=name or _("%(name)s, branched") % {"name": dataset.name[:180]},
        method=origin.method,
        method_name=origin.method_name,
        size=len(members),
        seed=origin.seed,
        funnel=_funnel(dataset, len(members)),
        members_hash=hash_of_words(key for key, _question, _trace in members),
        code_version=CODE_VERSION,
        state=JobState.SUCCEEDED,
        started_at=timezone.now(),
        finished_at=timezone.now(),
        created_by=by,
    )
    checked(selection, "name").save()
    reason = f"It is in the version {dataset.name}, from which this selection was branched."
    Decision.objects.bulk_create(
        (
            Decision(
                selection=selection,
                question_id=question,
                trace_id=trace,
                position=place,
                stage="branch",
                reason=reason,
            )
            for place, (_key, question, trace) in enumerate(members)
        ),
        batch_size=1000,
    )
    return Branch(selection, len(rows) - len(members))


def _funnel(dataset: Dataset, kept: int) -> list[dict[str, Any]]:
    """Return a version's own funnel, and what its review and later changes of the project have left of it."""
    before = list(dataset.card.get("funnel") or ())
    there = int(before[-1]["kept"]) if before else dataset.row_count
    return [*before, {"stage": "branch", "kept": kept, "dropped": there - kept}]


def _still_there(dataset: Dataset, rows: list[tuple[str, str]]) -> list[tuple[str, int, int]]:
    """Return the hash, the question and the trace of each row that the project still has unchanged."""
    hashes = [question for question, _trace in rows]
    found = Question.objects.filter(project=dataset.project, content_hash__in=hashes)
    questions = dict(found.values_list("content_hash", "pk"))
    written = Trace.objects.filter(question__in=questions.values()).order_by("-pk")
    traces = {
        (question, trace_hash): trace
        for question, trace_hash, trace in written.values_list("question_id", "content_hash", "pk")
    }
    return [
        (key, question, trace)
        for key, trace_hash in rows
        if (question := questions.get(key)) and (trace := traces.get((question, trace_hash)))
    ]
