"""What went wrong between an endpoint and us, and what that asks for: retry, give up, pause or stop for money."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from common.core.refusal import Refusal

if TYPE_CHECKING:
    from common.endpoints.replies import Reply

LONGEST_QUOTE = 200  # characters of what an endpoint said, as a failure repeats them
LONGEST_WAIT_SECONDS = 900.0  # that an endpoint may ask for at once
FIRST_WAIT_SECONDS = 1.0  # the back-off without word from the endpoint: doubled with each failure,
MOST_BACK_OFF_SECONDS = 60.0  # up to this

Result = TypeVar("Result")


class Fault(StrEnum):
    """What a failure asks for."""

    RETRY = "retry"  # it may go well the next time
    GIVE_UP = "give_up"  # this question cannot be answered; others can
    PAUSE = "pause"  # the key, the model or the address is wrong: no question can be answered
    MONEY = "money"  # the account with the provider is empty


class EndpointFailed(Refusal):
    """An endpoint gave no usable reply; the message says which endpoint and what it said.

    `retry_after_seconds` is how long the endpoint asked to be left alone, `was_cut` tells whether text had
    been received before it failed, and `billed` is what the endpoint has counted for it all the same: what it
    says itself, or of a reply that broke off what had come of it.
    """

    def __init__(
        self,
        message: str = "",
        *,
        fault: Fault = Fault.RETRY,
        retry_after_seconds: float | None = None,
        was_cut: bool = False,
        billed: "Reply | None" = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.retry_after_seconds = retry_after_seconds
        self.was_cut = was_cut
        self.billed = billed
        self.status = status

    @property
    def is_busy(self) -> bool:
        """Tell whether the endpoint only had too much to do: the question is none the worse for it."""
        return self.fault is Fault.RETRY and self.status in _BUSY_STATUSES


_BUSY_STATUSES = {429, 503, 529}  # too many requests, unavailable, and Anthropic's and MiniMax's overloaded

# Words by which providers say it, in codes and sentences; lower case. Source: the error pages of OpenAI,
# DeepSeek, Moonshot, MiniMax, DashScope, Zhipu, SiliconFlow, OpenRouter and Google.
_MONEY = (
    "insufficient_quota",
    "insufficient balance",
    "insufficient_balance",
    "insufficient credit",
    "insufficient funds",
    "balance is insufficient",
    "balance not enough",
    "not enough balance",
    "not enough credit",
    "credit balance is too low",
    "exceeded_current_quota",
    "billing_hard_limit",
    "billing_not_active",
    "arrearage",
    "payment required",
    "余额不足",
    "账户欠费",
    "账户已欠费",
)
_WRONG_KEY_OR_MODEL = (
    "api key not valid",
    "api_key_invalid",
    "invalid_api_key",
    "invalid api key",
    "incorrect api key",
    "invalidapikey",
    "model_not_found",
    "model not found",
    "model not exist",
    "model does not exist",
    "model_not_exist",
)
_REFUSED_TEXT = (
    "content_filter",
    "content_policy",
    "data_inspection_failed",
    "datainspectionfailed",
    "moderation",
    "flagged",
    "sensitive",
    "context_length_exceeded",
    "maximum context length",
)
_RETRY_STATUSES = {408, 409, 425, 429}
_PAUSE_STATUSES = {401, 403, 404, 405, 407, 410}


def judge(status: int, said: str) -> Fault:
    """Return what an error asks for, by its HTTP status and by what the endpoint said.

    Words go before the status where providers use it loosely: an empty account comes as 402, 403 or 429,
    a wrong key as 400, a text that a filter refused as 403.
    """
    words = said[:4000].lower()
    if status == 402 or _any(_MONEY, words):
        return Fault.MONEY
    if status in _RETRY_STATUSES or status >= 500 or status < 300:
        return Fault.RETRY
    if status < 400:
        return Fault.PAUSE  # a redirect: the address is another
    if status in {400, 403, 422} and _any(_REFUSED_TEXT, words):
        return Fault.GIVE_UP
    if status in _PAUSE_STATUSES or _any(_WRONG_KEY_OR_MODEL, words):
        return Fault.PAUSE
    return Fault.GIVE_UP


def _any(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how long to leave an endpoint alone, as the headers of its reply ask, at most a quarter of an hour."""
    asked = asked_wait_seconds(headers, now)
    return None if asked is None else min(asked, LONGEST_WAIT_SECONDS)


def asked_wait_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how long an endpoint asks to be left alone, from the headers of its reply, or None."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return max(0.0, seconds)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if found == found else None  # no NaN


def back_off_seconds(failures: int, retry_after: float | None, rng: random.Random) -> float:
    """Return how long to wait after so many failures in a row; each caller another time, none too early.

    What the endpoint asked for is waited for whole, and up to a quarter longer.
    """
    if retry_after is not None:
        return retry_after * (1 + rng.random() / 4)
    longest = min(MOST_BACK_OFF_SECONDS, FIRST_WAIT_SECONDS * (1 << min(failures - 1, 16)))
    return longest * (1 + rng.random()) / 2


def with_retries(
    call: Callable[[], Result],
    tries: int = 4,
    *,
    sleep: Callable[[float], None] = time.sleep,
    rng: random.Random | None = None,
) -> Result:
    """Return what a call to an endpoint returns, tried again where its failure says that it may go well.

    Raises:
        EndpointFailed: the last failure, or the first that another try would not mend.
    """
    rng = rng or random.Random()
    for failures in range(1, tries):
        try:
            return call()
        except EndpointFailed as failure:
            if failure.fault is not Fault.RETRY:
                raise
            sleep(back_off_seconds(failures, failure.retry_after_seconds, rng))
    return call()
