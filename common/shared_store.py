"""The one Redis that all workers share."""

from functools import cache
from typing import Any

import redis
from django.conf import settings


@cache
def shared_store() -> Any:
    """Return the client of Redis; it connects when it is first used."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=10, socket_connect_timeout=5)
