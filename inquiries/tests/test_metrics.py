from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inquiries import metrics
from inquiries.models import Analysis, Heartbeat, Inquiry, SiteSettings
from inquiries.states import AIReason, AnalysisState, Purpose, Status

pytestmark = pytest.mark.django_db


def _age(analysis: Analysis, **ages: timedelta) -> None:
    Analysis.objects.filter(pk=analysis.pk).update(**{name: Now() - age for name, age in ages.items()})


def _beat(worker: str, age: timedelta) -> None:
    row = Heartbeat.objects.create(worker=worker, version="0.1.0", threads=8)
    Heartbeat.objects.filter(pk=row.pk).update(seen_at=Now() - age)


def test_an_empty_desk():
    assert metrics.backlog() == metrics.Backlog(0, 0, 0, 0, 0, "", None)
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
    _age(new.analyses.get(), created_at=timedelta(minutes=1))
    _age(done.analyses.get(), created_at=timedelta(hours=9))
    # Put back after a failure: due in a while, but it has waited since it came in.
    _age(old.analyses.get(), created_at=timedelta(minutes=30), due_at=-timedelta(minutes=5))
    oldest = metrics.backlog().oldest
    assert oldest is not None
    assert timedelta(minutes=30) <= oldest < timedelta(minutes=31)


def test_a_redo_that_waits_for_its_hour_is_owed_to_nobody(make_inquiry):
    inquiry = make_inquiry(analysed=True, is_provisional=True)
    Analysis.objects.create(inquiry=inquiry, purpose=Purpose.REDO)
    assert metrics.backlog().oldest is None


def test_a_worker_is_alive_for_fifteen_seconds():
    _beat("a:1", timedelta(seconds=13))
    _beat("b:2", timedelta(seconds=17))
    workers = metrics.workers()
    assert [(worker.name, worker.is_alive) for worker in workers] == [("a:1", True), ("b:2", False)]
    assert timedelta(seconds=13) <= workers[0].age < timedelta(seconds=15)
    assert metrics.has_live_worker()


def test_a_worker_that_is_long_gone_is_not_listed():
    _beat("a:1", timedelta(minutes=59))
    _beat("b:2", timedelta(minutes=61))
    assert [worker.name for worker in metrics.workers()] == ["a:1"]


def test_only_silent_workers_are_no_live_worker():
    _beat("a:1", timedelta(seconds=16))
    assert not metrics.has_live_worker()


def test_the_clock_is_the_databases(monkeypatch):
    """A web host whose clock is an hour fast must not declare every worker dead."""
    from django.utils import timezone

    _beat("a:1", timedelta(0))
    real = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: real + timedelta(hours=1))
    assert metrics.has_live_worker()
    assert metrics.workers()[0].is_alive


def test_failures_come_newest_first_and_end_at_twenty(make_inquiry):
    made = [make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA) for _index in range(22)]
    for minutes, inquiry in enumerate(made):
        _age(inquiry.analyses.get(), finished_at=timedelta(minutes=minutes))
    found = [analysis.inquiry_id for analysis in metrics.last_failures()]
    assert found == [inquiry.pk for inquiry in made[:20]]


@pytest.mark.parametrize("solved", [{"ai_state": AnalysisState.DONE}, {"status": Status.ANSWERED}])
def test_what_was_solved_is_no_error_any_more(make_inquiry, solved):
    mended, broken = (make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA) for _index in range(2))
    Inquiry.objects.filter(pk=mended.pk).update(**solved)
    assert [analysis.inquiry_id for analysis in metrics.last_failures()] == [broken.pk]


def test_failures_carry_their_inquiry_along(make_inquiry, django_assert_num_queries):
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    with django_assert_num_queries(1):
        assert [analysis.inquiry.ai_state for analysis in metrics.last_failures()] == ["failed"]


def test_what_tries_again_by_itself_is_what_failed_and_has_its_hour(make_inquiry):
    backing_off, due, fresh = make_inquiry(), make_inquiry(), make_inquiry()
    Analysis.objects.filter(inquiry__in=[backing_off, due]).update(error=AIReason.RATE_LIMITED, attempts=1)
    _age(backing_off.analyses.get(), due_at=-timedelta(minutes=2))
    _age(fresh.analyses.get(), due_at=-timedelta(minutes=2))
    assert [analysis.inquiry_id for analysis in metrics.waiting_to_try_again()] == [backing_off.pk]


@pytest.mark.parametrize(
    ("engine", "key", "expected"),
    [
        ("embedded", "", metrics.EngineInUse("embedded")),
        ("auto", "", metrics.EngineInUse("embedded")),
        ("auto", "sk-x", metrics.EngineInUse("openai", "gpt-x", has_stand_in=True)),
        ("openai", "sk-x", metrics.EngineInUse("openai", "gpt-x")),
        ("off", "sk-x", metrics.EngineInUse("off")),
    ],
)
def test_the_engine_in_use(settings, engine, key, expected):
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.OPENAI_MODEL = engine, key, "gpt-x"
    assert metrics.engine_in_use() == expected


def test_a_supervisor_can_switch_the_engine_off(settings):
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "off"})
    assert metrics.engine_in_use() == metrics.EngineInUse("off", by_supervisor=True)
