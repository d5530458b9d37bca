"""`Prefer: wait=N` (RFC 7240): hold the answer until the analysis is done, without starving other calls."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from inquiries.models import Inquiry
from inquiries.states import LIVE

LONGEST = 10  # seconds
PERIOD = 0.1
# A preference ends at a comma that no quoted text holds.
PREFERENCE = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*")+')
WAIT = re.compile(r'\s*wait\s*=\s*"?([0-9]{1,6})"?\s*(?:;.*)?', re.IGNORECASE)
HEADER_LIMIT = 1_000
# Each waiting call occupies a thread of the web server: at most a quarter of them may.
places = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 4))


def wanted_seconds(header: str) -> int:
    """Return how long the caller wants to wait, LONGEST at most; 0 without a readable preference."""
    for preference in PREFERENCE.findall(header[:HEADER_LIMIT]):
        if preference.split("=")[0].strip().lower() == "wait":
            found = WAIT.fullmatch(preference)
            return min(int(found[1]), LONGEST) if found else 0  # the first one counts
    return 0


def hold(inquiry_id: int, seconds: int) -> bool:
    """Wait until the analysis is over, `seconds` at most. False means that all places to wait are taken."""
    with _place() as is_mine:
        end = time.monotonic() + seconds
        while is_mine and _is_being_analysed(inquiry_id) and time.monotonic() < end:
            pause()
    return is_mine


def pause() -> None:
    """Sleep a moment; a pooled connection goes back meanwhile."""
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()
    time.sleep(PERIOD)


def _is_being_analysed(inquiry_id: int) -> bool:
    return Inquiry.objects.filter(pk=inquiry_id, ai_state__in=LIVE).exists()


@contextmanager
def _place() -> Iterator[bool]:
    is_mine = places.acquire(blocking=False)
    try:
        yield is_mine
    finally:
        if is_mine:
            places.release()
