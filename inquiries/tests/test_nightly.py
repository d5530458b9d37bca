from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from inquiries import backups, erasing, leases, nightly
from inquiries.backups import BackupError, BackupReason, making
from inquiries.backups.manifest import Purpose
from inquiries.models import Inquiry, Lease, SiteSettings

pytestmark = pytest.mark.django_db
NIGHT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch, settings) -> None:
    settings.TIME_ZONE = "America/Bogota"  # five hours behind: 2 o'clock at NIGHT
    settings.BACKUP_DAYS = 0
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


class TestBackup:
    @pytest.fixture
    def made(self, monkeypatch, settings, tmp_path) -> list[Purpose]:
        settings.BACKUP_DAYS, settings.BACKUP_DIR = 14, tmp_path
        purposes: list[Purpose] = []

        def make(purpose, *, pulse):
            assert pulse()
            purposes.append(purpose)
            (tmp_path / "file").touch()
            manifest = SimpleNamespace(created_at=NIGHT)
            return making.Backup(tmp_path / "file", manifest)

        monkeypatch.setattr(making, "make", make)
        return purposes

    def test_one_a_night_before_anything_is_erased(self, at, made, monkeypatch):
        order: list[str] = []
        monkeypatch.setattr(erasing, "retention", lambda **options: order.append(f"erased after {len(made)}"))
        at(2)
        assert nightly.run_if_due()
        assert (made, order) == ([Purpose.NIGHTLY], ["erased after 1"])
        assert backups.last_success() == NIGHT

    def test_none_where_none_are_wanted(self, at, runs, made, settings):
        settings.BACKUP_DAYS = 0
        at(2)
        assert nightly.run_if_due()
        assert (made, runs) == ([], [False])

    def test_an_erasure_that_is_tried_again_makes_no_second_one(self, at, made, monkeypatch):
        def fail(**options):
            raise RuntimeError

        monkeypatch.setattr(erasing, "retention", fail)
        at(2)
        for _try in range(2):
            with pytest.raises(RuntimeError):
                nightly.run_if_due()
            forget(monkeypatch)
        assert made == [Purpose.NIGHTLY]

    def test_one_that_fails_is_seen_and_does_not_stop_the_erasure(self, at, runs, made, monkeypatch, caplog):
        def fail(purpose, *, pulse):
            raise BackupError(BackupReason.DISK_FULL, "/var/backups: no space left on device.")

        monkeypatch.setattr(making, "make", fail)
        at(2)
        assert nightly.run_if_due()
        assert runs == [False]
        assert (backups.last_success(), backups.last_error()) == (None, BackupReason.DISK_FULL)
        assert "backup_failed" in caplog.text
