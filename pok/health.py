"""What machines ask: `/healthz`, is this web process well; `/readyz`, should it be sent requests, is all in order.

Both answer `{"status", "version", "checks": {...}}` in about a second even where Redis cannot be reached. They write
nothing, ask for no session and leave no line in the log. Details stay in the log: a stranger may call them.

`/healthz` has the checks database, queue, worker, search, migrations. `status` is

- `ok` (200): every check is `ok`;
- `degraded` (200): inquiries are taken in, but something else is amiss: no worker beats, the queue cannot be reached,
  the full-text triggers are gone, migrations wait. Code 200, because restarting the web server would mend none of it:
  a container's health check must not end a healthy process for the fault of another;
- `down` (503): the database does not answer; the checks that need it are `unknown`. What only marks a container as
  unhealthy, as Docker does, may go by the code. What ends unhealthy processes (Kubernetes, Swarm) should give it some
  minutes or watch the port instead: while the database is away, this process answers customers and keeps their text.

`/readyz` adds `backup` (`ok`, `old` past 26 hours, `none`, or `off` with POK_BACKUP_DAYS=0) and is for load balancers,
rolling upgrades and alerts. `status` is

- `ready` (200): every check is `ok`, or `off`;
- `degraded` (200): send requests here, but somebody should look: every fault that this process and another one beside
  it would share, or that costs no request (queue, worker, search, backup);
- `unready` (503): send none here: the database does not answer this process, or its migrations are not applied yet.
  During an upgrade the processes of the version before stay ready, as they know of no newer migration.
"""

from __future__ import annotations

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
    """Tell whether this web process is well."""
    checks = _asked({"worker": _worker, "search": _search, "migrations": _migrations})
    is_down = checks["database"] != "ok"
    status = "down" if is_down else "ok" if _is_fine(checks) else "degraded"
    return _answer(status, checks, code=503 if is_down else 200)


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Tell whether this web process should be sent requests, and whether all is in order."""
    checks = _asked({"worker": _worker, "search": _search, "migrations": _migrations, "backup": _backup})
    is_unready = checks["database"] != "ok" or checks["migrations"] != "ok"
    status = "unready" if is_unready else "ready" if _is_fine(checks) else "degraded"
    return _answer(status, checks, code=503 if is_unready else 200)


def _asked(needing_database: dict[str, Check]) -> dict[str, str]:
    checks = {"database": _database(), "queue": _queue()}
    for name, check in needing_database.items():
        checks[name] = _guarded(check) if checks["database"] == "ok" else "unknown"
    return checks


def _is_fine(checks: dict[str, str]) -> bool:
    return set(checks.values()) <= {"ok", "off"}


def _answer(status: str, checks: dict[str, str], *, code: int) -> JsonResponse:
    body = {"status": status, "version": settings.POK_VERSION, "checks": checks}
    return JsonResponse(body, status=code, headers={"Cache-Control": "no-store"})


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except (DatabaseError, ImproperlyConfigured, OSError):
        return "down"
    return "ok"


def _guarded(check: Check) -> str:
    # Before the first migration the tables are not there yet; the folder of the backups may be out of reach.
    try:
        return check()
    except (DatabaseError, OSError):
        return "unknown"


def _queue() -> str:
    try:
        if settings.REDIS_URL:
            _redis(settings.REDIS_URL).ping()
        else:
            HUEY.storage.ping()
    except (RedisError, OSError):
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


def _backup() -> str:
    return metrics.backup().state
