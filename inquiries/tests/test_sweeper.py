from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace
from unittest import mock

import pytest
from django.core.cache import caches
from django.db import OperationalError
from django.db.models.functions import Now

from inquiries import bell, jobs, services, sweeper, tasks
from inquiries.models import Analysis, Delivery, Heartbeat, IdempotencyKey, Inquiry, ReceiptPause
from inquiries.states import AnalysisState
from inquiries.tests.factories import make_delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    bells: list[int] = []
    monkeypatch.setattr(tasks, "analyse", bells.append)
    return bells


@pytest.fixture(autouse=True)
def _quick_rounds(monkeypatch):
    monkeypatch.setattr(sweeper, "PERIOD", 0.05)
    monkeypatch.setattr(sweeper, "QUICK", 0.01)
    monkeypatch.setattr(sweeper, "_rung", {})


@pytest.fixture
def pending(monkeypatch):
    """Say how many entries the queue holds."""

    def say(count):
        monkeypatch.setattr(sweeper.HUEY, "pending_count", lambda: count)

    say(0)
    return say


def test_due_rows_are_rung_for(make_inquiry, rung, pending):
    due, later, over = (make_inquiry().analyses.get() for _ in range(3))
    Analysis.objects.filter(pk=later.pk).update(due_at=Now() + timedelta(minutes=1))
    Analysis.objects.filter(pk=over.pk).update(due_at=None, state=AnalysisState.DONE)
    assert sweeper.ring_due() == 1
    assert rung == [due.pk]


def test_the_queue_is_topped_up_and_never_flooded(make_inquiry, rung, pending, settings):
    settings.WORKERS = 2
    for _ in range(6):
        make_inquiry()
    pending(1)
    assert sweeper.ring_due() == 3
    pending(40)
    assert sweeper.ring_due() == 0


def test_no_bell_rings_while_the_analysis_is_paused(make_inquiry, rung, pending, supervisor):
    make_inquiry()
    services.pause_analysis(actor=supervisor)
    caches["local"].clear()  # as after its few seconds
    assert sweeper.ring_due() == 0
    services.resume_analysis(actor=supervisor)
    caches["local"].clear()
    assert sweeper.ring_due() == 1


def test_a_row_that_was_rung_for_is_not_rung_for_again_at_once(make_inquiry, rung, pending, monkeypatch):
    make_inquiry()
    assert [sweeper.ring_due(), sweeper.ring_due()] == [1, 0]
    monkeypatch.setattr(sweeper, "RING_AGAIN", -1.0)
    assert sweeper.ring_due() == 1


def test_a_row_that_is_due_anew_is_rung_for_again(make_inquiry, rung, pending):
    analysis = make_inquiry().analyses.get()
    sweeper.ring_due()
    Analysis.objects.filter(pk=analysis.pk).update(due_at=Now() - timedelta(seconds=1))
    assert sweeper.ring_due() == 1
    assert rung == [analysis.pk, analysis.pk]


def test_lost_bells_are_made_good_within_one_round(make_inquiry, rung, pending, settings):
    settings.WORKERS = 1
    rows = [make_inquiry().analyses.get().pk for _ in range(4)]
    sweeper.PERIOD = 0.5
    sweeper.sweep()
    assert sorted(rung) == rows


def test_a_heartbeat_is_one_row_that_is_seen_again(pending):
    sweeper.beat()
    Heartbeat.objects.update(seen_at=Now() - timedelta(hours=1))
    sweeper.beat()
    beat = Heartbeat.objects.get()
    assert (beat.worker, beat.version) == (jobs.WORKER, "0.1.0")
    assert beat.seen_at > beat.started_at - timedelta(minutes=1)


