"""Long work that asks a model about one item after the other."""

from typing import ClassVar

from django.db import models

from common.access import ProjectRow, Right
from common.jobs import Job


class Order(Job, ProjectRow):
    """Work that a model is paid for: how much was asked, what was kept, and what brought nothing."""

    edit_right: ClassVar[Right] = Right.SPEND

    asked = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # Of those stored, the answers that were received before and are not paid for again.
    remembered = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        abstract = True
