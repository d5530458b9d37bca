"""The doorbell of the background jobs: Huey on pipes in the data folder or on Redis.

The database row is the truth (`inquiries.jobs`); a queue entry only says "look now", so losing one costs
seconds, never an inquiry.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from huey.api import Huey, PriorityRedisExpireHuey
from huey.serializer import SignedSerializer
from huey.storage import PriorityRedisExpireStorage
from redis.exceptions import RedisError

from pok.broker import BrokerPool
from pok.local_queue import LocalStorage

QUICK = 0.2  # seconds, for connecting and for an answer: a customer waits
PATIENT = 5.0  # longer than the one second that an idle worker waits for an entry


def serializer() -> SignedSerializer:
    """Sign every message: whoever can write to the queue alone cannot make a worker run code."""
    return SignedSerializer(secret=settings.SECRET_KEY, salt="pok.queue")


class LocalQueue(Huey):  # type: ignore[misc]
    """The queue of one box with nothing installed."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, storage_class=LocalStorage, serializer=serializer(), **options)


class QuickRedisStorage(PriorityRedisExpireStorage):  # type: ignore[misc]
    """Ring quickly or not at all; wait for entries on connections of their own."""

    def __init__(self, name: str, *, url: str, max_connections: int) -> None:
        limits = {"max_connections": max_connections, "socket_connect_timeout": QUICK}
        super().__init__(name, connection_pool=BrokerPool.from_url(url, socket_timeout=QUICK, **limits))
        self.waiting = PriorityRedisExpireStorage(
            name, connection_pool=BrokerPool.from_url(url, socket_timeout=PATIENT, **limits)
        )

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add an entry. Raises RedisError; an answer that is too late starts a pause, as a failed connection does."""
        try:
            super().enqueue(data, priority)
        except RedisError:
            self.pool.outage.begin()
            raise

    def dequeue(self) -> bytes | None:
        """Wait for an entry, a second at most. Raises RedisError."""
        entry: bytes | None = self.waiting.dequeue()
        return entry


class RedisQueue(PriorityRedisExpireHuey):  # type: ignore[misc]
    """The queue of several hosts. A broker that is down must not hold up a customer."""

    def __init__(self, name: str, *, url: str, max_connections: int, **options: Any) -> None:
        super().__init__(
            name,
            storage_class=QuickRedisStorage,
            url=url,
            max_connections=max_connections,
            serializer=serializer(),
            **options,
        )
