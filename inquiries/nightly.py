"""What POK does once a day by itself, at night where the machine runs at night: a backup, then retention."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from functools import partial

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from inquiries import erasing, leases
from inquiries.backups import BackupError
from inquiries.models import Lease
from pok.logging import get_logger

log = get_logger(__name__)
HOUR = 3  # in TIME_ZONE
DUTY = "nightly"
DUTY_SECONDS = 900.0  # longer than one chunk of an erasure takes, or one step of a backup
STAMP = "nightly-done"  # the lease row whose holder is the last day done
BACKUP_STAMP = "nightly-backup"  # the same for the backup alone: what fails after it does not repeat it
RETRY_AFTER = 600.0  # seconds after a failure, or after another worker was found at it

_done: date | None = None
_not_before = 0.0


def run_if_due() -> bool:
    """Do today's work unless it is too early, done, or another worker's; tell whether this call did it.

    Costs no query once today's work is known to be done. What fails is raised, and tried again after RETRY_AFTER.
    """
    global _done, _not_before  # noqa: PLW0603 (what this process knows about today)
    now = timezone.localtime(timezone=timezone.get_default_timezone())
    today = now.date()
    if now.hour < HOUR or _done == today or time.monotonic() < _not_before:
        return False
    _not_before = time.monotonic() + RETRY_AFTER
    if not leases.hold(DUTY, DUTY_SECONDS):
        return False
    try:
        is_mine = not _is_done(STAMP, today)
        if is_mine:
            _work(today)
    finally:
        leases.let_go(DUTY)
    _done, _not_before = today, 0.0
    return is_mine


def _work(today: date) -> None:
    pulse = partial(leases.hold, DUTY, DUTY_SECONDS)
    if settings.BACKUP_DAYS and not _is_done(BACKUP_STAMP, today):
        _back_up(pulse)
        _note_done(BACKUP_STAMP, today)
    erasing.retention(dry_run=False, pulse=pulse)
    _note_done(STAMP, today)
    log.info("nightly_done", day=today.isoformat())


def _back_up(pulse: Callable[[], object]) -> None:
    """Make a backup and remove old ones. One that fails is logged and shown on the monitor; the next night tries."""
    # Only here: the archives' modules are for one thread of one worker, once a day.
    from inquiries.backups import making
    from inquiries.backups.manifest import Purpose

    try:
        backup = making.make_and_note(Purpose.NIGHTLY, pulse=pulse)
        gone = making.prune(settings.BACKUP_DAYS)
    except BackupError as error:
        log.error("backup_failed", reason=error.reason.value, detail=str(error))
    else:
        log.info("backup_made", file=backup.path.name, bytes=backup.path.stat().st_size, pruned=len(gone))


def _note_done(stamp: str, today: date) -> None:
    Lease.objects.update_or_create(name=stamp, defaults={"holder": today.isoformat(), "until": Now()})


def _is_done(stamp: str, today: date) -> bool:
    return Lease.objects.filter(name=stamp, holder=today.isoformat()).exists()
