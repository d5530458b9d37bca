from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from inquiries import erasing, leases, nightly
from inquiries.models import Inquiry, Lease, SiteSettings

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch, settings) -> None:
    settings.TIME_ZONE = "America/Bogota"  # five hours behind: 2 o'clock at NIGHT
    forget(monkeypatch)


def forget(monkeypatch) -> None:
    """Be another process, or the same after the wait that follows a failure."""
    monkeypatch.setattr(nightly, "_done", None)
    monkeypatch.setattr(nightly, "_not_before", 0.0)


@pytest.fixture
def at(monkeypatch):
    def set_clock(hours: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: NIGHT + timedelta(hours=hours))

    return set_clock


@pytest.fixture
def runs(monkeypatch) -> list[bool]:
    made: list[bool] = []

    def retention(*, dry_run, pulse):
        made.append(dry_run)
        assert pulse()

    monkeypatch.setattr(erasing, "retention", retention)
    return made


def test_it_runs_once_a_day_from_three_o_clock_on(at, runs):
    at(0.9)
    assert not nightly.run_if_due()
    at(1)
    assert nightly.run_if_due()
    at(20)
    assert not nightly.run_if_due()
    at(25.1)
    assert nightly.run_if_due()
    assert runs == [False, False]
    assert Lease.objects.get(name=nightly.STAMP).holder == "2026-03-03"


def test_another_process_sees_that_it_is_done(at, runs, monkeypatch):
    at(2)
    assert nightly.run_if_due()
    forget(monkeypatch)
    monkeypatch.setattr(leases, "WORKER", "another:1")
    assert not nightly.run_if_due()
    assert runs == [False]


def test_a_machine_that_sleeps_at_night_does_it_when_it_wakes(at, runs):
    at(10)
    assert nightly.run_if_due()


def test_two_processes_do_not_work_at_once(at, runs, monkeypatch):
    at(2)
    with monkeypatch.context() as other:
        other.setattr(leases, "WORKER", "another:1")
        leases.hold(nightly.DUTY, 60)
    assert not nightly.run_if_due()
    assert runs == []


def test_what_is_done_costs_no_query(at, runs, django_assert_num_queries):
    at(2)
    nightly.run_if_due()
    with django_assert_num_queries(0):
        assert not nightly.run_if_due()


def test_a_failure_is_told_and_tried_again_later(at, runs, monkeypatch, django_assert_num_queries):
    at(2)

    def fail(**options):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(erasing, "retention", fail)
        with pytest.raises(RuntimeError):
            nightly.run_if_due()
    with django_assert_num_queries(0):
        assert not nightly.run_if_due()
    forget(monkeypatch)
    assert nightly.run_if_due()
    assert runs == [False]


def test_rules_are_kept_without_a_hand(at, make_inquiry, categories):
    SiteSettings.objects.update_or_create(pk=1, defaults={"spam_retention_days": 30})
    gone, kept = make_inquiry(status="spam"), make_inquiry()
    Inquiry.objects.update(updated_at=Now() - timedelta(days=31))
    at(2)
    assert nightly.run_if_due()
    assert list(Inquiry.objects.all()) == [kept]
    assert gone.pk != kept.pk
