"""Claim, renew, record, retry: how background work survives a crash, written once for every Job table.

The row is the truth. A worker takes it with one conditional UPDATE, holds it by a lease that its process renews,
and writes its result only while its own claim token stands. All times are the database's, so that hosts with
skewed clocks agree.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from inquiries.models import Job
from inquiries.models.job import JobQuerySet
from pok.compiled import Given, Update
from pok.logging import get_logger

Result = TypeVar("Result")
log = get_logger(__name__)
WORKER = f"{socket.gethostname()}:{os.getpid()}"
LEASE = timedelta(seconds=20)
RENEW_FOR = 300.0  # seconds; a call that hangs longer than this loses its lease
MAX_ATTEMPTS = 6
MAX_CRASHES = 3
SUSPECT = 2  # crashes
NEXT_SUSPECT = 4.0  # seconds until one that had to wait is looked at again
CLAIMING = 2.0  # seconds
FIRST_BACKOFF = 5.0
LONGEST_BACKOFF = 600.0
PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is this worker's until its lease ends."""

    model: type[Job]
    pk: int
    token: uuid.UUID
    attempts: int
    crashes: int
    since: float  # time.monotonic()
    row: Job

    @property
    def is_poison(self) -> bool:
        """Tell whether this job has taken its worker down so often that it must not be tried again."""
        return self.crashes >= MAX_CRASHES


_held: dict[uuid.UUID, Claim] = {}
_held_lock = threading.Lock()


class Alone:
    """Which suspect this process tries: one at a time."""

    def __init__(self) -> None:
        self._job: tuple[type[Job], int] | None = None
        self._token: uuid.UUID | None = None
        self._since = 0.0

    def reserve(self, job: tuple[type[Job], int], token: uuid.UUID) -> bool:
        """Take the place for a claim of this job; False where another suspect is being tried."""
        with _held_lock:
            now = time.monotonic()
            # Between its claim and its work a suspect is not held yet.
            is_taken = self._token in _held or now - self._since < CLAIMING
            if self._job not in {None, job} and is_taken:
                return False
            self._job, self._token, self._since = job, token, now
            return True

    def give_up(self) -> None:
        """Leave the place: the claim found no job."""
        self._job = None


_alone = Alone()


def claim(model: type[Job], pk: int, *related: str) -> Claim | None:
    """Take a due job, or return None where another worker has it, it is over, or it must wait to be tried alone.

    Its row comes with the `related` ones.

    A job that is still running when its lease ends was left by a worker that died. That counts as a crash for all
    that were under way in that process, although one of them will have done it. Before a third crash would end them
    all, each is tried without the others.
    """
    token = uuid.uuid4()
    is_taken = _taking(model, is_suspect=False)(pk=pk, token=token, worker=WORKER) or _take_alone(model, pk, token)
    if not is_taken:
        return None
    rows = model.objects.select_related(*related) if related else model.objects.all()
    row: Job = rows.get(pk=pk)
    return Claim(model, pk, token, row.attempts, row.crashes, time.monotonic(), row)


def _take_alone(model: type[Job], pk: int, token: uuid.UUID) -> bool:
    if not _alone.reserve((model, pk), token):
        # Not all at the same moment: there is one place.
        later = Now() + timedelta(seconds=random.uniform(0.5, 1.0) * NEXT_SUSPECT)  # noqa: S311
        _due(model, is_suspect=True).filter(pk=pk).update(due_at=later)
        return False
    is_taken = bool(_taking(model, is_suspect=True)(pk=pk, token=token, worker=WORKER))
    if not is_taken:
        _alone.give_up()
    return is_taken


def _due(model: type[Job], *, is_suspect: bool) -> JobQuerySet:
    # The claim counts the crash, so a row may not show its last one yet.
    suspect = Q(crashes__gte=SUSPECT) | Q(crashes=SUSPECT - 1, state=model.BUSY)
    due: JobQuerySet = model.objects.filter(due_at__lte=Now(), state__in=model.live_states())
    return due.filter(suspect) if is_suspect else due.exclude(suspect)


