"""The worker processes, by their heartbeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now

from inquiries.models import Heartbeat

ALIVE_FOR = timedelta(seconds=15)
LISTED_FOR = timedelta(hours=1)
MAX_WORKERS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process by its last heartbeat."""

    name: str
    version: str
    threads: int
    age: timedelta

    @property
    def is_alive(self) -> bool:
        return self.age < ALIVE_FOR

    @property
    def has_other_version(self) -> bool:
        """Tell whether it runs another version than this web server: an upgrade that reached only one of the two."""
        return self.version != settings.POK_VERSION


def workers() -> list[Worker]:
    """Processes heard of within LISTED_FOR, the newest heartbeat first. A restart leaves a silent one behind."""
    rows = _heartbeats().filter(seen_at__gt=Now() - LISTED_FOR).order_by("-seen_at", "worker")[:MAX_WORKERS_SHOWN]
    return [Worker(row.worker, row.version, row.threads, row.age) for row in rows]


def has_live_worker() -> bool:
    """Tell whether any process has beaten within ALIVE_FOR."""
    return Heartbeat.objects.filter(seen_at__gt=Now() - ALIVE_FOR).exists()


def _heartbeats() -> QuerySet[Heartbeat, Any]:
    return Heartbeat.objects.annotate(age=ExpressionWrapper(Now() - F("seen_at"), output_field=DurationField()))
