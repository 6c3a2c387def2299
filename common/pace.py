"""How fast an endpoint is asked, by all workers together: in flight, requests a minute, tokens a minute.

The counts lie in Redis. What a dead worker held is given back when its lease ends; an empty Redis after a restart
knows no past, so that the minute around a restart is the one that no limit can be promised for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
# ARGV: ticket, most in flight, requests, tokens (0: no limit), weight, window, lease; in milliseconds.
# Returns 0, or in how many milliseconds to ask again.
_FORGET = """
local clock = redis.call('TIME')  -- one clock for all workers, read when the decision is made
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function forget(now)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  local gone = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)
  for _, ticket in ipairs(gone) do
    redis.call('DECRBY', KEYS[5], redis.call('HGET', KEYS[4], ticket) or 0)
    redis.call('HDEL', KEYS[4], ticket)
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
end
local function expire()
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, 3600000) end
end
"""
_ENTER = (
    _FORGET
    + """
local ticket, most, requests = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, weight = tonumber(ARGV[4]), tonumber(ARGV[5])
local window, lease = tonumber(ARGV[6]), tonumber(ARGV[7])
local function first(key)
  local found = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return found[2] and math.max(1, tonumber(found[2]) - now) or window
end
forget(now)
if redis.call('ZCARD', KEYS[1]) >= most then return math.min(first(KEYS[1]), 50) end
if requests > 0 and redis.call('ZCARD', KEYS[2]) >= requests then return first(KEYS[2]) end
if tokens > 0 then
  local total = tonumber(redis.call('GET', KEYS[5]) or '0')
  weight = math.min(weight, tokens)
  if total + weight > tokens then return math.min(first(KEYS[3]), 250) end
  redis.call('ZADD', KEYS[3], now + lease + window, ticket)
  redis.call('HSET', KEYS[4], ticket, weight)
  redis.call('INCRBY', KEYS[5], weight)
end
redis.call('ZADD', KEYS[1], now + lease, ticket)
if requests > 0 then redis.call('ZADD', KEYS[2], now + window, ticket) end
expire()
return 0
"""
)
# ARGV: ticket, weight, window.
_LEAVE = (
    _FORGET
    + """
local ticket, weight, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREM', KEYS[1], ticket)
local was = redis.call('HGET', KEYS[4], ticket)
if was then
  redis.call('INCRBY', KEYS[5], weight - tonumber(was))
  redis.call('HSET', KEYS[4], ticket, weight)
  redis.call('ZADD', KEYS[3], now + window, ticket)
end
forget(now)
return 0
"""
)
# ARGV: window, lease, tickets.
_RENEW = (
    _FORGET
    + """
local window, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
for place = 3, #ARGV do
  redis.call('ZADD', KEYS[1], 'XX', now + lease, ARGV[place])
  redis.call('ZADD', KEYS[3], 'XX', now + lease + window, ARGV[place])
end
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
        self._enter, self._leave, self._renew = (
            self.store.register_script(script) for script in (_ENTER, _LEAVE, _RENEW)
        )

    def enter(self, tokens: Sequence[int]) -> list[tuple[str, float]]:
        """Return for each request of at most so many tokens a ticket, or "" and in how many seconds to ask again.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        limits, lengths = self.limits, [round(WINDOW_SECONDS * 1000), round(LEASE_SECONDS * 1000)]
        most = [limits.in_flight, limits.requests_per_minute or 0, limits.tokens_per_minute or 0]
        tickets = [f"{self.owner}/{uuid4().hex}" for _each in tokens]
        with self.store.pipeline(transaction=False) as pipeline:
            for ticket, weight in zip(tickets, tokens, strict=True):
                arguments = [ticket, *most, weight, *lengths]
                self._enter(keys=self.keys, args=arguments, client=pipeline)
            waits = pipeline.execute()
        return [
            ("", max(SOONEST_SECONDS, int(wait) / 1000)) if wait else (ticket, 0.0)
            for ticket, wait in zip(tickets, waits, strict=True)
        ]

    def leave(self, tickets: Mapping[str, int]) -> None:
        """Give tickets back; the tokens that each took count for another minute."""
        if not tickets:
            return
        with self.store.pipeline(transaction=False) as pipeline:
            for ticket, tokens in tickets.items():
                arguments = [ticket, tokens, round(WINDOW_SECONDS * 1000)]
                self._leave(keys=self.keys, args=arguments, client=pipeline)
            pipeline.execute()

    def give_up(self) -> None:
        """Let go of what this owner held before: it was interrupted, and its requests with it."""
        held = [ticket.decode() for ticket in self.store.zrange(self.keys[0], 0, -1)]
        mine = [ticket for ticket in held if ticket.startswith(f"{self.owner}/")]
        self.leave({ticket: int(self.store.hget(self.keys[3], ticket) or 0) for ticket in mine})

    def renew(self, tickets: Iterable[str]) -> None:
        """Say that the requests of these tickets are still on their way; at least every half lease."""
        held = list(tickets)
        if held:
            lengths = [round(WINDOW_SECONDS * 1000), round(LEASE_SECONDS * 1000)]
            self._renew(keys=self.keys, args=[*lengths, *held])


@cache
def _store() -> Any:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=5)
