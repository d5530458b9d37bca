from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from inquiries import services
from inquiries.models import (
    Analysis,
    Inquiry,
    Message,
    SiteSettings,
    StaleInquiry,
)
from inquiries.services import Replay, machine, queueing, reply
from inquiries.states import (
    AIReason,
    AnalysisState,
    EventKind,
    Purpose,
    Source,
    Status,
)
from inquiries.tests.services.helpers import FIELDS, kinds

pytestmark = pytest.mark.django_db


def test_a_failed_analysis_is_asked_for_again(make_inquiry, agent, rung, django_capture_on_commit_callbacks):
    failed = make_inquiry(ai_state=AnalysisState.FAILED, ai_error="timeout")
    with django_capture_on_commit_callbacks(execute=True):
        fresh = services.retry(failed, actor=agent)
    assert (fresh.ai_state, fresh.ai_error) == (AnalysisState.QUEUED, "")
    assert rung == [fresh.analyses.get(purpose=Purpose.RETRY).pk]
    with pytest.raises(StaleInquiry):
        services.retry(fresh, actor=agent)


def test_a_retry_takes_the_scheduled_redo_forward(inquiry, agent):
    redo = Analysis.objects.create(inquiry=inquiry, purpose=Purpose.REDO, due_at=Now() + timedelta(hours=1))
    services.retry(inquiry, actor=agent)
    redo.refresh_from_db()
    assert redo.purpose == Purpose.RETRY
    assert inquiry.analyses.live().count() == 1


def test_a_retry_that_meets_a_redo_just_scheduled_is_told_so(inquiry, agent, monkeypatch):
    def scheduled_meanwhile(*_args):
        raise IntegrityError

    monkeypatch.setattr(queueing, "queue_analysis", scheduled_meanwhile)
    with pytest.raises(StaleInquiry):
        services.retry(inquiry, actor=agent)
    inquiry.refresh_from_db()
    assert inquiry.ai_state == AnalysisState.DONE


def test_all_failed_ones_that_wait_are_retried(make_inquiry, supervisor):
    for status in (Status.NEW, Status.OPEN, Status.CLOSED):
        make_inquiry(ai_state=AnalysisState.FAILED, ai_error="quota", status=status)
    make_inquiry(ai_state=AnalysisState.SKIPPED, ai_error="disabled")
    make_inquiry(ai_state=AnalysisState.SKIPPED, ai_error="spam", status=Status.SPAM)
    assert services.retry_failed(actor=supervisor) == 3
    assert Inquiry.objects.filter(ai_state=AnalysisState.QUEUED).count() == 3


def test_a_pause_is_noted_with_who_and_lasts_until_it_is_ended(
    supervisor, other_agent, django_capture_on_commit_callbacks
):
    assert not SiteSettings.current().is_analysis_paused
    with django_capture_on_commit_callbacks(execute=True):
        services.pause_analysis(actor=supervisor)
    assert SiteSettings.current().is_analysis_paused
    entry = LogEntry.objects.get()
    assert (entry.user, entry.get_edited_object(), entry.change_message) == (
        supervisor,
        SiteSettings.get_solo(),
        machine.pause_note(),
    )
    with pytest.raises(StaleInquiry):
        services.pause_analysis(actor=other_agent)
    with django_capture_on_commit_callbacks(execute=True):
        services.resume_analysis(actor=other_agent)
    assert not SiteSettings.current().is_analysis_paused
    with pytest.raises(StaleInquiry):
        services.resume_analysis(actor=supervisor)
    assert list(LogEntry.objects.order_by("id").values_list("user", flat=True)) == [supervisor.pk, other_agent.pk]


def test_a_pause_changes_no_other_setting(supervisor):
    SiteSettings.objects.update_or_create(pk=1, defaults={"company_name": "Acme"})
    services.pause_analysis(actor=supervisor)
    assert SiteSettings.get_solo().company_name == "Acme"


def test_a_failed_analysis_is_set_aside_once(make_inquiry, supervisor):
    failed = make_inquiry(ai_state=AnalysisState.FAILED, ai_error="timeout")
    fresh = services.dismiss(failed, actor=supervisor)
    assert (fresh.ai_state, fresh.ai_error, fresh.status) == (
        AnalysisState.SKIPPED,
        AIReason.DISMISSED,
        Status.NEW,
    )
    assert kinds(fresh) == [EventKind.DISMISSED]
    assert not Inquiry.objects.unread().exists()
    assert services.retry_failed(actor=supervisor) == 0
    with pytest.raises(StaleInquiry):
        services.dismiss(fresh, actor=supervisor)
    assert services.retry(fresh, actor=supervisor).ai_state == AnalysisState.QUEUED


@pytest.mark.parametrize("state", [AnalysisState.QUEUED, AnalysisState.RUNNING, AnalysisState.DONE])
def test_only_a_failed_analysis_can_be_set_aside(make_inquiry, supervisor, categories, state):
    inquiry = make_inquiry(ai_state=state)
    with pytest.raises(StaleInquiry):
        services.dismiss(inquiry, actor=supervisor)
    inquiry.refresh_from_db()
    assert inquiry.ai_state == state


@pytest.mark.django_db(transaction=True)
def test_twins_at_the_same_moment_make_one_inquiry(monkeypatch):
    """Eight threads with one idempotency key: one row, one answer for all."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    monkeypatch.setattr(queueing, "ring", lambda pk: None)
    barrier = Barrier(8)

    def call(_):
        try:
            barrier.wait()
            return services.submit(**FIELDS, source=Source.API, replay=Replay("public", "same")).inquiry.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(call, range(8)))) == 1
    assert Inquiry.objects.count() == 1
    assert Analysis.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_sending_waits_for_no_second_writer(make_inquiry, agent, other_agent, monkeypatch):
    """A colleague who saves between the version check and the move is not overwritten."""
    from threading import Thread

    inquiry = make_inquiry(analysed=True, status=Status.OPEN)
    outcome: list[str] = []

    def colleague():
        try:
            fresh = Inquiry.objects.get(pk=inquiry.pk)
            services.save_reply(fresh, actor=other_agent, text="La de ella", version=0)
            outcome.append("saved")
        except services.ReplyConflict:
            outcome.append("conflict")
        finally:
            connection.close()

    thread = Thread(target=colleague)
    save = services.save_reply

    def save_then_let_in(*args, **kwargs):
        saved = save(*args, **kwargs)
        monkeypatch.setattr(reply, "save_reply", save)
        thread.start()
        thread.join(0.5)
        return saved

    monkeypatch.setattr(reply, "save_reply", save_then_let_in)
    services.send_answer(inquiry, actor=agent, text=inquiry.suggested_reply, version=0)
    thread.join(10)
    inquiry.refresh_from_db()
    assert Message.objects.get().body == inquiry.suggested_reply
    # Hers came after the sending: it is kept as a text in the editor, and what was sent stays sent.
    assert (outcome, inquiry.reply, inquiry.status) == (["saved"], "La de ella", Status.ANSWERED)
