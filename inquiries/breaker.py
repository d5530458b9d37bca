"""The circuit breaker before the AI service: after repeated failures nobody asks for a while, then one worker tries.

Its memory is a row, so that all workers on all hosts agree; all times are the database's.
"""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum
from typing import Any

from django.core.cache import caches
from django.db.models import F, Q
from django.db.models.functions import Now

from inquiries.models import Analysis, ServiceState
from inquiries.states import AnalysisState, Purpose
from pok.logging import get_logger

log = get_logger(__name__)
SERVICE = "openai"
THRESHOLD = 3  # failures in a row
FIRST_PAUSE = 30.0  # seconds
LONGEST_PAUSE = 600.0
# A probe that dies with its worker must not keep the service paused for ever.
PROBE = timedelta(seconds=90)
# Failures that the operator ends, by other settings and a restart.
OF_OUR_SETTINGS = ("authentication", "model_not_found", "not_configured", "bad_request")
CACHE_KEY = "breaker"
WELL_KEY = "service-well"
CACHE_SECONDS = 1


class Permit(IntEnum):
    """Whether the service may be asked; PROBE is the one call after a pause that tells whether it is back."""

    REFUSED = 0
    GRANTED = 1
    PROBE = 2


def allows() -> Permit:
    """Tell whether the service may be asked now. Past a pause one caller may, whose call is the probe."""
    if caches["local"].get(CACHE_KEY) == "closed":
        return Permit.GRANTED
    paused = ServiceState.objects.filter(name=SERVICE, open_until__isnull=False)
    if not paused.exists():
        caches["local"].set(CACHE_KEY, "closed", CACHE_SECONDS)
        return Permit.GRANTED
    is_probe = paused.filter(open_until__lte=Now()).update(open_until=Now() + PROBE)
    return Permit.PROBE if is_probe else Permit.REFUSED


def is_paused() -> bool:
    """Tell whether the service is paused, without becoming its probe."""
    return ServiceState.objects.filter(name=SERVICE, open_until__isnull=False).exists()


def failed(
    kind: str, detail: str, *, is_permanent: bool, retry_after: float | None = None, is_probe: bool = False
) -> None:
    """Count a failure of the service; the third in a row, or one that will repeat itself, starts a pause.

    While it is paused only the probe's failure counts: all calls that were under way when it began fail with it, and
    one outage would be taken for many.
    """
    caches["local"].delete(WELL_KEY)
    ServiceState.objects.get_or_create(name=SERVICE)
    row = ServiceState.objects.filter(name=SERVICE)
    row.update(last_error=kind, last_detail=detail[:500], last_failure_at=Now())
    counted = row if is_probe else row.filter(open_until__isnull=True)
    if not counted.update(failures=F("failures") + 1):
        return
    failures = row.values_list("failures", flat=True).get()
    if failures < THRESHOLD and not is_permanent:
        return
    seconds = min(FIRST_PAUSE * 2 ** min(max(failures - THRESHOLD, 0), 10), LONGEST_PAUSE)
    pause = timedelta(seconds=LONGEST_PAUSE if is_permanent else max(seconds, min(retry_after or 0.0, LONGEST_PAUSE)))
    if not counted.update(open_until=Now() + pause):
        return
    caches["local"].delete(CACHE_KEY)
    log.warning("service_paused", service=SERVICE, failures=failures, seconds=pause.total_seconds(), kind=kind)


def succeeded() -> None:
    """Close the breaker where it was open or half open, and bring what was put off forward."""
    was_paused = Q(open_until__isnull=False)
    # Read before it is written, and not each time: in ordinary times no success takes a lock.
    if caches["local"].get(WELL_KEY):
        return
    if not ServiceState.objects.filter(was_paused | Q(failures__gt=0), name=SERVICE).exists():
        caches["local"].set(WELL_KEY, True, CACHE_SECONDS)
        return
    mended: dict[str, Any] = {"failures": 0, "open_until": None, "last_success_at": Now()}
    if ServiceState.objects.filter(was_paused, name=SERVICE).update(**mended):
        caches["local"].delete(CACHE_KEY)
        woken = Analysis.objects.filter(purpose=Purpose.REDO, state=AnalysisState.QUEUED, due_at__gt=Now())
        log.info("service_back", service=SERVICE, redone=woken.update(due_at=Now()))
    else:
        ServiceState.objects.filter(name=SERVICE, failures__gt=0).update(**mended)


def forgive_settings() -> None:
    """Ask again at once after a start: a key or a model that was refused may have been corrected meanwhile."""
    ours = ServiceState.objects.filter(name=SERVICE, last_error__in=OF_OUR_SETTINGS)
    if ours.filter(open_until__isnull=False).update(open_until=None, failures=0):
        caches["local"].delete(CACHE_KEY)


def wake_a_probe() -> None:
    """Once a pause is over, bring one put-off reading forward: without new inquiries nobody else would try."""
    if ServiceState.objects.filter(name=SERVICE, open_until__lte=Now()).exists():
        put_off = Analysis.objects.filter(purpose=Purpose.REDO, state=AnalysisState.QUEUED, due_at__gt=Now())
        first = list(put_off.order_by("due_at").values_list("pk", flat=True)[:1])
        put_off.filter(pk__in=first).update(due_at=Now())
