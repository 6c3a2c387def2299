"""Celery's way in: load, call one service. A second delivery changes nothing."""

import logging

from celery import shared_task

from common.jobs import AlreadyClaimed
from evaluation import services
from evaluation.models import Evaluation

logger = logging.getLogger(__name__)


@shared_task
def run_evaluation(*, job_id: int) -> None:
    """Carry one evaluation from queued to done."""
    try:
        services.run_evaluation(job=Evaluation.objects.get(pk=job_id))
    except AlreadyClaimed:
        logger.info("Evaluation %s is claimed already", job_id)
