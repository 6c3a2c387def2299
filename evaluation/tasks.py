"""Celery's way in: load, call one service. A second delivery changes nothing."""

from celery import shared_task

from common.tasks import carry
from evaluation import services
from evaluation.models import Evaluation


@shared_task
def run_evaluation(*, job_id: int) -> None:
    """Carry one evaluation from queued to done."""
    carry(Evaluation, job_id, services.run_evaluation)
