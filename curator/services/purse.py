"""What an order may spend: set aside in the database before a call, and settled after it.

Money is set aside under a lock on the project's row, with the sums of all its work in view, so that orders
that run beside each other cannot pass a limit together. A pocketful is taken at a time, so that a call costs no
query: the job's `reserved_usd` is the pocket and what is in flight, at its dearest.
"""

from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, Sum
from django.utils.translation import gettext as _

from common.core.money import tokens_usd
from common.core.refusal import Refusal
from common.endpoints import Prompt
from common.jobs import Job
from common.models import Project
from common.queries import get_committed_usd, get_spent_usd
from curator.models import Endpoint

_CENT, _FINE = Decimal("0.01"), Decimal("0.0001")


class LimitReached(Refusal):
    """The money limit of an order, of a model or of the project has no room for another answer."""


class Limit(NamedTuple):
    """One of the limits over an order: its sum, what has gone of it, and the sentence that ends the order."""

    usd: Decimal
    gone_usd: Decimal
    words: str
    name: str = ""

    @property
    def left_usd(self) -> Decimal:
        """Return what is left; below 0 where the limit was lowered since."""
        return self.usd - self.gone_usd

    def reached(self, dearest_usd: Decimal, left_usd: Decimal | None = None) -> LimitReached:
        """Return what ends an order whose next answer might cost more than is left."""
        left = max(Decimal(0), self.left_usd if left_usd is None else left_usd)
        return LimitReached(
            self.words
            % {
                "limit": f"{self.usd:.2f}",
                "name": self.name,
                "dearest": _dollars(dearest_usd, ROUND_UP),
                "left": _dollars(left, ROUND_DOWN),
            }
        )


def _dollars(usd: Decimal, rounding: str) -> str:
    """Write a sum with four places where cents are too coarse for it."""
    fine = usd.quantize(_FINE, rounding)
    return f"${fine:,.2f}" if fine == fine.quantize(_CENT, ROUND_DOWN) else f"${fine:,.4f}"


def dearest_usd(endpoint: Endpoint, prompt: Prompt) -> Decimal:
    """Return what the answer to a prompt costs at most."""
    return tokens_usd(
        tokens_in=prompt.size_bytes,
        tokens_out=endpoint.max_tokens,
        price_in_usd=endpoint.price_in_usd,
        price_out_usd=endpoint.price_out_usd,
    )


def tightest_limit(endpoint: Any, max_cost_usd: Decimal | None) -> Limit:
    """Return of the limits over a new order the one that leaves it least; what others set aside may come back."""
    limits = _limits_over(
        endpoint, Project.objects.get(pk=endpoint.project_id), max_cost_usd, Decimal(0), with_reserved=False
    )
    return min(limits, key=lambda limit: limit.left_usd)


def refuse_without_room(*, endpoint: Endpoint, prompt: Prompt | None, max_cost_usd: Decimal | None) -> None:
    """Refuse an order of which not even the first prompt could be paid for; None: there is nothing to ask.

    Raises:
        LimitReached: which limit it is, and where it can be raised.
    """
    usd = dearest_usd(endpoint, prompt) if prompt else Decimal(0)
    refuse_without_room_for(endpoint=endpoint, usd=usd, max_cost_usd=max_cost_usd)


def refuse_without_room_for(*, endpoint: Endpoint, usd: Decimal, max_cost_usd: Decimal | None) -> None:
    """Refuse an order that cannot pay for the first that it asks, which may cost `usd`.

    Raises:
        LimitReached: as `refuse_without_room`.
    """
    limit = tightest_limit(endpoint, max_cost_usd)
    if usd and usd > limit.left_usd:
        raise limit.reached(usd)


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
            # Too little for one call: what would lie idle here may do for another's.
            if self.pocket_usd + given < usd:
                given = Decimal(0) if self.in_flight_usd else -self.pocket_usd
            rows = type(self.job)._default_manager.filter(pk=self.job.pk)
            # What it is, and not how much more: to do it again after the connection broke changes nothing.
            rows.update(reserved_usd=self.pocket_usd + self.in_flight_usd + given)
        before_usd, self.pocket_usd = self.pocket_usd, self.pocket_usd + given
        if usd <= self.pocket_usd or self.in_flight_usd:
            return
        mine_usd = rows.values_list("reserved_usd", flat=True).get()
        others_usd = get_reserved_usd(self.job.project) - mine_usd
        for limit in limits:  # where others have set nothing aside, nobody's settling can make room
            left_usd = before_usd + limit.left_usd
            if left_usd + others_usd < usd:
                raise limit.reached(usd, left_usd)

    def _limits(self) -> list[Limit]:
        job, endpoint = self.job, self.endpoint
        row = type(job)._default_manager.values("max_cost_usd", "cost_usd", "reserved_usd").get(pk=job.pk)
        project = Project.objects.get(pk=job.project_id)
        gone = row["cost_usd"] + row["reserved_usd"]
        return _limits_over(endpoint, project, row["max_cost_usd"], gone, with_reserved=True)


def _limits_over(
    endpoint: Any, project: Project, max_cost_usd: Decimal | None, gone_usd: Decimal, *, with_reserved: bool
) -> list[Limit]:
    """Return the limits over an order to an endpoint, of which `gone_usd` is gone already."""
    limits = [
        Limit(
            project.money_limit_usd,
            get_committed_usd(project) if with_reserved else get_spent_usd(project),
            _(
                "The project's money limit of %(limit)s USD does not allow another answer: the next might cost "
                "%(dearest)s, %(left)s is left; its owner can raise it in the settings."
            ),
        )
    ]
    own_limit = type(endpoint)._default_manager.values_list("money_limit_usd", flat=True).get(pk=endpoint.pk)
    if own_limit is not None:
        words = _(
            "The money limit of %(name)s, %(limit)s USD, does not allow another answer: the next might cost "
            "%(dearest)s, %(left)s is left; raise it on its page."
        )
        gone = committed_to(endpoint) if with_reserved else spent_on(endpoint)
        limits.append(Limit(own_limit, gone, words, endpoint.name))
    if max_cost_usd is not None:
        words = _(
            "The order's limit of %(limit)s USD does not allow another answer: the next might cost %(dearest)s, "
            "%(left)s is left; raise it to go on."
        )
        limits.append(Limit(max_cost_usd, gone_usd, words))
    return limits


def committed_to(endpoint: Endpoint) -> Decimal:
    """Return what all orders to an endpoint have spent or set aside."""
    return _summed(endpoint, F("cost_usd") + F("reserved_usd"))


def spent_on(endpoint: Endpoint) -> Decimal:
    """Return what all orders to an endpoint have spent."""
    return _summed(endpoint, F("cost_usd"))


def _summed(endpoint: Endpoint, usd: Any) -> Decimal:
    relations: list[Any] = endpoint._meta.get_fields(include_hidden=True)  # a sorting's has no name
    kinds = [each for each in relations if each.one_to_many and issubclass(each.related_model, Job)]
    sums = Decimal(0)
    for relation in kinds:
        rows = relation.related_model._default_manager.filter(**{relation.field.name: endpoint})
        sums += rows.aggregate(usd=Sum(usd))["usd"] or 0
    return sums


def get_reserved_usd(project: Project) -> Decimal:
    """Return what the project's running work has set aside."""
    return get_committed_usd(project) - get_spent_usd(project)
