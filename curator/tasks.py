"""Celery's way in: load, call one service. A second delivery changes nothing."""

import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task

from common.jobs import AlreadyClaimed, Job
from curator.models import Collection, Import, Probe, Selection
from curator.services import pools, selections, teachers

logger = logging.getLogger(__name__)


def _carry(kind: type[Job], job_id: int, service: Callable[..., Any]) -> None:
    try:
        service(job=kind._default_manager.get(pk=job_id))
    except AlreadyClaimed:
        logger.info("%s %s is claimed already", kind.__name__, job_id)


@shared_task
def run_import(*, job_id: int) -> None:
    """Carry one import from queued to done."""
    _carry(Import, job_id, pools.run_import)


@shared_task
def run_collection(*, job_id: int) -> None:
    """Carry one order to a teacher from queued to done."""
    _carry(Collection, job_id, teachers.run_collection)


@shared_task
def run_probe(*, job_id: int) -> None:
    """Carry one order to a solver from queued to done."""
    _carry(Probe, job_id, teachers.run_probe)


@shared_task
def run_selection(*, job_id: int) -> None:
    """Carry one selection from queued to done."""
    _carry(Selection, job_id, selections.run_selection)
