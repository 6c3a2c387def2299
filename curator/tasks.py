"""Celery's way in: load, call one service. A second delivery changes nothing."""

from celery import shared_task
from django.utils import timezone

from common.tasks import carry
from curator.models import (
    Classification,
    Collection,
    CopySearch,
    Grading,
    Import,
    Probe,
    Selection,
    TraceImport,
    Trial,
)
from curator.services import (
    classification,
    collecting,
    copies,
    grading,
    imports,
    selections,
    traces,
    trials,
    uploads,
    words,
)


@shared_task
def run_import(*, job_id: int) -> None:
    """Carry one import from queued to done."""
    carry(Import, job_id, imports.run_import)
    write_words.delay()


@shared_task
def run_trace_import(*, job_id: int) -> None:
    """Carry one import of traces from queued to done."""
    carry(TraceImport, job_id, traces.run_import)


@shared_task
def write_words() -> None:
    """Write the words of questions that have none yet, so that a search finds them by its index."""
    words.write_missing_words()


@shared_task
def forget_uploads() -> None:
    """Remove the files that nobody read in."""
    uploads.forget_old(now=timezone.now())


@shared_task
def run_collection(*, job_id: int) -> None:
    """Carry one order to a teacher from queued to done."""
    carry(Collection, job_id, collecting.run_collection)


@shared_task
def run_probe(*, job_id: int) -> None:
    """Carry one order to a solver from queued to done."""
    carry(Probe, job_id, collecting.run_probe)


@shared_task
def run_trial(*, job_id: int) -> None:
    """Carry one question that a model is tried with from queued to done."""
    carry(Trial, job_id, trials.run_trial)


@shared_task
def run_grading(*, job_id: int) -> None:
    """Carry one order to an assistant, to grade answers, from queued to done."""
    carry(Grading, job_id, grading.run_grading)


@shared_task
def run_selection(*, job_id: int) -> None:
    """Carry one selection from queued to done."""
    carry(Selection, job_id, selections.run_selection)


@shared_task
def run_classification(*, job_id: int) -> None:
    """Carry one sorting of questions into domains from queued to done."""
    carry(Classification, job_id, classification.run_classification)


@shared_task
def run_copy_search(*, job_id: int) -> None:
    """Carry one search for near copies from queued to done."""
    carry(CopySearch, job_id, copies.run_copy_search)
