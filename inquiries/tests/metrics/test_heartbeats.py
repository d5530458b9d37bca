from __future__ import annotations

from datetime import timedelta

import pytest

from inquiries import metrics
from inquiries.tests.metrics.helpers import beat

pytestmark = pytest.mark.django_db


def test_a_worker_is_alive_for_fifteen_seconds():
    beat("a:1", timedelta(seconds=13))
    beat("b:2", timedelta(seconds=17))
    workers = metrics.workers()
    assert [(worker.name, worker.is_alive) for worker in workers] == [("a:1", True), ("b:2", False)]
    assert timedelta(seconds=13) <= workers[0].age < timedelta(seconds=15)
    assert metrics.has_live_worker()


def test_a_worker_that_is_long_gone_is_not_listed():
    beat("a:1", timedelta(minutes=59))
    beat("b:2", timedelta(minutes=61))
    assert [worker.name for worker in metrics.workers()] == ["a:1"]


def test_only_silent_workers_are_no_live_worker():
    beat("a:1", timedelta(seconds=16))
    assert not metrics.has_live_worker()


def test_the_clock_is_the_databases(monkeypatch):
    """A web host whose clock is an hour fast must not declare every worker dead."""
    from django.utils import timezone

    beat("a:1", timedelta(0))
    real = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: real + timedelta(hours=1))
    assert metrics.has_live_worker()
    assert metrics.workers()[0].is_alive


def test_a_worker_of_another_version_is_told_apart(settings):
    beat("a:1", version=settings.POK_VERSION)
    beat("b:2", version="0.0.1")
    assert {worker.name: worker.has_other_version for worker in metrics.workers()} == {"a:1": False, "b:2": True}
