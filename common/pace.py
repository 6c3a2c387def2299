"""How fast an endpoint is asked, by all workers together: in flight, requests a minute, tokens a minute.

The counts lie in Redis and go by its clock. What a dead worker held is given back when its lease ends. A Redis
that was emptied knows no past: each worker tells it its own of the last minute before it is let go on.
"""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4

from common.shared_store import shared_store

# A request is counted when it is let go and arrives a little later; two of them never arrive in the same minute
# when one was let go this much more than a minute after the other.
WINDOW_SECONDS = 61.0
LEASE_SECONDS = 30.0
SILENT_SECONDS = 3.0  # a worker renews its tickets every second
SOONEST_SECONDS = 0.01
_TELL_ME = -1  # what Redis says to a worker whose past it does not know

# KEYS: in flight, requests, tokens, weights, total, workers. Every member's score is when it stops to count.
# ARGV begins with the window and the lease, in milliseconds.
_BEGIN = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local window, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
for _, ticket in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
  redis.call('DECRBY', KEYS[5], redis.call('HGET', KEYS[4], ticket) or 0)
  redis.call('HDEL', KEYS[4], ticket)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
"""
# ARGV[3] and [4]: the worker, and whether it has a past to tell. [5] to [8]: most in flight, requests, tokens (0: no limit), how
# many tickets are given back; then these, and those that are asked for, each with its weight. Returns how many of
# the latter are let go, and in how many milliseconds to ask again for the next; -1 where it must be told the past first.
_EXCHANGE = (
    _BEGIN
    + """
if ARGV[4] == '1' and redis.call('SISMEMBER', KEYS[6], ARGV[3]) == 0 then return {-1, 0} end
redis.call('SADD', KEYS[6], ARGV[3])
local most, requests, tokens = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local function leave(ticket, weight)
  redis.call('ZREM', KEYS[1], ticket)
  local was = redis.call('HGET', KEYS[4], ticket)
  if was then
    redis.call('INCRBY', KEYS[5], weight - tonumber(was))
    redis.call('HSET', KEYS[4], ticket, weight)
    redis.call('ZADD', KEYS[3], now + window, ticket)
  end
end
local function first(key)
  local found = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return found[2] and math.max(1, tonumber(found[2]) - now) or window
end
local function wait_for(weight)
  if redis.call('ZCARD', KEYS[1]) >= most then return math.min(first(KEYS[1]), 50) end
  if requests > 0 and redis.call('ZCARD', KEYS[2]) >= requests then return first(KEYS[2]) end
  local total = tonumber(redis.call('GET', KEYS[5]) or '0')
  if tokens > 0 and total + weight > tokens then return math.min(first(KEYS[3]), 250) end
  return 0
end
local function enter(ticket, weight)
  redis.call('ZADD', KEYS[1], now + lease, ticket)
  if requests > 0 then redis.call('ZADD', KEYS[2], now + window, ticket) end
  if tokens > 0 then
    redis.call('ZADD', KEYS[3], now + lease + window, ticket)
    redis.call('HSET', KEYS[4], ticket, weight)
    redis.call('INCRBY', KEYS[5], weight)
  end
end
local fresh = 9 + 2 * tonumber(ARGV[8])
for place = 9, fresh - 1, 2 do leave(ARGV[place], tonumber(ARGV[place + 1])) end
local entered, wait = 0, 0
for place = fresh, #ARGV, 2 do
  local weight = tonumber(ARGV[place + 1])
  if tokens > 0 then weight = math.min(weight, tokens) end
  wait = wait_for(weight)
  if wait > 0 then break end
  enter(ARGV[place], weight)
  entered = entered + 1
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 3600000) end
return {entered, wait}
"""
)
# ARGV[3] on: tickets. One that Redis has forgotten is in flight all the same.
_RENEW = (
    _BEGIN
    + """
for place = 3, #ARGV do
  redis.call('ZADD', KEYS[1], now + lease, ARGV[place])
  redis.call('ZADD', KEYS[3], 'XX', now + lease + window, ARGV[place])
end
redis.call('PEXPIRE', KEYS[1], 3600000)
return 0
"""
)


# ARGV[3]: the worker; then its past: a ticket, how many milliseconds ago it was let go, and its weight.
_TELL = (
    _BEGIN
    + """
for place = 4, #ARGV, 3 do
  local ticket, ends = ARGV[place], now + window - tonumber(ARGV[place + 1])
  redis.call('ZADD', KEYS[2], 'NX', ends, ticket)
  if redis.call('ZADD', KEYS[3], 'NX', ends + lease, ticket) == 1 then
    redis.call('HSET', KEYS[4], ticket, ARGV[place + 2])
    redis.call('INCRBY', KEYS[5], ARGV[place + 2])
  end
