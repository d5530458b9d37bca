from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from huey.contrib.djhuey import HUEY
from redis.exceptions import RedisError

from inquiries import metrics, services
from inquiries.models import Analysis
from inquiries.states import AIReason, AnalysisState, Purpose, Status
from inquiries.tests.metrics.helpers import age, beat

pytestmark = pytest.mark.django_db


def test_an_empty_desk():
    assert metrics.backlog() == metrics.Backlog(0, 0, 0, 0, 0, 0, "", None)
    assert metrics.workers() == []
    assert not metrics.has_live_worker()
    assert not metrics.last_failures()
    assert not metrics.waiting_to_try_again()


def test_the_backlog_counts_what_the_machine_owes(make_inquiry):
    make_inquiry()
    make_inquiry()
    make_inquiry(ai_state=AnalysisState.RUNNING)
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA, status=Status.CLOSED)
    make_inquiry(ai_state=AnalysisState.SKIPPED, ai_error=AIReason.DISABLED)
    make_inquiry(ai_state=AnalysisState.SKIPPED, ai_error=AIReason.SPAM, status=Status.SPAM)
    make_inquiry(analysed=True)
    found = metrics.backlog()
    assert (found.queued, found.running, found.failed, found.skipped, found.provisional) == (2, 1, 1, 1, 0)


def test_provisional_readings_are_counted_while_they_wait_and_say_why(make_inquiry):
    make_inquiry(analysed=True, is_provisional=True, ai_error=AIReason.TIMEOUT)
    make_inquiry(analysed=True, is_provisional=True, ai_error=AIReason.QUOTA)
    make_inquiry(analysed=True, is_provisional=True, ai_error=AIReason.TIMEOUT, status=Status.ANSWERED)
    found = metrics.backlog()
    assert found.provisional == 2
    assert found.provisional_reason == str(AIReason.QUOTA.label)


def test_counts_stop_at_the_cap(make_inquiry, monkeypatch):
    monkeypatch.setattr("inquiries.models.inquiry.InquiryQuerySet.capped_count.__defaults__", (2,))
    for _index in range(4):
        make_inquiry()
    assert metrics.backlog().queued == 3


def test_the_oldest_is_the_one_that_came_in_first_and_is_not_done(make_inquiry):
    old, new = make_inquiry(), make_inquiry()
    done = make_inquiry(analysed=True)
    age(new.analyses.get(), created_at=timedelta(minutes=1))
    age(done.analyses.get(), created_at=timedelta(hours=9))
    # Put back after a failure: due in a while, but it has waited since it came in.
    age(old.analyses.get(), created_at=timedelta(minutes=30), due_at=-timedelta(minutes=5))
    oldest = metrics.backlog().oldest
    assert oldest is not None
    assert timedelta(minutes=30) <= oldest < timedelta(minutes=31)


def test_a_redo_that_waits_for_its_hour_is_owed_to_nobody(make_inquiry):
    inquiry = make_inquiry(analysed=True, is_provisional=True)
    Analysis.objects.create(inquiry=inquiry, purpose=Purpose.REDO)
    assert metrics.backlog().oldest is None


# --- Stuck -------------------------------------------------------------------------------------
LATE = timedelta(seconds=70)


def _finished(make_inquiry, length: timedelta, state: AnalysisState = AnalysisState.DONE) -> None:
    inquiry = make_inquiry(analysed=True)
    Analysis.objects.filter(inquiry=inquiry).update(state=state, finished_at=Now() - length)


def test_what_is_due_for_over_a_minute_is_stuck_where_a_worker_is_alive_and_nothing_moves(make_inquiry):
    late, fresh = make_inquiry(), make_inquiry()
    age(late.analyses.get(), due_at=LATE)
    age(fresh.analyses.get(), due_at=timedelta(seconds=50))
    assert metrics.backlog().stuck == 0  # without any worker that is no wonder, and the page says that
    beat("a:1")
    assert metrics.backlog().stuck == 1


@pytest.mark.parametrize(("state", "since", "stuck"), [("done", 50, 0), ("failed", 50, 0), ("done", 70, 1)])
def test_a_backlog_that_moves_only_waits_for_its_turn(make_inquiry, state, since, stuck):
    beat("a:1")
    age(make_inquiry().analyses.get(), due_at=LATE)
    _finished(make_inquiry, timedelta(seconds=since), AnalysisState(state))
    assert metrics.backlog().stuck == stuck


def test_a_lease_that_ended_over_a_minute_ago_is_stuck_whatever_else_moves(make_inquiry):
    for length in (LATE, timedelta(seconds=50)):
        running = make_inquiry(ai_state=AnalysisState.RUNNING)
        age(running.analyses.get(), due_at=length)
    _finished(make_inquiry, timedelta(0))
    assert metrics.backlog().stuck == 1


def test_a_retry_that_waits_for_its_hour_is_not_stuck(make_inquiry):
    beat("a:1")
    age(make_inquiry().analyses.get(), created_at=timedelta(hours=1), due_at=-timedelta(minutes=5))
    assert metrics.backlog().stuck == 0


def test_nothing_is_stuck_while_the_analysis_is_paused(make_inquiry, paused):
    beat("a:1")
    age(make_inquiry().analyses.get(), due_at=LATE)
    assert metrics.backlog().stuck == 0


# --- The pause and the queue --------------------------------------------------------------------
@pytest.fixture
def paused(supervisor, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        services.pause_analysis(actor=supervisor)


def test_a_pause_says_who_and_when(paused, supervisor):
    found = metrics.pause()
    assert found is not None
    assert found.by == supervisor
    assert found.since == LogEntry.objects.get().action_time


def test_a_pause_whose_note_is_gone_is_one_still(paused):
    LogEntry.objects.all().delete()
    assert metrics.pause() == metrics.Pause()


def test_without_a_pause_there_is_none():
    assert metrics.pause() is None


def test_the_depth_of_redis_is_how_many_bells_wait(settings, monkeypatch):
    settings.REDIS_URL = "redis://queue/0"
    monkeypatch.setattr(HUEY, "pending_count", lambda: 7)
    assert metrics.queue() == metrics.Queue(is_up=True, depth=7)


def test_without_redis_the_bells_are_the_workers_own(settings):
    settings.REDIS_URL = ""
    assert metrics.queue() == metrics.Queue(is_up=True)


@pytest.mark.parametrize("error", [RedisError, ConnectionRefusedError])
def test_a_queue_out_of_reach_is_down(settings, monkeypatch, error):
    def refuse() -> int:
        raise error

    monkeypatch.setattr(HUEY, "pending_count", refuse)
    monkeypatch.setattr(HUEY.storage, "ping", refuse)
    for url in ("redis://queue/0", ""):
        settings.REDIS_URL = url
        assert metrics.queue() == metrics.Queue(is_up=False)
