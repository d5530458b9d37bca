"""`/healthz`: can this installation take, find and analyse inquiries?

`{"status", "version", "checks": {"database", "queue", "worker", "search", "migrations"}}`. `status` is

- `ok` (200): every check is `ok`;
- `degraded` (200): inquiries are taken in, but something else is amiss: no worker beats, the queue cannot be reached,
  the full-text triggers are gone, migrations wait. Code 200, because restarting the web server would mend none of it:
  a container's health check must not end a healthy process for the fault of another;
- `down` (503): the database does not answer; the checks that need it are `unknown`.

It writes nothing, asks for no session and leaves no line in the log. Details stay in the log: a stranger may call this.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from huey.contrib.djhuey import HUEY
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from inquiries import metrics, search

_migrated = threading.Event()
QUEUE_TIMEOUT = 0.5  # seconds, for connecting and for the answer
Check = Callable[[], str]


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer in about a second even where Redis cannot be reached."""
    checks = {"database": _database(), "queue": _queue()}
    needing_database: dict[str, Check] = {"worker": _worker, "search": _search, "migrations": _migrations}
    for name, check in needing_database.items():
        checks[name] = _guarded(check) if checks["database"] == "ok" else "unknown"
    is_down = checks["database"] != "ok"
    is_ok = set(checks.values()) == {"ok"}
    body = {
        "status": "down" if is_down else "ok" if is_ok else "degraded",
        "version": settings.POK_VERSION,
        "checks": checks,
    }
    return JsonResponse(body, status=503 if is_down else 200, headers={"Cache-Control": "no-store"})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except (DatabaseError, ImproperlyConfigured, OSError):
        return "down"
    return "ok"


def _guarded(check: Check) -> str:
    # Before the first migration the tables are not there yet.
    try:
        return check()
    except DatabaseError:
        return "unknown"


def _queue() -> str:
    try:
        if settings.REDIS_URL:
            _redis(settings.REDIS_URL).ping()
        else:
            HUEY.storage.sql("SELECT 1 FROM task LIMIT 1", (), results=True)
    except (RedisError, OSError, sqlite3.Error):
        return "down"
    return "ok"


@lru_cache(maxsize=1)
def _redis(url: str) -> Redis:
    # Not the queue's own pool: that one waits seconds for an answer, as a worker must.
    return Redis.from_url(
        url, socket_connect_timeout=QUEUE_TIMEOUT, socket_timeout=QUEUE_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )


def _worker() -> str:
    return "ok" if metrics.has_live_worker() else "missing"


def _search() -> str:
    return "ok" if search.is_installed(connection) else "missing"


def _migrations() -> str:
    # Reading all migrations from disk takes a while, and a process that once saw them applied never sees that undone.
    if not _migrated.is_set():
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "pending"
        _migrated.set()
    return "ok"
