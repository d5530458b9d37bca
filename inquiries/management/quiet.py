"""What has to be at rest before the database is replaced or migrated by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from inquiries import metrics
from inquiries.backups import stores
from pok import launch


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
        if metrics.has_live_worker():
            raise CommandError("A worker was heard of a moment ago. Stop POK first, and wait a quarter of a minute.")
    except DatabaseError:  # no tables yet, or nothing that can be read: then nobody works on it
        pass
    finally:
        stores.close_connections()
    store.ensure_unused()
