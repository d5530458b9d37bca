"""One thread in each worker process that learns: loads new heads, and, in one process at a time, makes them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from inquiries import breaker, calibration, engines, jobs, learning, leases, nightly, training
from inquiries.ai.engine import AIError
from inquiries.categories import live_categories
from pok.logging import get_logger

log = get_logger(__name__)
PERIOD = 3.0  # seconds
DUTY = "learning"
DUTY_SECONDS = 180.0  # longer than a training from nothing takes
REFIT_EVERY = 600.0
# Seconds of a process's life: what waits for the AI service is read first, and a training takes a minute of a core.
SETTLE = 30.0
NICE = 10
# Vectors of waiting inquiries in one round, 10 ms of a core each.
MOST_VECTORS = 50
FEW_VECTORS = 5
_started = threading.Lock()
_leaving = threading.Event()


def start() -> None:
    """Start the thread once in this process; it ends with the process."""
    if _started.acquire(blocking=False):
        threading.Thread(target=_loop, name="learner", daemon=True).start()


def leave() -> None:
    """Stop learning and let another worker take over; a training under way is dropped with the process."""
    _leaving.set()
    try:
        leases.let_go(DUTY)
    except DatabaseError as error:  # it runs out by itself
        log.warning("leave_failed", error=type(error).__name__)
    finally:
        connection.close()


def warm_up() -> None:
    """Load encoder and heads where the embedded engine reads first, so that the first customer does not wait."""
    breaker.forgive_settings()
    if engines.is_switched_on() and not engines.uses_openai():
        training.load_newest()
        engines.embedded_engine().warm_up(live_categories())


def _loop() -> None:
    _guarded(_give_way)
    _guarded(warm_up)
    refitted_at, began = -REFIT_EVERY, time.monotonic()
    while not _leaving.wait(PERIOD):
        _guarded(nightly.run_if_due)
        is_refit_due = time.monotonic() - refitted_at >= REFIT_EVERY
        has_settled = time.monotonic() - began >= SETTLE
        if _guarded(partial(step, refit=is_refit_due, train=has_settled)) and is_refit_due:
            refitted_at = time.monotonic()


def _give_way() -> None:
    """Let the threads that read for customers go first; on Linux a thread has a priority of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def step(*, refit: bool = False, train: bool = True) -> None:
    """Do one round: load what is new, and learn if that duty is this worker's."""
    training.load_newest()
    if not engines.is_switched_on() or not leases.hold(DUTY, DUTY_SECONDS):
        return
    breaker.wake_a_probe()
    while learning.learn_pending():
        leases.hold(DUTY, DUTY_SECONDS)
    if refit:
        calibration.refit()
    if not learning.wants_encoder():
        return
    # What waits for a reading goes first: nobody looks for cases like it before.
    learning.embed_waiting(MOST_VECTORS if jobs.under_way() < settings.WORKERS / 2 else FEW_VECTORS)
    # Where the embedded engine reads first, its rough heads should not do so a moment longer than they must.
    if (train or not engines.uses_openai()) and training.train_if_changed():
        training.load_newest()


def _guarded(work: Callable[[], object]) -> bool:
    """Run one step; what fails is logged and tried again in the next round, the thread goes on."""
    try:
        work()
    except AIError as error:
        log.warning("learning_failed", error=error.kind.value)
        return False
    except Exception as error:
        log.exception("learning_failed", error=type(error).__name__)
        return False
    finally:
        close_old_connections()
    return True
