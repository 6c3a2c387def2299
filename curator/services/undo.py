"""An import taken back: its questions, what its rows gave to others, its report."""

from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.jobs import ACTIVE
from curator.models import (
    Attempt,
    Classification,
    Collection,
    CopyRuling,
    CopySearch,
    Decision,
    DomainSource,
    Embedding,
    Grading,
    Import,
    Leak,
    Lookalike,
    NearCopy,
    Probe,
    Question,
    QuestionEdit,
    QuestionWords,
    RowReport,
    Selection,
    Standing,
    Trace,
)
from curator.services import repeats

# What an expert says of a question that no other table keeps.
_TOUCHED = (
    ~Q(copy_ruling=CopyRuling.OPEN) | ~Q(standing=Standing.OPEN) | Q(domain_source=DomainSource.EXPERT.value)
)
_WORK_OVER_QUESTIONS: tuple[Any, ...] = (
    Collection,
    Probe,
    Classification,
    CopySearch,
    Grading,
    Selection,
)


@transaction.atomic
def undo_import(*, job: Import) -> None:
    """Take back all that an import added.

    Raises:
        Refusal: it is being read, or something depends on what it added; the sentence says what.
    """
    if job.is_active:
        raise Refusal(_("%(file)s is being read; cancel that first.") % {"file": job.file_name})
    questions = Question.objects.filter(imported_by=job)
    if sentence := _what_depends(job, questions):
        raise Refusal(sentence % {"file": job.file_name})
    repeats.take_back(job=job)
    _delete(questions)
    if job.file_path:
        Path(job.file_path).unlink(missing_ok=True)
    job.delete()


def _what_depends(job: Import, questions: "QuerySet[Question]") -> str:
    """Return the sentence that refuses to undo an import, or nothing."""
    answered = _("Models have answered questions of %(file)s; it cannot be undone any more.")
    judged = _("Experts have worked on questions of %(file)s; it cannot be undone any more.")
    selected = _("A selection names questions of %(file)s; it cannot be undone any more.")
    repeated = _("Rows of a later file repeat questions of %(file)s; undo the import of that file first.")
    dependents: list[tuple[QuerySet[Any], str]] = [
        (Trace.objects.filter(question__in=questions), answered),
        (Attempt.objects.filter(question__in=questions), answered),
        (Decision.objects.filter(question__in=questions), selected),
        (QuestionEdit.objects.filter(question__in=questions), judged),
        (questions.filter(_TOUCHED), judged),
        (Leak.objects.filter(question__in=questions, overruled_at__isnull=False), judged),
        (RowReport.objects.filter(duplicate_of__in=questions).exclude(imported_by=job), repeated),
    ]
    for rows, sentence in dependents:
        if rows.exists():
            return sentence
    return _what_runs(job)


def _what_runs(job: Import) -> str:
    for kind in _WORK_OVER_QUESTIONS:
        if kind.objects.filter(project=job.pool.project_id, state__in=ACTIVE).exists():
            return _("Work on this project's questions is going on; wait for its end, then undo %(file)s.")
    return ""


def _delete(questions: "QuerySet[Question]") -> None:
    """Delete questions on which nothing of worth depends, without loading them."""
    _raw_delete(QuestionWords.objects.filter(question__in=questions))
    _raw_delete(Embedding.objects.filter(question__in=questions))
    _raw_delete(Leak.objects.filter(question__in=questions))
    _raw_delete(Lookalike.objects.filter(Q(question__in=questions) | Q(other__in=questions)))
    _raw_delete(NearCopy.objects.filter(Q(question__in=questions) | Q(keeper__in=questions)))
    RowReport.objects.filter(duplicate_of__in=questions).update(duplicate_of=None)
    _raw_delete(questions)


def _raw_delete(rows: "QuerySet[Any]") -> None:
    rows._raw_delete(rows.db)
