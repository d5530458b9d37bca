"""How fast it goes: what was finished in the last hour, how long it had waited and how long the reading took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.core.cache import caches
from django.db.models.functions import Now

from inquiries.models import Analysis, SiteSettings
from inquiries.states import AnalysisState, Purpose

SPAN = timedelta(hours=1)
STEP = timedelta(minutes=5)
MAX_READ = 5_000
CACHE_KEY = "pace"
CACHE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The median and the 95th percentile in milliseconds, by nearest rank; None where there is nothing to rank."""

    median: float | None = None
    p95: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Quantiles:
        """Rank the values."""
        ordered = sorted(values)
        return cls(_ranked(ordered, 0.5), _ranked(ordered, 0.95)) if ordered else cls()


def _ranked(ordered: Sequence[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1]


@dataclass(frozen=True, slots=True)
class Slice:
    """What was finished between `start` and `start` + STEP, or in the whole hour.

    `waiting` goes from an inquiry's arrival, a follow-up or a retry to the beginning of the attempt that gave the
    reading, pauses between attempts included; a redo, which waits for the service's return, has none. `reading` is
    the engine's own time. Where more was finished than is read, an early slice is not known.
    """

    start: datetime
    done: int = 0
    failed: int = 0
    waiting: Quantiles = Quantiles()
    reading: Quantiles = Quantiles()
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Pace:
    """The last hour in slices of STEP, the last of which goes on, and as a whole.

    `repeated` needed more than one attempt. `cut_at` is set where more than MAX_READ were finished: what came before it
    is in no figure.
    """

    slices: tuple[Slice, ...]
    total: Slice
    repeated: int = 0
    cut_at: datetime | None = None
    engines: dict[str, int] = field(default_factory=dict)  # engine -> readings
    reasons: dict[str, int] = field(default_factory=dict)  # value of AIReason -> failures


class _Done(NamedTuple):
    finished_at: datetime
    started_at: datetime | None
    created_at: datetime
    duration_ms: int | None
    attempts: int
    purpose: str
    engine: str

    @property
    def waited(self) -> float | None:
        if self.purpose == Purpose.REDO or self.started_at is None:
            return None
        return max((self.started_at - self.created_at).total_seconds() * 1_000, 0.0)


class _Failed(NamedTuple):
    finished_at: datetime
    attempts: int
    purpose: str
    error: str


Row = TypeVar("Row", _Done, _Failed)


def pace() -> Pace:
    """Return the last hour's figures, at most CACHE_SECONDS old; trials of comparisons are not among them."""
    found: Pace | None = caches["local"].get(CACHE_KEY)
    if found is None:
        found = _measured()
        caches["local"].set(CACHE_KEY, found, CACHE_SECONDS)
    return found


def _measured() -> Pace:
    now = _database_time()
    done = [_Done(*row) for row in _newest(AnalysisState.DONE, _Done._fields)]
    failed = [_Failed(*row) for row in _newest(AnalysisState.FAILED, _Failed._fields)]
    cut_at = max((rows[-1].finished_at for rows in (done, failed) if len(rows) > MAX_READ), default=None)
    done = [row for row in done if _counts(row, cut_at)]
    failed = [row for row in failed if _counts(row, cut_at)]
    first = _floor(now) - SPAN + STEP
    starts = [first + STEP * step for step in range(SPAN // STEP)]
    return Pace(
        slices=tuple(_slice(start, _within(done, start), _within(failed, start), cut_at) for start in starts),
        total=_slice(now - SPAN, done, failed, None),
        repeated=sum(row.attempts > 1 for row in done) + sum(row.attempts > 1 for row in failed),
        cut_at=cut_at,
        engines=dict(Counter(row.engine for row in done)),
        reasons=dict(Counter(row.error for row in failed)),
    )


def _database_time() -> datetime:
    SiteSettings.current()  # makes the row at the first start
    now: datetime = SiteSettings.objects.values_list(Now(), flat=True)[0]
    return now


def _newest(state: AnalysisState, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    ended = Analysis.objects.filter(state=state, finished_at__gt=Now() - SPAN).order_by("-finished_at")
    return list(ended.values_list(*columns)[: MAX_READ + 1])


def _counts(row: _Done | _Failed, cut_at: datetime | None) -> bool:
    return row.purpose != Purpose.COMPARE and (cut_at is None or row.finished_at > cut_at)


def _floor(moment: datetime) -> datetime:
    step = int(STEP.total_seconds())
    return moment - timedelta(seconds=moment.timestamp() % step)


def _within(rows: Iterable[Row], start: datetime) -> list[Row]:
    return [row for row in rows if start <= row.finished_at < start + STEP]


def _slice(start: datetime, done: Sequence[_Done], failed: Sequence[_Failed], cut_at: datetime | None) -> Slice:
    return Slice(
        start=start,
        done=len(done),
        failed=len(failed),
        waiting=Quantiles.of([row.waited for row in done if row.waited is not None]),
        reading=Quantiles.of([row.duration_ms for row in done if row.duration_ms is not None]),
        is_known=cut_at is None or start >= cut_at,
    )
