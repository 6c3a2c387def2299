"""How fast an endpoint is asked, by all workers together: in flight, requests a minute, tokens a minute.

The counts lie in Redis and go by its clock. What a dead worker held is given back when its lease ends. An empty
Redis after a restart knows no past: what is in flight it is told again within a second, but the minute around
a restart is the one that no limit a minute can be promised for.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings

# A request is counted when it is let go and arrives a little later; two of them never arrive in the same minute
# when one was let go this much more than a minute after the other.
WINDOW_SECONDS = 61.0
LEASE_SECONDS = 30.0
SOONEST_SECONDS = 0.01

# KEYS: in flight, requests, tokens, weights, total. Every member's score is when it stops to count.
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
# ARGV[3] to [6]: most in flight, requests, tokens (0: no limit), how many tickets are given back; then these, and those that are
# asked for, each with its weight. Returns how many of the latter are let go, and in how many milliseconds to
# ask again for the next.
_EXCHANGE = (
    _BEGIN
    + """
local most, requests, tokens = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
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
local fresh = 7 + 2 * tonumber(ARGV[6])
for place = 7, fresh - 1, 2 do leave(ARGV[place], tonumber(ARGV[place + 1])) end
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
        self.keys = [
            f"qianti:pace:{{{name}}}:{part}" for part in ("flight", "requests", "tokens", "weights", "total")
        ]
        self.store = store or _store()
        self._exchange, self._renew = map(self.store.register_script, (_EXCHANGE, _RENEW))
        self._mine, self._numbers = f"{owner}/{uuid4().hex}", count()

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
        limits, given_back = self.limits, list(leaving)
        tickets = [f"{self._mine}/{next(self._numbers)}" for _each in entering]
        pairs = [*given_back, *zip(tickets, entering, strict=True)]
        entered, wait = self._exchange(
            keys=self.keys,
            args=[
                *_lengths(),
                limits.in_flight,
                limits.requests_per_minute or 0,
                limits.tokens_per_minute or 0,
                len(given_back),
                *(part for pair in pairs for part in pair),
            ],
        )
        return tickets[:entered], max(SOONEST_SECONDS, wait / 1000) if wait else 0.0

    def give_up(self) -> None:
        """Let go of what this owner held before: it was interrupted, and its requests with it.

        They may have been answered: what they were to take at most counts for another minute.
        """
        held = [ticket.decode() for ticket in self.store.zrange(self.keys[0], 0, -1)]
        mine = [ticket for ticket in held if ticket.startswith(f"{self.owner}/")]
        if mine:
            weights = self.store.hmget(self.keys[3], mine)
            self.exchange(
                [(ticket, int(weight or 0)) for ticket, weight in zip(mine, weights, strict=True)], []
            )

    def renew(self, tickets: Iterable[str]) -> None:
        """Say that the requests of these tickets are still on their way; at least every half lease."""
        held = list(tickets)
        if held:
            self._renew(keys=self.keys, args=[*_lengths(), *held])


def _lengths() -> tuple[int, int]:
    return round(WINDOW_SECONDS * 1000), round(LEASE_SECONDS * 1000)


@cache
def _store() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=5)