def test_a_worker_that_stops_on_purpose_leaves_no_heartbeat(monkeypatch, rung, pending):
    monkeypatch.setattr(sweeper, "connection", SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(sweeper, "_leaving", threading.Event())
    sweeper.beat()
    sweeper.leave()
    sweeper.sweep()
    assert not Heartbeat.objects.exists()


def test_what_cannot_be_finished_in_time_is_handed_over(make_inquiry):
    inquiry = make_inquiry()
    analysis = inquiry.analyses.get()
    taken = jobs.claim(Analysis, analysis.pk)
    Inquiry.objects.filter(pk=inquiry.pk).update(ai_state=AnalysisState.RUNNING)
    with jobs.held(taken):
        sweeper.hand_over()
    inquiry.refresh_from_db()
    analysis.refresh_from_db()
    assert (inquiry.ai_state, analysis.state) == (AnalysisState.QUEUED, AnalysisState.QUEUED)


def test_a_mail_is_handed_over_only_where_its_text_has_not_gone_out(make_inquiry):
    mails = [make_delivery(make_inquiry()) for _ in range(2)]
    taken = [jobs.claim(Delivery, mail.pk) for mail in mails]
    jobs.note(taken[1], handed_at=Now())
    with jobs.held(taken[0]), jobs.held(taken[1]):
        sweeper.hand_over()
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["queued", "sending"]


def test_a_database_that_is_away_does_not_keep_a_worker_from_ending(monkeypatch):
    monkeypatch.setattr(jobs, "give_back_all", mock.Mock(side_effect=OperationalError("gone")))
    sweeper.hand_over()


def test_a_round_renews_beats_and_rings(make_inquiry, rung, pending):
    held, due = (make_inquiry().analyses.get() for _ in range(2))
    with jobs.held(jobs.claim(Analysis, held.pk)):
        Analysis.objects.filter(pk=held.pk).update(due_at=Now() - timedelta(seconds=1))
        sweeper.sweep()
    assert rung == [due.pk]
    assert Heartbeat.objects.count() == 1


def test_what_nobody_asks_for_is_pruned(make_inquiry, pending):
    inquiry = make_inquiry()
    IdempotencyKey.objects.create(scope="form", key="old", body_digest="", inquiry=inquiry)
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=25))
    IdempotencyKey.objects.create(scope="form", key="new", body_digest="", inquiry=inquiry)
    Heartbeat.objects.create(worker="gone", version="0", threads=1)
    Heartbeat.objects.update(seen_at=Now() - timedelta(days=2))
    ReceiptPause.objects.create(address_key="over", until=Now() - timedelta(seconds=1))
    ReceiptPause.objects.create(address_key="still", until=Now() + timedelta(minutes=1))
    sweeper.prune()
    assert [pause.address_key for pause in ReceiptPause.objects.all()] == ["still"]
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]
    assert not Heartbeat.objects.exists()


class Over(BaseException):
    """Ends the endless loop of a test."""


def test_the_thread_outlives_a_database_that_is_away(monkeypatch):
    rounds: list[int] = []

    def away():
        rounds.append(1)
        if len(rounds) == 3:
            raise Over
        raise OperationalError

    monkeypatch.setattr(sweeper, "sweep", away)
    with pytest.raises(Over):
        sweeper._loop()
    assert len(rounds) == 3


@pytest.mark.parametrize("error", [OSError(), __import__("sqlite3").OperationalError("locked")])
def test_a_bell_that_cannot_ring_is_only_logged(monkeypatch, error):
    def fail(_pk: int) -> None:
        raise error

    monkeypatch.setattr(bell, "analyse", fail)
    bell.ring(1)


@pytest.fixture
def worker_queue():
    """The queue, in a process that is a worker."""
    sweeper.HUEY.storage.listen()
    yield sweeper.HUEY.storage
    sweeper.HUEY.storage.close()


def test_the_bell_puts_a_signed_entry_into_the_queue(worker_queue):
    bell.ring(41)
    entry = worker_queue.dequeue()
    assert sweeper.HUEY.deserialize_task(entry).args == (41,)
    with pytest.raises(ValueError, match=r"[Ss]ignature"):
        sweeper.HUEY.deserialize_task(entry[:-1] + bytes([entry[-1] ^ 1]))
