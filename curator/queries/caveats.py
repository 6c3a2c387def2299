"""What a selection's funnel does not say of itself: a criterion that had nothing to judge by has left nothing out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from common.jobs import JobState
from common.models import Project
from common.queries import get_kept
from curator.core.method import method_from
from curator.models import Attempt, Benchmark, CopySearch, Decision, Question, Selection, Standing

KEPT_SECONDS = 3600


def get_caveats(project: Project, given: Mapping[str, Any], *, at: datetime | None = None) -> list[str]:
    """Return, in sentences, which criteria of a method had nothing to judge by, now or at a moment before.

    `at` is when a selection was made; what has come since is not counted.
    """
    method = method_from(given, own_patterns=_own(project))
    until = {"created_at__lte": at} if at else {}
    said = [_copies(project, until) if method.drop_copies else ""]
    if not Benchmark.objects.filter(project=project, **until).exists():
        said.append(
            _(
                "The project has no benchmark, so no question was held against one; upload the exam before you select."
            )
        )
    if method.difficulty and "passes" in method.difficulty_by:
        tried = Attempt.objects.filter(question__project=project, **until)
        if not tried.exists():
            said.append(
                _("No solver has tried a question, so none was left out as too easy; let one try them first.")
            )
    if method.draw == "blueprint" and not (any(method.weights.values()) or _has_weights(project)):
        said.append(_("No domain has a weight, so the draw is even; give the taxonomy weights."))
    if method.name == "s1-notebook" and not method.first:
        said.append(
            _(
                "No source is taken first, as s1 did with its best ones; name them in the method's field first."
            )
        )
    return [sentence for sentence in said if sentence]


def get_selection_caveats(selection: Selection) -> list[str]:
    """Return what the funnel of a selection that was made does not say; it is looked up once an hour."""
    key = f"caveats-{selection.pk}-{get_language()}"
    return get_kept(key, KEPT_SECONDS, lambda: _of_selection(selection))


def _of_selection(selection: Selection) -> list[str]:
    said = get_caveats(selection.project, selection.method, at=selection.created_at)
    out = Decision.objects.filter(
        selection=selection, position__isnull=True, question__standing=Standing.PINNED
    ).count()
    return [*said, *([pinned_out(out)] if out else [])]


def pinned_out(count: int) -> str:
    """Return the sentence about pinned questions that a criterion without exception has left out."""
    return ngettext(
        "%(count)s pinned question is out all the same: a pin does not bring in what stands in a benchmark or has no trace.",
        "%(count)s pinned questions are out all the same: a pin does not bring in what stands in a benchmark or has no trace.",
        count,
    ) % {"count": count}


def _has_weights(project: Project) -> bool:
    return bool(project.domains.filter(weight__gt=0).exists())


def _own(project: Project) -> tuple[str, ...]:
    return tuple(project.quality_patterns.values_list("name", flat=True))


def _copies(project: Project, until: Mapping[str, Any]) -> str:
    searches = CopySearch.objects.filter(project=project, state=JobState.SUCCEEDED, **until)
    last = searches.aggregate(last=Max("started_at"))["last"]
    if last is None:
        return _("Near copies were never searched for, so none was left out; search for them first.")
    newer = Question.objects.filter(project=project, created_at__gt=last, **until).count()
    if not newer:
        return ""
    return ngettext(
        "%(count)s question has come since near copies were last searched for; search again.",
        "%(count)s questions have come since near copies were last searched for; search again.",
        newer,
    ) % {"count": newer}
