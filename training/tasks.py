"""Celery's way in: load, call one service. A second delivery changes nothing."""

from celery import shared_task

from common.tasks import carry
from training import services
from training.models import Run


@shared_task
def run_training(*, job_id: int) -> None:
    """Carry one run from queued to done."""
    carry(Run, job_id, services.run_training)
