"""Celery's way in: load, call one service. A second delivery changes nothing."""

import logging

from celery import shared_task

from common.jobs import AlreadyClaimed
from training import services
from training.models import Run

logger = logging.getLogger(__name__)


@shared_task
def run_training(*, job_id: int) -> None:
    """Carry one run from queued to done."""
    try:
        services.run_training(job=Run.objects.get(pk=job_id))
    except AlreadyClaimed:
        logger.info("Run %s is claimed already", job_id)
