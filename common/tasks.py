"""How every task carries its job, and the one periodic task: none is forgotten because a message was lost."""

import logging
from collections.abc import Callable
from typing import Any

from celery import current_app, shared_task
from django.utils import timezone

from common.core.refusal import Refusal
from common.jobs import AlreadyClaimed, Job, kinds_of_job

logger = logging.getLogger(__name__)
RESEND_AFTER_SECONDS = 30


def carry(kind: type[Job], job_id: int, service: Callable[..., Any]) -> None:
    """Give a job to the service that carries it; what its row says already is no fault of the program."""
    try:
        service(job=kind._default_manager.get(pk=job_id))
    except AlreadyClaimed:
        logger.info("%s %s is claimed already", kind.__name__, job_id)
    except Refusal as refusal:
        logger.warning("%s %s failed: %s", kind.__name__, job_id, refusal)


@shared_task
def sweep_jobs() -> None:
    """Requeue the jobs that fell silent, and send again those that have waited too long."""
    now = timezone.now()
    for kind in kinds_of_job():
        for job_id in kind.requeue_silent(now=now):
            logger.warning("%s %s fell silent and waits again", kind.__name__, job_id)
            current_app.send_task(kind.task_name, kwargs={"job_id": job_id})
        for job_id in kind.renudge(now=now, seconds=RESEND_AFTER_SECONDS):
            current_app.send_task(kind.task_name, kwargs={"job_id": job_id})
