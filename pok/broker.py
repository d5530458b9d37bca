"""Connections to Redis that cost a request next to nothing while Redis is away.

A host that drops packets keeps every attempt waiting for its whole time limit, and one request makes several: each
counter of the throttle, and the bell. So a failed attempt starts a pause for its whole process, in which every further
one fails at once; after it one attempt tries again.
"""

from __future__ import annotations

import threading
import time
from functools import lru_cache
from typing import Any

from redis import ConnectionPool
from redis.connection import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MaxConnectionsError, RedisError

PAUSE = 2.0  # seconds


class RedisIsAway(RedisConnectionError):
    """Redis did not answer a moment ago, so it was not asked."""


class Outage:
    """Whether one Redis is known to be away; shared by all pools of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: float | None = None  # time.monotonic()

    def may_try(self) -> bool:
        """Tell whether to ask now; past a pause that is said to one caller, and the others go on pausing."""
        with self._lock:
            if self._until is None:
                return True
            if time.monotonic() < self._until:
                return False
            self._until = time.monotonic() + PAUSE
            return True

    def begin(self) -> None:
        """Pause: Redis has just failed."""
        with self._lock:
            self._until = time.monotonic() + PAUSE

    def end(self) -> None:
        """Ask freely again: Redis has just answered."""
        if self._until is not None:
            with self._lock:
                self._until = None


@lru_cache(maxsize=8)
def outage_of(host: str, port: int) -> Outage:
    """The one memory of this process about this Redis."""
    return Outage()


class BrokerPool(ConnectionPool):
    """Raise RedisIsAway without trying while Redis is known to be away."""

    @property
    def outage(self) -> Outage:
        """What is known about the Redis of this pool."""
        address = self.connection_kwargs
        return outage_of(str(address.get("host", "localhost")), int(address.get("port", 6379)))

    def get_connection(self, *arguments: Any, **options: Any) -> Connection:
        """Connect where need be, which asks Redis for an answer. Raises RedisError."""
        if not self.outage.may_try():
            raise RedisIsAway("Redis did not answer a moment ago.")
        try:
            connection: Connection = super().get_connection(*arguments, **options)
        except MaxConnectionsError:  # our own limit
            raise
        except (RedisError, OSError):
            self.outage.begin()
            raise
        self.outage.end()
        return connection
