"""One thread in each worker process: heartbeat, leases, and a bell for every analysis that is due."""

from __future__ import annotations

import itertools
import threading
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.db.models.functions import Now
from huey.contrib.djhuey import HUEY

from inquiries import jobs
from inquiries.models import Analysis, Delivery, Heartbeat, IdempotencyKey, Inquiry, ReceiptPause, SiteSettings
from inquiries.states import AnalysisState
from pok.logging import get_logger

log = get_logger(__name__)
PERIOD = 3.0  # seconds
QUICK = 0.2
RING_AGAIN = 10.0
PRUNE_EVERY = 200  # rounds: about ten minutes
FORGET_WORKER = timedelta(days=1)
_started = threading.Lock()
_leaving = threading.Event()
# (analysis, due at) -> time.monotonic() of its last bell by this process
_rung: dict[tuple[int, datetime], float] = {}


def start() -> None:
    """Start the thread; Huey calls this once for every worker thread, one start counts.

    It goes on while a stopping worker finishes its calls, so that their leases hold, and ends with the process.
    """
    if _started.acquire(blocking=False):
        threading.Thread(target=_loop, name="sweeper", daemon=True).start()


def leave() -> None:
    """Take the heartbeat away: a worker that stops on purpose is not one that fell silent."""
    _leaving.set()
    try:
        Heartbeat.objects.filter(worker=jobs.WORKER).delete()
    except DatabaseError as error:  # it is forgotten after a day all the same
        log.warning("leave_failed", error=type(error).__name__)
    finally:
        connection.close()


def hand_over() -> None:
    """Give back what could not be finished within the time for stopping: the next worker takes it up at once."""
    try:
        with transaction.atomic():
            given = jobs.give_back_all(Analysis)
            running = Inquiry.objects.filter(analyses__in=given, ai_state=AnalysisState.RUNNING)
            running.touch(ai_state=AnalysisState.QUEUED)
            # What is being handed over may arrive yet: its lease runs out, and then a person decides.
            mails = jobs.give_back_all(Delivery, handed_at=None)
    except DatabaseError as error:  # the leases run out by themselves
        log.warning("hand_over_failed", error=type(error).__name__)
    else:
        if given or mails:
            log.warning("handed_over", analyses=len(given), mails=len(mails))


def _loop() -> None:
    failing = False
    for rounds in itertools.count():
        try:
            sweep()
            if rounds % PRUNE_EVERY == 0:
                prune()
            failing = False
        except Exception as error:
            # The database or the broker is away: the next round tries again, the log says it once.
            if not failing:
                log.exception("sweep_failed", error=type(error).__name__)
            failing = True
        finally:
            close_old_connections()


def sweep() -> None:
    """Do one round of PERIOD seconds; while rows are found whose bell was lost, ring again and again."""
    end = time.monotonic() + PERIOD
    jobs.renew_leases()
    if not _leaving.is_set():
        beat()
    while time.monotonic() < end:
        time.sleep(QUICK if ring_due() else max(0.0, end - time.monotonic()))


def prune() -> None:
    """Forget what nobody will ask for again."""
    IdempotencyKey.objects.expired().delete()
    Heartbeat.objects.filter(seen_at__lt=Now() - FORGET_WORKER).delete()
    ReceiptPause.objects.filter(until__lt=Now()).delete()


def beat() -> None:
    """Write this process's heartbeat."""
    Heartbeat.objects.update_or_create(
        worker=jobs.WORKER,
        defaults={"version": settings.POK_VERSION, "threads": settings.WORKERS, "seen_at": Now()},
    )


def ring_due() -> int:
    """Top the queue up with due rows, never with the whole backlog; return how many bells rang.

    A row that was rung for a moment ago is most likely in the queue still, unless it is due anew since. While a
    supervisor has paused the analysis no bell rings.
    """
    from inquiries.tasks import analyse

    if SiteSettings.current().is_analysis_paused:
        return 0
    now = time.monotonic()
    for bell in [bell for bell, rung_at in _rung.items() if now - rung_at > RING_AGAIN]:
        del _rung[bell]
    room = 2 * settings.WORKERS - HUEY.pending_count()
    due = jobs.due_times(Analysis, 4 * settings.WORKERS)
    bells = [bell for bell in due.items() if bell not in _rung][: max(0, room)]
    for bell in bells:
        analyse(bell[0])
        _rung[bell] = now
    return len(bells)
