"""What POK does once a day by itself, at night where the machine runs at night: retention."""

from __future__ import annotations

import time
from datetime import date
from functools import partial

from django.db.models.functions import Now
from django.utils import timezone

from inquiries import erasing, leases
from inquiries.models import Lease
from pok.logging import get_logger

log = get_logger(__name__)
HOUR = 3  # in TIME_ZONE
DUTY = "nightly"
DUTY_SECONDS = 900.0  # longer than one chunk of an erasure takes
STAMP = "nightly-done"  # the lease row whose holder is the last day done
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
        is_mine = not _is_done(today)
        if is_mine:
            _work(today)
    finally:
        leases.let_go(DUTY)
    _done, _not_before = today, 0.0
    return is_mine


def _work(today: date) -> None:
    erasing.retention(dry_run=False, pulse=partial(leases.hold, DUTY, DUTY_SECONDS))
    Lease.objects.update_or_create(name=STAMP, defaults={"holder": today.isoformat(), "until": Now()})
    log.info("nightly_done", day=today.isoformat())


def _is_done(today: date) -> bool:
    return Lease.objects.filter(name=STAMP, holder=today.isoformat()).exists()
