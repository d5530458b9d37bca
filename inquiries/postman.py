"""The threads of each worker process that send mails. They are none of Huey's: those may all wait for the AI service.

A mail needs no bell. An answer comes due when its undo window is over, at a moment when nobody is there to ring,
so one thread looks every second.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

from django.db import close_old_connections, connection

from inquiries import delivery, mail_health
from inquiries.mail_health import Permit
from pok.logging import get_logger

log = get_logger(__name__)
THREADS = 4
PERIOD = 1.0  # seconds between two looks while nothing is due
GRACE = 20.0  # seconds for what is under way when the worker stops; less than the worker itself has
_started = threading.Lock()
_leaving = threading.Event()
_look = threading.Event()  # look now
_under_way: dict[int, Future[None]] = {}
_lock = threading.Lock()


def start() -> None:
    """Start the thread; Huey calls this once for every worker thread, one start counts."""
    if _started.acquire(blocking=False):
        threading.Thread(target=_loop, name="postman", daemon=True).start()


def leave() -> None:
    """Begin no further mail and wait for those under way: one that is cut off after its text is left to a person."""
    _leaving.set()
    _look.set()
    with _lock:
        current = list(_under_way.values())
    wait(current, timeout=GRACE)


def _loop() -> None:
    # Not daemons: a worker that ends waits for them.
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
    failing, is_first = False, True
    while not _leaving.is_set():
        _look.clear()
        try:
            if is_first:
                mail_health.try_at_once()
            is_first = False
            hand_out(pool)
            failing = False
        except Exception as error:
            # The database is away: the next look tries again, the log says it once.
            if not failing:
                log.exception("postman_failed", error=type(error).__name__)
            failing = True
        finally:
            close_old_connections()
        _look.wait(PERIOD)
    connection.close()


def hand_out(pool: ThreadPoolExecutor) -> int:
    """Give due mails to the free threads; return how many."""
    with _lock:
        current = set(_under_way)
    free = THREADS - len(current)
    if free <= 0 or mail_health.is_paused():
        return 0
    due = delivery.due_ids(free, current)
    permit = mail_health.permit() if due else Permit.REFUSED
    chosen = {Permit.REFUSED: [], Permit.PROBE: due[:1], Permit.GRANTED: due}[permit]
    for pk in chosen:
        with _lock:
            _under_way[pk] = pool.submit(_send, pk, is_probe=permit == Permit.PROBE)
    return len(chosen)


def _send(pk: int, *, is_probe: bool) -> None:
    try:
        delivery.run(pk, is_probe=is_probe)
    except Exception as error:
        # Most likely the database: the lease runs out, and whoever finds the row goes on as it stands.
        log.exception("mail_given_up", delivery_id=pk, error=type(error).__name__)
    else:
        _look.set()  # a thread is free: there may be more
    finally:
        close_old_connections()
        with _lock:
            _under_way.pop(pk, None)
