"""Duties that one worker at a time does. All times are the database's."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from inquiries.jobs import WORKER
from inquiries.models import Lease


def hold(name: str, seconds: float) -> bool:
    """Take or renew a duty for so many seconds; False where another worker has it."""
    Lease.objects.get_or_create(name=name)
    is_free = Q(holder=WORKER) | Q(until__lte=Now())
    return bool(
        Lease.objects.filter(is_free, name=name).update(holder=WORKER, until=Now() + timedelta(seconds=seconds))
    )


def let_go(name: str) -> None:
    """Give a duty back, so that the next worker need not wait for it to run out."""
    Lease.objects.filter(name=name, holder=WORKER).update(until=Now())
