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
    def counts_each(self) -> bool:
        """Tell whether `stored` and `failed` count each thing that is done, whoever took the order up."""
        return True

    @property
    def raises_limit(self) -> bool:
        """Tell whether its limit can be raised, for it to go on."""
        return self.can_pause and self.max_cost_usd is not None

    @property
    def shown_done(self) -> int:
        """Return how much is done by all who took the order up."""
        return self.stored + self.failed if self.counts_each else self.progress_done

    @property
    def shown_total(self) -> int:
        """Return what is done and what is left; 0 while that is not known."""
        if not self.counts_each or not self.progress_total:
            return self.progress_total
        return self.shown_done + max(0, self.progress_total - self.progress_done)

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

    @property
    def allowed_usd(self) -> Decimal | None:
        """Return what the order's limit still allows where the rest will cost more; None where it suffices."""
        to_come = self.to_come_usd
        if to_come is None or self.max_cost_usd is None or self.cost_usd + to_come <= self.max_cost_usd:
            return None
        return max(Decimal(0), self.max_cost_usd - self.cost_usd)
