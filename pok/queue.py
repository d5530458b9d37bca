"""The doorbell of the background jobs: Huey on SQLite or on Redis.

The database row is the truth (`inquiries.jobs`); a queue entry only says "look now", so losing one costs
seconds, never an inquiry.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from django.conf import settings
from huey.api import PriorityRedisExpireHuey, SqliteHuey
from huey.serializer import SignedSerializer
from huey.storage import SqliteStorage
from redis import ConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry


def serializer() -> SignedSerializer:
    """Sign every message: whoever can write to the queue alone cannot make a worker run code."""
    return SignedSerializer(secret=settings.SECRET_KEY, salt="pok.queue")


class NormalSyncSqliteStorage(SqliteStorage):  # type: ignore[misc]
    """Write without an fsync for each entry: what a power cut takes from the queue, the sweeper brings back."""

    def _create_connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._create_connection()
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection


class SqliteQueue(SqliteHuey):  # type: ignore[misc]
    """The queue of one box with nothing installed, in a file of its own."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, storage_class=NormalSyncSqliteStorage, serializer=serializer(), **options)

    def get_storage_kwargs(self) -> dict[str, Any]:
        return dict(self.storage_kwargs)


class RedisQueue(PriorityRedisExpireHuey):  # type: ignore[misc]
    """The queue of several hosts.

    A broker that is down must not hold up a customer: connecting takes 0.3 s at most and nothing is tried twice.
    """

    def __init__(self, name: str, *, url: str, max_connections: int, **options: Any) -> None:
        pool = ConnectionPool.from_url(
            url,
            max_connections=max_connections,
            socket_connect_timeout=0.3,
            socket_timeout=5,  # longer than the one second that an idle worker waits for an entry
            retry=Retry(NoBackoff(), 0),
        )
        super().__init__(name, connection_pool=pool, serializer=serializer(), **options)