end
redis.call('SADD', KEYS[6], ARGV[3])
return 0
"""
)


class _LetGo(NamedTuple):
    """A ticket of the last minute, as the worker that was given it remembers."""

    ticket: str
    at: float  # by the monotonic clock
    weight: int


@dataclass(frozen=True)
class Limits:
    """What an endpoint takes; None where it does not say."""

    in_flight: int
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Pace:
    """The gate before one endpoint, the same one for every worker that names it so."""

    def __init__(self, name: str, limits: Limits, *, owner: str = "", store: Any = None) -> None:
        self.limits, self.owner = limits, owner
        parts = ("flight", "requests", "tokens", "weights", "total", "workers")
        self.keys = [f"qianti:pace:{{{name}}}:{part}" for part in parts]
        self.store = store or shared_store()
        scripts = map(self.store.register_script, (_EXCHANGE, _RENEW, _TELL))
        self._exchange, self._renew, self._tell = scripts
        self._mine, self._numbers = f"{owner}/{uuid4().hex}", count()
        self._past: deque[_LetGo] = deque()
        self._lock = Lock()

    def exchange(
        self, leaving: Iterable[tuple[str, int]], entering: Sequence[int]
    ) -> tuple[list[str], float]:
        """Give tickets back, each with the tokens that it took, and return new ones, in one step.

        A new ticket is for a request of at most so many tokens; there are as many, of the first ones asked for,
        as the limits have room for. Also returned is in how many seconds to ask for the others: 0 if there are none.
        The tokens of a ticket that was given back count for another minute.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        given_back = list(leaving)
        tickets = [f"{self._mine}/{next(self._numbers)}" for _each in entering]
        asked = list(zip(tickets, entering, strict=True))
        with self._lock:
            entered, wait = self._ask(given_back, asked)
            if entered == _TELL_ME:
                self._tell_the_past()
                entered, wait = self._ask(given_back, asked)
            now = time.monotonic()
            self._past.extend(_LetGo(ticket, now, weight) for ticket, weight in asked[:entered])
        return tickets[:entered], max(SOONEST_SECONDS, wait / 1000) if wait else 0.0

    def _ask(
        self, leaving: Sequence[tuple[str, int]], entering: Sequence[tuple[str, int]]
    ) -> tuple[int, int]:
        self._forget()
        limits = self.limits
        entered, wait = self._exchange(
            keys=self.keys,
            args=[
                *_lengths(),
                self._mine,
                int(bool(self._past)),
                limits.in_flight,
                limits.requests_per_minute or 0,
                limits.tokens_per_minute or 0,
                len(leaving),
                *(part for pair in (*leaving, *entering) for part in pair),
            ],
        )
        return entered, wait

    def _forget(self) -> None:
        """Drop what is more than a minute past."""
        while self._past and time.monotonic() - self._past[0].at > WINDOW_SECONDS:
            self._past.popleft()

    def _tell_the_past(self) -> None:
        """Tell a Redis that was emptied what this worker was let go for in the last minute."""
        now = time.monotonic()
        told = [(each.ticket, round((now - each.at) * 1000), each.weight) for each in self._past]
        self._tell(keys=self.keys, args=[*_lengths(), self._mine, *(part for each in told for part in each)])

    def give_up(self) -> None:
        """Let go of what this owner held and has not renewed: it was interrupted, and its requests with it.

        They may have been answered: what they were to take at most counts for another minute. What was renewed just
        now belongs to a worker that was only thought dead, and is in flight still.
        """
        seconds, microseconds = self.store.time()
        lately = 1000 * seconds + microseconds // 1000 + round(1000 * (LEASE_SECONDS - SILENT_SECONDS))
        held = [ticket.decode() for ticket in self.store.zrangebyscore(self.keys[0], "-inf", lately)]
        silent = [ticket for ticket in held if ticket.startswith(f"{self.owner}/")]
        if silent:
            weights = self.store.hmget(self.keys[3], silent)
            self.exchange(
                [(ticket, int(weight or 0)) for ticket, weight in zip(silent, weights, strict=True)], []
            )

    def renew(self, tickets: Iterable[str]) -> None:
        """Say that the requests of these tickets are still on their way; at least every half lease."""
        held = list(tickets)
        if held:
            self._renew(keys=self.keys, args=[*_lengths(), *held])


def _lengths() -> tuple[int, int]:
    return round(WINDOW_SECONDS * 1000), round(LEASE_SECONDS * 1000)
