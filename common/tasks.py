"""The one periodic task: no job is forgotten because a message or a worker was lost."""

import logging

from celery import current_app, shared_task
from django.utils import timezone

from common.jobs import kinds_of_job

logger = logging.getLogger(__name__)
RESEND_AFTER_SECONDS = 30


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
