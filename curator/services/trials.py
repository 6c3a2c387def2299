"""Try a model with one question: what it would cost at most, and what came back."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common.core.money import CENT
from common.core.refusal import Refusal
from common.endpoints import Address, EndpointFailed, Line, Prompt, Reply, client
from common.jobs import BEAT_SECONDS, Pulse, Watch, carried, unwatched
from common.models import Project, User
from common.queries import get_committed_usd
from curator.models import Endpoint, Trial
from curator.services import purse
from curator.services.asking import address_of, remember_refused

LONGEST_QUESTION = 20_000  # characters
LONGEST_RAW = 200_000  # characters that are kept of a reply
_MILLIONTH = Decimal("0.000001")


def dearest_usd(endpoint: Endpoint, question: str) -> Decimal:
    """Return what one question can cost at most, in whole cents."""
    return purse.dearest_usd(endpoint, Prompt(question)).quantize(CENT, rounding=ROUND_UP)


def start_trial(*, endpoint: Endpoint, question: str, agreed_usd: Decimal, by: User | None) -> Trial:
    """Queue one question to a teacher, a solver or an assistant.

    Raises:
        Refusal: there is no question, the model has no address, or the question could cost more than was
            agreed to, or than the project or the model has left.
    """
    asked = question.strip()
    if not asked or len(asked) > LONGEST_QUESTION:
        raise Refusal(
            _("Enter a question of at most %(limit)s characters; this one has %(count)s.")
            % {"limit": LONGEST_QUESTION, "count": len(asked)}
        )
    address_of(endpoint)
    dearest = dearest_usd(endpoint, asked)
    if dearest > agreed_usd:
        raise Refusal(
            _(
                "This question can cost up to %(usd)s USD, more than the %(agreed)s USD shown; look at it again."
            )
            % {"usd": dearest, "agreed": agreed_usd}
        )
    kept: Any = endpoint
    with transaction.atomic():
        _refuse_without_money(endpoint, dearest)
        trial: Trial = Trial.objects.create(
            project_id=kept.project_id,
            name=endpoint.name,
            model=endpoint.model,
            question=asked,
            max_cost_usd=dearest,
            progress_total=1,
            created_by=by,
            **{endpoint._meta.model_name or "": endpoint},
        )
    return trial


def _refuse_without_money(endpoint: Any, usd: Decimal) -> None:
    """Refuse what there is no money for; the project's row is locked, so that other work sees what is set aside.

    Part of a caller's transaction.

    Raises:
        purse.LimitReached: it could pass the project's limit or the model's own.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=endpoint.project_id)
    if usd > (left := project.money_limit_usd - get_committed_usd(project)):
        raise purse.LimitReached(
            _(
                "One question can cost up to %(usd)s USD, and %(left)s USD of the project's money is left; "
                "its owner can raise the limit in the settings."
            )
            % {"usd": usd, "left": max(Decimal(0), left).quantize(CENT, ROUND_DOWN)}
        )
    limit = endpoint.money_limit_usd
    if limit is not None and usd > (left := limit - purse.committed_to(endpoint)):
        raise purse.LimitReached(
            _(
                "One question can cost up to %(usd)s USD, and %(left)s USD is left of the money limit of "
                "%(name)s; raise it on its page."
            )
            % {
                "usd": usd,
                "left": max(Decimal(0), left).quantize(CENT, ROUND_DOWN),
                "name": endpoint.name,
            }
        )


def run_trial(*, job: Trial, watch: Watch = unwatched) -> None:
    """Ask the question once, and keep what came back, be it an answer or none.

    Raises:
        AlreadyClaimed: another worker has the trial.
        Refusal: the model was removed, changed to cost more, or there is no money left.
        EndpointFailed: the endpoint gave no usable reply; what it sent is kept.
    """
    with carried(job):
        endpoint = job.endpoint
        if endpoint is None:
            raise Refusal(_("%(name)s was removed before it was asked.") % {"name": job.name})
        dearest = dearest_usd(endpoint, job.question)
        if job.max_cost_usd is None or job.cost_usd + dearest > job.max_cost_usd:
            raise Refusal(
                _("%(name)s can cost more now than you agreed to; try it anew.") % {"name": job.name}
            )
        address = replace(address_of(endpoint), refused=frozenset())  # it may take more by now
        with transaction.atomic():
            _refuse_without_money(endpoint, dearest)
            _update(job, reserved_usd=dearest)
        try:
            with client(address) as line:
                _ask(job, endpoint, address, line, Pulse(job, watch))
                remember_refused(endpoint, line)
        finally:
            _update(job, reserved_usd=Decimal(0))


def _ask(job: Trial, endpoint: Endpoint, address: Address, line: Line, pulse: Pulse) -> None:
    line.overheard = []
    asked = line.submit(Prompt(job.question))
    try:
        reply = _waited_for(asked, pulse)
    except EndpointFailed as failure:
        _keep(job, endpoint, address, raw=line.overheard, reply=failure.billed, failed=1)
        raise
    finally:
        asked.cancel()
    _keep(job, endpoint, address, raw=line.overheard, reply=reply, stored=1)
    pulse(1, 1)


def _waited_for(asked: "Future[Reply]", pulse: Pulse) -> Reply:
    """Return the reply when it is there, beating meanwhile."""
    while True:
        try:
            return asked.result(timeout=BEAT_SECONDS)
        except NotYet:
            if asked.done():
                raise
            pulse(0, 1)


def _keep(
    job: Trial,
    endpoint: Endpoint,
    address: Address,
    *,
    raw: list[bytes],
    reply: Reply | None,
    **counts: int,
) -> None:
    """Write what came back and what it cost in one go."""
    fields: dict[str, Any] = {"raw": _shown(b"".join(raw).decode(errors="replace"), address)[:LONGEST_RAW]}
    if reply is not None:
        price = reply.cost(price_in_usd=endpoint.price_in_usd, price_out_usd=endpoint.price_out_usd)
        fields |= _read(reply, address) | {"cost_usd": F("cost_usd") + price.quantize(_MILLIONTH)}
    _update(job, asked=1, reserved_usd=Decimal(0), **fields, **counts)
    job.refresh_from_db(fields=["cost_usd"])


def _read(reply: Reply, address: Address) -> dict[str, Any]:
    return {
        "thinking": _shown(reply.thinking, address),
        "answer": _shown(reply.answer, address),
        "is_summary": reply.is_summary,
        "tokens_in": reply.tokens_in,
        "thinking_tokens": reply.thinking_tokens,
        "answer_tokens": reply.answer_tokens,
        "tokens_counted_by": reply.tokens_counted_by,
        "finish_reason": reply.finish_reason[:40],
    }


def _shown(text: str, address: Address) -> str:
    """Return a text as it may be kept and shown: an endpoint that sends the key back does not get it shown."""
    clean = text.replace("\x00", "\ufffd")
    return clean.replace(address.key, "…") if address.key else clean


def _update(job: Trial, **fields: Any) -> None:
    Trial.objects.filter(pk=job.pk).update(**fields)
