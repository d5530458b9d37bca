"""What has to be at rest before the database is replaced or migrated by hand."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.models import Max

from inquiries import metrics
from inquiries.backups import stores
from inquiries.models import Heartbeat
from pok import launch

LOOK_EVERY = 0.5  # seconds


@contextmanager
def folder() -> Iterator[None]:
    """Hold the data folder, so that no `make run` is or comes up on it meanwhile. Raises CommandError."""
    try:
        lock = launch.lock_folder(settings.DATA_DIR)
    except launch.CannotStart as error:
        raise CommandError(
            "POK runs on this data folder. Stop it first (Ctrl-C where make run was started)."
        ) from error
    try:
        yield
    finally:
        os.close(lock)


def ensure(*, force: bool) -> None:
    """Raise BackupError or CommandError where POK is at work on the database; `force` is for PostgreSQL only."""
    store = stores.current()
    if force and store.kind == "postgres":
        return
    try:
        is_at_work = has_beating_worker()
    except DatabaseError:  # no tables yet, or nothing that can be read: then nobody works on it
        is_at_work = False
    finally:
        stores.close_connections()
    if is_at_work:
        raise CommandError("POK is running: a worker beats. Stop POK first, on every host.")
    store.ensure_unused()


def has_beating_worker() -> bool:
    """Watch the heartbeats for as long as one counts: what was killed a moment ago leaves one that stands still."""
    newest = _newest_beat()
    while metrics.has_live_worker():
        time.sleep(LOOK_EVERY)
        if _newest_beat() != newest:
            return True
    return False


def _newest_beat() -> object:
    return Heartbeat.objects.aggregate(newest=Max("seen_at"))["newest"]
