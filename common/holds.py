"""Who is asking what at this moment, so that two who want the same do not both pay for it.

A hold lies in Redis and ends by itself, so that what a dead worker held is free again. It saves money and
decides nothing: an emptied Redis costs at most that something is asked for twice.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any

from common.shared_store import shared_store

HOLD_SECONDS = 30.0
# How long it is remembered that something was answered: longer than a request waits after it was looked up.
ANSWERED_SECONDS = 7_200.0
_ANSWERED = "="
# KEYS: what is wanted. ARGV: who wants it, and for how many milliseconds.
_TAKE = """
local found = {}
for place, key in ipairs(KEYS) do
  local holder = redis.call('GET', key)
  if holder == '=' then found[place] = 2
  elseif holder and holder ~= ARGV[1] then found[place] = 1
  else redis.call('SET', key, ARGV[1], 'PX', ARGV[2]); found[place] = 0 end
end
return found
"""
# KEYS: what is let go of. ARGV: by whom; it may be another's by now.
_LEAVE = """
for _, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end
end
return 0
"""


class Hold(IntEnum):
    """What became of a wish to hold something."""

    MINE = 0
    ANOTHERS = 1  # somebody else is asking for it now
    ANSWERED = 2  # it was asked for and answered a while ago


class Holds:
    """What one owner holds, among all who share a realm."""

    def __init__(self, realm: str, owner: str, *, store: Any = None) -> None:
        self.realm, self.owner = realm, owner
        self.store = store or shared_store()
        self._take, self._leave = map(self.store.register_script, (_TAKE, _LEAVE))

    def take(self, names: Sequence[str]) -> list[Hold]:
        """Hold what nobody else holds; say of each what became of it. Taking again renews.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        if not names:
            return []
        found = self._take(keys=self._keys(names), args=[self.owner, _milliseconds(HOLD_SECONDS)])
        return [Hold(each) for each in found]

    def leave(self, names: Sequence[str]) -> None:
        """Let others ask for what was held, and got no answer."""
        if names:
            self._leave(keys=self._keys(names), args=[self.owner])

    def forget(self, names: Sequence[str]) -> None:
        """Forget that something was answered."""
        self.store.delete(*self._keys(names))

    def answered(self, names: Sequence[str]) -> None:
        """Say that what was held is answered, and that the answer can be read."""
        batch = self.store.pipeline(transaction=False)
        for key in self._keys(names):
            batch.set(key, _ANSWERED, px=_milliseconds(ANSWERED_SECONDS))
        batch.execute()

    def _keys(self, names: Iterable[str]) -> list[str]:
        return [f"qianti:hold:{self.realm}:{name}" for name in names]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
