from __future__ import annotations

import pytest
from django.core.management.base import CommandError
from django.db.models.functions import Now

from inquiries.backups import stores
from inquiries.management import quiet
from inquiries.models import Heartbeat


@pytest.fixture
def silent(db, monkeypatch) -> None:
    """Nobody has the database open, and the connection of this test stays."""

    class Unused:
        kind = "sqlite"

        def ensure_unused(self) -> bool:
            return True

    monkeypatch.setattr(stores, "current", Unused)
    monkeypatch.setattr(stores, "close_connections", lambda: None)


@pytest.fixture
def worker(db) -> None:
    Heartbeat.objects.create(worker="caja:7", version="0.1.0", threads=8)


def test_a_worker_that_beats_is_at_work(silent, worker, monkeypatch):
    monkeypatch.setattr(quiet.time, "sleep", lambda seconds: Heartbeat.objects.update(seen_at=Now()))
    with pytest.raises(CommandError, match="a worker beats"):
        quiet.ensure(force=True)  # which is nothing on SQLite


def test_one_that_was_killed_only_takes_a_moment(silent, worker, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(quiet.time, "sleep", waits.append)
    monkeypatch.setattr(quiet.metrics, "has_live_worker", lambda: len(waits) < 20)
    quiet.ensure(force=False)
    assert len(waits) == 20


def test_nobody_at_work_takes_no_time(silent, monkeypatch):
    monkeypatch.setattr(quiet.time, "sleep", lambda seconds: pytest.fail("it waited"))
    quiet.ensure(force=False)
