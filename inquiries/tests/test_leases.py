from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inquiries import leases
from inquiries.models import Lease

pytestmark = pytest.mark.django_db


def test_a_duty_is_one_workers_until_it_runs_out(monkeypatch):
    assert leases.hold("learning", 60)
    assert leases.hold("learning", 60)
    monkeypatch.setattr(leases, "WORKER", "another:1")
    assert not leases.hold("learning", 60)
    Lease.objects.update(until=Now() - timedelta(seconds=1))
    assert leases.hold("learning", 60)


def test_what_is_given_back_is_free_at_once(monkeypatch):
    leases.hold("learning", 60)
    leases.let_go("learning")
    monkeypatch.setattr(leases, "WORKER", "another:1")
    assert leases.hold("learning", 60)


def test_nobody_gives_back_what_another_holds(monkeypatch):
    leases.hold("learning", 60)
    with monkeypatch.context() as other:
        other.setattr(leases, "WORKER", "another:1")
        leases.let_go("learning")
        assert not leases.hold("learning", 60)


def test_duties_are_apart(monkeypatch):
    leases.hold("learning", 60)
    monkeypatch.setattr(leases, "WORKER", "another:1")
    assert leases.hold("nightly", 60)