@cache
def _taking(model: type[Job], *, is_suspect: bool) -> Update:
    return Update(
        _due(model, is_suspect=is_suspect).filter(pk=Given("pk", model)),
        state=model.BUSY,
        claim_token=Given("token", model, "claim_token"),
        attempts=F("attempts") + 1,
        crashes=F("crashes") + Case(When(state=model.BUSY, then=Value(1)), default=Value(0)),
        started_at=Now(),
        due_at=Now() + LEASE,
        worker=Given("worker", model),
    )


@contextmanager
def held(taken: Claim) -> Iterator[None]:
    """Keep the lease renewed by `renew_leases` while the work goes on."""
    with _held_lock:
        _held[taken.token] = taken
    try:
        yield
    finally:
        with _held_lock:
            _held.pop(taken.token, None)


def under_way() -> int:
    """How many jobs this process is working on."""
    return len(_held)


def renew_leases() -> None:
    """Prolong what this process is working on; called every few seconds by the sweeper."""
    with _held_lock:
        current = list(_held.values())
    for taken in current:
        if time.monotonic() - taken.since < RENEW_FOR:
            _mine(taken).update(due_at=Now() + LEASE)


def note(taken: Claim, **fields: Any) -> bool:
    """Write something down in the middle of the work. False means that the claim was lost: nothing was written."""
    return bool(_mine(taken).update(due_at=Now() + LEASE, **fields))


def record(taken: Claim, state: str, **fields: Any) -> bool:
    """Finish the job, with plain values. False means that the claim was lost meanwhile: nothing was written."""
    finish = _finishing(taken.model, tuple(fields))
    return bool(finish(pk=taken.pk, token=taken.token, state=state, **fields))


@cache
def _finishing(model: type[Job], names: tuple[str, ...]) -> Update:
    mine = model.objects.filter(pk=Given("pk", model), claim_token=Given("token", model, "claim_token"))
    written = {name: Given(name, model) for name in ("state", *names)}
    return Update(mine.filter(state=model.BUSY), due_at=None, finished_at=Now(), **written)


def put_back(taken: Claim, after: float, **fields: Any) -> bool:
    """Queue the job again for a try in `after` seconds. False means that the claim was lost."""
    return bool(_mine(taken).update(state=taken.model.QUEUED, due_at=Now() + timedelta(seconds=after), **fields))


def patiently(work: Callable[[], Result]) -> Result:
    """Do what needs the database, however long it is away, up to a minute.

    For what follows on something outside that must not be lost: a mail that was sent, an answer of the AI that was
    paid for. `work` may run more than once, so what it writes is fenced by the claim.
    """
    for pause in PATIENCE:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            log.warning("waiting_for_database", error=type(error).__name__)
            connection.close()
            time.sleep(pause)
    return work()


def give_back_all(model: type[Job], **only: Any) -> list[int]:
    """Queue again what this process still works on, as if it had not begun; return the ids. `only` are conditions.

    For a worker that must end now: the next one takes the jobs up at once instead of waiting for the leases to run
    out, and no crash is counted. The work itself may go on until the process ends, and writes nothing any more.
    """
    with _held_lock:
        current = [taken for taken in _held.values() if taken.model is model]
    again = {"state": model.QUEUED, "due_at": Now(), "claim_token": None, "attempts": F("attempts") - 1}
    return [taken.pk for taken in current if _mine(taken).filter(**only).update(**again)]


def backoff(attempts: int, retry_after: float | None = None) -> float:
    """Seconds until the next try: doubling with jitter, never sooner than the vendor asks (Retry-After)."""
    delay: float = min(FIRST_BACKOFF * 2 ** (attempts - 1), LONGEST_BACKOFF) * random.uniform(0.8, 1.2)  # noqa: S311
    return max(delay, retry_after or 0.0)


def due_ids(model: type[Job], limit: int) -> list[int]:
    """Jobs to ring the bell for, longest due first."""
    return list(due_times(model, limit))


def due_times(model: type[Job], limit: int) -> dict[int, datetime]:
    """The same, and since when each is due."""
    return dict(model.objects.due().values_list("pk", "due_at")[:limit]) if limit > 0 else {}


def _mine(taken: Claim) -> JobQuerySet:
    return taken.model.objects.filter(pk=taken.pk, claim_token=taken.token, state=taken.model.BUSY)
