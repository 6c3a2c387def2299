"""Long work that asks a model about one item after the other."""

from decimal import Decimal
from typing import ClassVar

from django.db import models

from common.access import ProjectRow, Right
from common.jobs import Job


class Order(Job, ProjectRow):
    """Work that a model is paid for: how much was asked, what was kept, and what brought nothing."""

    edit_right: ClassVar[Right] = Right.SPEND
    can_pause: ClassVar[bool] = True

    asked = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # Of those stored, the answers that were received before and are not paid for again.
    remembered = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        abstract = True

    @property
    def to_come_usd(self) -> Decimal | None:
        """Return what the rest will cost by the mean of what was paid for; None while nothing was.

        Both the cost and the counts are those of all who took the order up, and the progress is the last one's own.
        """
        paid = self.asked - self.remembered
        if not self.cost_usd or paid <= 0:
            return None
        left = max(0, self.progress_total - self.progress_done)
        return self.cost_usd / paid * left
