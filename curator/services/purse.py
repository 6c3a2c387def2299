"""What an order may spend: set aside in the database before a call, and settled after it.

Money is set aside under a lock on the project's row, with the sums of all its work in view, so that orders
that run beside each other cannot pass a limit together. A pocketful is taken at a time, so that a call costs no
query: the job's `reserved_usd` is the pocket and what is in flight, at its dearest.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from common.core.refusal import Refusal
from common.jobs import Job
from common.models import Project
from common.queries import get_committed_usd, get_spent_usd
from curator.models import Endpoint


class LimitReached(Refusal):
    """The money limit of an order, of a model or of the project is used up."""


class _Limit(NamedTuple):
    """One of the limits over an order: its sum, what is committed under it, and the sentence that ends the order."""

    usd: Decimal
    committed_usd: Decimal  # spent or set aside
    sentence: str

    @property
    def left_usd(self) -> Decimal:
        return self.usd - self.committed_usd


class Purse:
    """The money of one running order."""

    def __init__(self, job: Any, endpoint: Endpoint) -> None:
        self.job, self.endpoint = job, endpoint
        self.pocket_usd = Decimal(0)
        self.in_flight_usd = Decimal(0)
        type(job)._default_manager.filter(pk=job.pk).update(reserved_usd=0)  # of an earlier worker

    def take(self, usd: Decimal) -> bool:
        """Set the dearest price of a request aside; False where that has to wait for others to settle.

        Raises:
            LimitReached: a limit has no room for it, whatever is settled.
        """
        if usd > self.pocket_usd:
            self._fill_pocket(usd)
        if usd > self.pocket_usd:
            return False
        self.pocket_usd -= usd
        self.in_flight_usd += usd
        return True

    def settle(self, dearest_usd: Decimal, price_usd: Decimal) -> None:
        """Put back what a request did not cost; the database has taken `price_usd` from what was set aside."""
        self.in_flight_usd -= dearest_usd
        # An endpoint that counts more tokens than it was sent is dearer than the dearest.
        self.pocket_usd = max(Decimal(0), self.pocket_usd + dearest_usd - price_usd)

    def _fill_pocket(self, usd: Decimal) -> None:
        with transaction.atomic():
            Project.objects.select_for_update(no_key=True).get(pk=self.job.project_id)
            limits = self._limits()
            tightest = min(limits, key=lambda limit: limit.left_usd)
            wanted = usd * self.endpoint.max_in_flight - self.pocket_usd
            given = max(Decimal(0), min(wanted, tightest.left_usd))
            rows = type(self.job)._default_manager.filter(pk=self.job.pk)
            # What it is, and not how much more: to do it again after the connection broke changes nothing.
            rows.update(reserved_usd=self.pocket_usd + self.in_flight_usd + given)
        lacking_usd, self.pocket_usd = usd - self.pocket_usd, self.pocket_usd + given
        if usd <= self.pocket_usd or self.in_flight_usd:
            return
        mine_usd = rows.values_list("reserved_usd", flat=True).get()
        others_usd = get_reserved_usd(self.job.project) - mine_usd
        for limit in limits:  # where others have set nothing aside, nobody's settling can make room
            if limit.left_usd + others_usd < lacking_usd:
                raise LimitReached(limit.sentence)

    def _limits(self) -> list[_Limit]:
        job, endpoint = self.job, self.endpoint
        project = Project.objects.get(pk=job.project_id)
        row = type(job)._default_manager.values("max_cost_usd", "cost_usd", "reserved_usd").get(pk=job.pk)
        limits = [
            _Limit(
                project.money_limit_usd,
                get_committed_usd(project),
                _("The project's money limit is used up; its owner can raise it in the settings."),
            )
        ]
        limit = type(endpoint)._default_manager.values_list("money_limit_usd", flat=True).get(pk=endpoint.pk)
        if limit is not None:
            sentence = _("The money limit of %(name)s is used up; raise it on its page.")
            limits.append(_Limit(limit, committed_to(endpoint), sentence % {"name": endpoint.name}))
        if row["max_cost_usd"] is not None:
            sentence = _("The order's limit of %(usd)s USD is used up; start another.")
            committed = row["cost_usd"] + row["reserved_usd"]
            limits.append(
                _Limit(row["max_cost_usd"], committed, sentence % {"usd": f"{row['max_cost_usd']:.2f}"})
            )
        return limits


def committed_to(endpoint: Endpoint) -> Decimal:
    """Return what all orders to an endpoint have spent or set aside."""
    kinds = [
        relation for relation in endpoint._meta.related_objects if issubclass(relation.related_model, Job)
    ]
    sums = Decimal(0)
    for relation in kinds:
        rows = relation.related_model._default_manager.filter(**{relation.field.name: endpoint})
        sums += rows.aggregate(usd=Sum(F("cost_usd") + F("reserved_usd")))["usd"] or 0
    return sums


def get_reserved_usd(project: Project) -> Decimal:
    """Return what the project's running work has set aside."""
    return get_committed_usd(project) - get_spent_usd(project)
