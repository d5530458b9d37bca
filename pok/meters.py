"""What this process counts for Prometheus, together with what stands in the tables.

Apart from `pok.prometheus`, so that who is never scraped does not load the library.
"""

from __future__ import annotations

import platform
import time

import django
from django.conf import settings
from django.db import connection
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from inquiries.metrics.collector import TablesCollector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which nobody reads
registry = CollectorRegistry()
requests = Counter(
    "pok_http_requests",
    "Requests that this process answered, static files apart; no route: the address is unknown.",
    ["route", "method", "code"],
    registry=registry,
)
seconds = Histogram(
    "pok_http_request_seconds",
    "Seconds that this process took to answer.",
    ["route"],
    buckets=SECONDS,
    registry=registry,
)
ProcessCollector(registry=registry)
registry.register(TablesCollector())
Info("pok_build", "What runs.", registry=registry).info(
    {
        "version": settings.POK_VERSION,
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": connection.vendor,
    }
)


def count_request(route: str, method: str, code: int, started: float) -> None:
    """Count one answer; `started` is its time.perf_counter(). Labels come from our routes, never from a path."""
    requests.labels(route, method if method in METHODS else "other", f"{code // 100}xx").inc()
    seconds.labels(route).observe(time.perf_counter() - started)


def exposition() -> tuple[bytes, str]:
    """Return all of it as text, and its content type."""
    return generate_latest(registry), CONTENT_TYPE_LATEST
