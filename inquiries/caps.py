"""How many public inquiries a day the AI service reads: a flood past every limit per address must not cost without end.

What is let through is counted in the memory of each process; the count goes to the day's row, and the others' comes
back, every PERIOD seconds. So nothing is asked of the database for a single inquiry, and at most what the other
processes let through within one PERIOD comes on top of the cap. A process that is killed takes its last PERIOD along.
"""

from __future__ import annotations

import threading
import time
from datetime import date

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from inquiries import budget
from inquiries.engines import uses_openai
from inquiries.models import SiteSettings, Usage
from inquiries.states import Source
from pok.logging import get_logger

log = get_logger(__name__)
PERIOD = 2.0  # seconds
PUBLIC = "public"  # stands for an engine in the row of `Usage` that holds the count


class Tally:
    """What one process knows of today's public inquiries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._day: date | None = None
        self._known = 0  # what the row said
        self._own = 0  # let through here and not yet in the row
        self._read_at = self._written_at = 0.0  # time.monotonic()

    def so_far(self) -> int:
        """The public inquiries of today; what others let through may be PERIOD seconds late."""
        with self._lock:
            day = budget.today()
            if day != self._day:
                self._day, self._known, self._own, self._read_at = day, 0, 0, 0.0
            if time.monotonic() - self._read_at >= PERIOD:
                self._known = Usage.objects.filter(day=day, engine=PUBLIC).values_list("calls", flat=True).first() or 0
                self._read_at = time.monotonic()
            return self._known + self._own

    def count(self) -> None:
        """Count one that was let through, after its commit; every PERIOD seconds also in the row."""
        with self._lock:
            self._own += 1
            if time.monotonic() - self._written_at < PERIOD:
                return
            own, self._own, self._written_at = self._own, 0, time.monotonic()
            self._known += own
        try:
            _add(own)
        except DatabaseError as error:  # the inquiry itself is safe; only this much is not counted
            log.warning("daily_count_failed", error=type(error).__name__)


def _add(number: int) -> None:
    row = Usage.objects.filter(day=budget.today(), engine=PUBLIC, model="")
    if not row.update(calls=F("calls") + number):
        Usage.objects.get_or_create(day=budget.today(), engine=PUBLIC, model="")
        row.update(calls=F("calls") + number)


_tally = Tally()


def is_past_daily_cap(source: Source, *, has_key: bool = False) -> bool:
    """Tell whether this one has to wait for a person; else it is counted once the caller's transaction commits.

    What comes with a key is trusted, and where no AI service would be paid there is nothing to save.
    """
    if source == Source.API and has_key:
        return False
    if is_reached():
        return True
    if _has_cap():
        transaction.on_commit(_tally.count, robust=True)
    return False


def is_reached() -> bool:
    """Tell whether the AI service reads no more public inquiries today."""
    return _has_cap() and _tally.so_far() >= (SiteSettings.current().daily_public_inquiries or 0)


def _has_cap() -> bool:
    """Whatever is counted only while there is a cap: who sets one in the middle of a day starts from nought."""
    return settings.THROTTLE != "off" and SiteSettings.current().daily_public_inquiries is not None and uses_openai()
