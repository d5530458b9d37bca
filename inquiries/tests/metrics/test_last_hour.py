from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.core.cache import caches
from django.db.models.functions import Now

from inquiries import metrics
from inquiries.metrics import last_hour
from inquiries.metrics.last_hour import Quantiles
from inquiries.models import Analysis
from inquiries.states import AIReason, AnalysisState, Purpose

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def _ended(inquiry, end, *, waited: float = 2.0, state: str = AnalysisState.DONE, **fields) -> Analysis:
    """An analysis that ended at `end`, or so many minutes ago, one second after it was begun."""
    end = Now() - MINUTE * end if isinstance(end, int) else end
    begin = end - timedelta(seconds=1)
    values = {"duration_ms": 800, "attempts": 1, "engine": "openai", "state": state, "due_at": None} | fields
    row = Analysis.objects.create(inquiry=inquiry, **values)
    Analysis.objects.filter(pk=row.pk).update(
        finished_at=end, started_at=begin, created_at=begin - timedelta(seconds=waited)
    )
    return row


@pytest.mark.parametrize(
    ("values", "median", "p95"),
    [
        ([], None, None),
        ([7], 7, 7),
        ([3, 1, 2], 2, 3),
        ([1, 2], 1, 2),
        (list(range(1, 21)), 10, 19),
        (list(range(1, 101)), 50, 95),
    ],
)
def test_quantiles_by_nearest_rank(values, median, p95):
    assert Quantiles.of(values) == Quantiles(median, p95)


def test_an_hour_without_anything():
    found = metrics.pace()
    assert len(found.slices) == 12
    assert all((part.done, part.failed, part.waiting.median) == (0, 0, None) for part in found.slices)
    assert (found.total.done, found.repeated, found.cut_at) == (0, 0, None)


def test_slices_are_of_five_minutes_by_the_clock_and_the_last_goes_on(inquiry):
    found = metrics.pace()
    starts = [part.start for part in found.slices]
    assert all((start.minute % 5, start.second, start.microsecond) == (0, 0, 0) for start in starts)
    assert {later - earlier for earlier, later in pairwise(starts)} == {5 * MINUTE}
    assert starts[-1] <= found.total.start + timedelta(hours=1) < starts[-1] + 5 * MINUTE


def test_each_is_counted_where_it_ended(make_inquiry):
    start = metrics.pace().slices[6].start
    caches["local"].delete(last_hour.CACHE_KEY)
    inquiry = make_inquiry()
    for waited in (2, 4, 6, 8):
        _ended(inquiry, start + MINUTE, waited=waited, duration_ms=waited * 100)
    _ended(inquiry, start + 4.9 * MINUTE, state=AnalysisState.FAILED, error=AIReason.TIMEOUT, engine="")
    _ended(inquiry, start - MINUTE, waited=100)
    _ended(inquiry, Now() - 61 * MINUTE, waited=999)
    found = metrics.pace()
    (part,) = [part for part in found.slices if part.start == start]
    assert (part.done, part.failed) == (4, 1)
    assert part.reading == Quantiles(400, 800)
    assert (part.waiting.median, part.waiting.p95) == (pytest.approx(4_000), pytest.approx(8_000))
    assert (found.total.done, found.total.failed) == (5, 1)
    assert found.total.waiting.p95 == pytest.approx(100_000)
    assert sum(part.done + part.failed for part in found.slices) == 6
    assert (found.engines, found.reasons) == ({"openai": 5}, {"timeout": 1})


def test_who_needed_more_than_one_attempt(inquiry):
    Analysis.objects.all().delete()
    for attempts in (1, 2, 3):
        _ended(inquiry, 1, attempts=attempts)
    _ended(inquiry, 1, attempts=6, state=AnalysisState.FAILED)
    assert metrics.pace().repeated == 3


def test_trials_do_not_count_and_a_redo_has_no_waiting(inquiry):
    Analysis.objects.all().delete()
    _ended(inquiry, 1, purpose=Purpose.COMPARE)
    _ended(inquiry, 1, purpose=Purpose.REDO, waited=3_000)
    found = metrics.pace()
    assert found.total.done == 1
    assert found.total.waiting == Quantiles()
    assert found.total.reading == Quantiles(800, 800)


def test_past_the_limit_the_newest_count_and_it_is_said(inquiry, monkeypatch):
    monkeypatch.setattr(last_hour, "MAX_READ", 3)
    Analysis.objects.all().delete()
    rows = [_ended(inquiry, minutes) for minutes in (1, 12, 22, 32, 42)]
    found = metrics.pace()
    assert found.total.done == 3
    assert found.cut_at == Analysis.objects.get(pk=rows[3].pk).finished_at
    known = [part.is_known for part in found.slices]
    assert known == sorted(known)
    assert 0 < known.count(True) < 12
    assert all(part.done == 0 for part in found.slices[:6] if not part.is_known)


def test_as_many_as_the_limit_are_all(inquiry, monkeypatch):
    monkeypatch.setattr(last_hour, "MAX_READ", 3)
    Analysis.objects.all().delete()
    for minutes in (1, 12, 22):
        _ended(inquiry, minutes)
    assert metrics.pace().cut_at is None


def test_it_is_asked_for_once_in_ten_seconds(inquiry, django_assert_num_queries):
    metrics.pace()
    with django_assert_num_queries(0):
        metrics.pace()
    caches["local"].delete(last_hour.CACHE_KEY)
    with django_assert_num_queries(3):  # the time, what was done, what failed
        metrics.pace()
