from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection
from django.db.models.functions import Now

from inquiries import services
from inquiries.models import (
    Analysis,
    Category,
    Correction,
    IdempotencyKey,
    Inquiry,
    InquiryEvent,
    InvalidMove,
    Message,
    SiteSettings,
    StaleInquiry,
)
from inquiries.services import Replay, queueing, reply
from inquiries.states import (
    AnalysisState,
    EventKind,
    MessageKind,
    Purpose,
    Sentiment,
    Source,
    SpamReason,
    Status,
)

pytestmark = pytest.mark.django_db
FIELDS = {"customer_name": "Ana", "email": "ana@example.com", "message": "Hola, ¿tienen sillas?"}


def submit(**changes):
    return services.submit(**(FIELDS | {"source": Source.FORM} | changes))


def kinds(inquiry: Inquiry) -> list[str]:
    return list(InquiryEvent.objects.filter(inquiry=inquiry).values_list("kind", flat=True))


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """The analyses that the bell rang for."""
    bells: list[int] = []
    monkeypatch.setattr(queueing, "ring", bells.append)
    return bells


# --- submit ---
def test_submit_makes_the_inquiry_its_analysis_and_rings(rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        submission = submit()
    analysis = submission.inquiry.analyses.get()
    assert submission.created
    assert (submission.inquiry.status, submission.inquiry.ai_state) == (Status.NEW, AnalysisState.QUEUED)
    assert (analysis.state, analysis.purpose) == (AnalysisState.QUEUED, Purpose.ARRIVAL)
    assert rung == [analysis.pk]


def test_a_bell_that_cannot_ring_loses_nothing(monkeypatch, django_capture_on_commit_callbacks):
    from redis.exceptions import ConnectionError as RedisConnectionError

    from inquiries import bell

    def refused(analysis_id: int) -> None:
        raise RedisConnectionError

    monkeypatch.setattr(bell, "analyse", refused)
    with django_capture_on_commit_callbacks(execute=True):
        submission = submit()
    assert submission.inquiry.analyses.live().count() == 1


def test_spam_is_kept_with_its_reason_and_not_analysed(rung):
    inquiry = submit(spam_reason=SpamReason.HONEYPOT).inquiry
    assert (inquiry.status, inquiry.spam_reason) == (Status.SPAM, SpamReason.HONEYPOT)
    assert (inquiry.ai_state, inquiry.ai_error) == (AnalysisState.SKIPPED, "spam")
    assert not Analysis.objects.exists()


def test_nothing_is_analysed_while_the_ai_is_off(settings):
    settings.AI_ENGINE = "off"
    assert submit().inquiry.ai_state == AnalysisState.SKIPPED
    settings.AI_ENGINE = "embedded"
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "off"})
    SiteSettings.current().save()
    assert submit().inquiry.ai_error == "disabled"


def test_a_twin_call_gives_the_first_inquiry():
    first = submit(replay=Replay("form", "k1"))
    second = submit(replay=Replay("form", "k1"))
    assert (first.created, second.created) == (True, False)
    assert first.inquiry == second.inquiry
    assert Inquiry.objects.count() == 1


def test_the_same_key_with_other_data_is_a_conflict():
    first = submit(replay=Replay("form", "k1")).inquiry
    with pytest.raises(services.IdempotencyConflict) as caught:
        submit(replay=Replay("form", "k1"), message="Otra cosa")
    assert caught.value.inquiry == first


def test_keys_of_two_scopes_do_not_meet():
    assert submit(replay=Replay("key:1", "k")).inquiry != submit(replay=Replay("key:2", "k")).inquiry


def test_a_key_is_forgotten_after_a_day():
    first = submit(replay=Replay("form", "k1")).inquiry
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=25))
    assert submit(replay=Replay("form", "k1")).inquiry != first


# --- labels ---
def test_a_corrected_category_is_kept_as_a_label(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    label = Correction.objects.get()
    assert (fresh.category.name, fresh.category_by_person, fresh.status) == ("Ventas", True, Status.OPEN)
    assert (label.ai_value, label.human_value, label.actor) == ("Soporte Técnico", "Ventas", agent)
    assert (label.engine, label.model, label.prompt_version) == ("embedded", "use-m3", "1")
    assert kinds(inquiry) == [EventKind.CATEGORY, EventKind.STATUS]


def test_the_ais_own_value_is_confirmed(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Soporte Técnico"])
    assert fresh.category_by_person
    assert kinds(inquiry)[0] == EventKind.CONFIRMED
    assert Correction.objects.get().ai_value == Correction.objects.get().human_value


def test_the_same_correction_twice_is_one_label(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    services.correct_category(fresh, actor=agent, category=categories["Ventas"])
    assert Correction.objects.count() == 1


def test_two_people_who_correct_at_once_do_not_overwrite_each_other(inquiry, agent, other_agent, categories):
    stale = Inquiry.objects.get(pk=inquiry.pk)
    services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    with pytest.raises(StaleInquiry):
        services.correct_category(stale, actor=other_agent, category=categories["Reclamo"])
    inquiry.refresh_from_db()
    assert inquiry.category.name == "Ventas"
    assert Correction.objects.count() == 1


def test_a_category_can_be_set_before_the_analysis(make_inquiry, agent, categories):
    fresh = services.correct_category(make_inquiry(), actor=agent, category=categories["Ventas"])
    assert fresh.category.name == "Ventas"
    assert Correction.objects.get().ai_value == ""


def test_a_corrected_sentiment_can_be_undone(inquiry, agent):
    fresh = services.correct_sentiment(inquiry, actor=agent, sentiment=Sentiment.POSITIVE)
    assert (fresh.sentiment, fresh.sentiment_by_person) == ("Positivo", True)
    fresh = services.undo_correction(fresh, actor=agent, field="sentiment")
    assert (fresh.sentiment, fresh.sentiment_by_person) == ("Negativo", False)
    with pytest.raises(services.NothingToUndo):
        services.undo_correction(fresh, actor=agent, field="sentiment")


def test_undoing_goes_back_one_correction_at_a_time(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    fresh = services.correct_category(fresh, actor=agent, category=categories["Reclamo"])
    fresh = services.undo_correction(fresh, actor=agent, field="category")
    assert (fresh.category.name, fresh.category_by_person) == ("Ventas", True)
    fresh = services.undo_correction(fresh, actor=agent, field="category")
    assert (fresh.category.name, fresh.category_by_person) == ("Soporte Técnico", False)


def test_undoing_gives_what_the_ai_says_by_now(inquiry, agent, categories):
    from inquiries.tests.factories import make_analysis

    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    make_analysis(inquiry, category="Reclamo", category_row=categories["Reclamo"], purpose=Purpose.REDO)
    fresh = services.undo_correction(fresh, actor=agent, field="category")
    assert (fresh.category.name, fresh.category_by_person) == ("Reclamo", False)


def test_undoing_survives_a_renamed_category(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    Category.objects.filter(name="Soporte Técnico").update(name="Soporte")
    assert services.undo_correction(fresh, actor=agent, field="category").category.name == "Soporte"


def test_undoing_to_a_category_that_is_gone_is_refused(make_inquiry, agent, categories):
    gone = Category.objects.create(name="Pasajera")
    inquiry = make_inquiry(analysed=True, category=gone)
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    gone.delete()
    with pytest.raises(services.NothingToUndo):
        services.undo_correction(fresh, actor=agent, field="category")
    assert Inquiry.objects.get().category.name == "Ventas"


def test_undoing_brings_the_doubt_back(make_inquiry, agent, categories):
    doubtful = make_inquiry(analysed=True, confidence=0.2, needs_review=True)
    fresh = services.correct_category(doubtful, actor=agent, category=categories["Ventas"])
    assert not fresh.needs_review
    assert services.undo_correction(fresh, actor=agent, field="category").needs_review


# --- the reply ---
def test_saving_raises_the_version_and_opens(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text="Hola", version=0)
    assert (fresh.reply, fresh.reply_version, fresh.reply_by, fresh.status) == ("Hola", 1, agent, Status.OPEN)


def test_saving_the_untouched_draft_changes_nothing(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text=inquiry.suggested_reply, version=0)
    assert (fresh.reply, fresh.reply_version, fresh.status) == (None, 0, Status.NEW)


def test_the_second_of_two_writers_gets_the_text_of_the_first(inquiry, agent, other_agent):
    services.save_reply(inquiry, actor=agent, text="Primero", version=0)
    with pytest.raises(services.ReplyConflict) as caught:
        services.save_reply(inquiry, actor=other_agent, text="Segundo", version=0)
    assert caught.value.inquiry.reply == "Primero"
    inquiry.refresh_from_db()
    assert (inquiry.reply, inquiry.reply_by) == ("Primero", agent)


def test_a_repeated_save_is_no_conflict(inquiry, agent):
    services.save_reply(inquiry, actor=agent, text="Hola", version=0)
    assert services.save_reply(inquiry, actor=agent, text="Hola", version=0).reply_version == 1


def test_an_editing_session_is_one_event(inquiry, agent, other_agent):
    fresh = inquiry
    for number, text in enumerate(("H", "Ho", "Hola")):
        fresh = services.save_reply(fresh, actor=agent, text=text, version=number)
    assert kinds(inquiry).count(EventKind.REPLY) == 1
    services.save_reply(fresh, actor=other_agent, text="Hola!", version=3)
    assert kinds(inquiry).count(EventKind.REPLY) == 2


def test_an_emptied_reply_stays_empty(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text="", version=0)
    assert fresh.reply_text == ""


def test_the_draft_can_be_used_again(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text="Hola", version=0)
    fresh = services.use_draft(fresh, actor=agent, version=1)
    assert (fresh.reply, fresh.reply_text, fresh.reply_version) == (None, inquiry.suggested_reply, 2)
    with pytest.raises(services.ReplyConflict):
        services.use_draft(fresh, actor=agent, version=1)


def test_publishing_makes_the_message_and_the_status(inquiry, agent):
    fresh = services.publish_answer(inquiry, actor=agent, text="Hola Juana", version=0)
    message = Message.objects.get()
    assert (fresh.status, fresh.reply) == (Status.ANSWERED, "Hola Juana")
    assert fresh.answered_at is not None
    assert (message.kind, message.body, message.author) == (MessageKind.ANSWER, "Hola Juana", agent)
    assert kinds(inquiry)[-1] == EventKind.PUBLISHED


def test_publishing_the_untouched_draft_keeps_it_as_the_reply(inquiry, agent):
    fresh = services.publish_answer(inquiry, actor=agent, text=inquiry.suggested_reply, version=0)
    assert fresh.reply == inquiry.suggested_reply


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_reply_is_not_published(inquiry, agent, text):
    with pytest.raises(services.EmptyReply):
        services.publish_answer(inquiry, actor=agent, text=text, version=0)
    assert not Message.objects.exists()


def test_a_second_click_publishes_nothing(inquiry, agent):
    services.publish_answer(inquiry, actor=agent, text="Hola", version=0)
    with pytest.raises((InvalidMove, StaleInquiry)):
        services.publish_answer(inquiry, actor=agent, text="Hola", version=0)
    assert Message.objects.count() == 1


def test_the_last_answer_is_not_published_again(inquiry, agent):
    fresh = services.publish_answer(inquiry, actor=agent, text="Hola", version=0)
    fresh = services.reopen(fresh, actor=agent)
    with pytest.raises(services.AlreadyPublished):
        services.publish_answer(fresh, actor=agent, text="Hola ", version=fresh.reply_version)
    services.publish_answer(fresh, actor=agent, text="Hola otra vez", version=fresh.reply_version)
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    "verb",
    [partial(services.publish_answer, text="Hola"), partial(services.save_reply, text="Hola"), services.use_draft],
)
def test_what_was_erased_meanwhile_takes_no_reply(inquiry, agent, verb):
    Inquiry.objects.filter(pk=inquiry.pk).delete()
    with pytest.raises(StaleInquiry):
        verb(inquiry, actor=agent, version=inquiry.reply_version)


def test_a_conflict_publishes_nothing(inquiry, agent, other_agent):
    services.save_reply(inquiry, actor=other_agent, text="La otra", version=0)
    with pytest.raises(services.ReplyConflict):
        services.publish_answer(inquiry, actor=agent, text="La mía", version=0)
    inquiry.refresh_from_db()
    assert (inquiry.reply, inquiry.status) == ("La otra", Status.OPEN)
    assert not Message.objects.exists()


# --- the status ---
def test_close_and_reopen(inquiry, agent):
    assert services.close(inquiry, actor=agent, reason="Duplicada").status == Status.CLOSED
    assert InquiryEvent.objects.get().reason == "Duplicada"
    assert services.reopen(inquiry, actor=agent).status == Status.OPEN


def test_a_stale_move_is_refused(inquiry, agent, other_agent):
    stale = Inquiry.objects.get(pk=inquiry.pk)
    services.close(inquiry, actor=agent)
    with pytest.raises(StaleInquiry):
        services.mark_spam(stale, actor=other_agent)
    assert InquiryEvent.objects.count() == 1


def test_an_impossible_move_is_refused(inquiry, agent):
    services.mark_spam(inquiry, actor=agent)
    with pytest.raises(InvalidMove):
        services.close(inquiry, actor=agent)


def test_spam_that_was_none_is_analysed(agent, rung, django_capture_on_commit_callbacks):
    inquiry = submit(spam_reason=SpamReason.TOO_FAST).inquiry
    with django_capture_on_commit_callbacks(execute=True):
        fresh = services.unmark_spam(inquiry, actor=agent)
    assert (fresh.status, fresh.spam_reason, fresh.ai_state) == (Status.OPEN, "", AnalysisState.QUEUED)
    assert rung == [fresh.analyses.get().pk]


# --- the machine ---
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
def test_publishing_waits_for_no_second_writer(make_inquiry, agent, other_agent, monkeypatch):
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
    services.publish_answer(inquiry, actor=agent, text=inquiry.suggested_reply, version=0)
    thread.join(10)
    inquiry.refresh_from_db()
    assert Message.objects.get().body == inquiry.suggested_reply
    # Hers came after the publication: it is kept as a text in the editor, and what was published stays published.
    assert (outcome, inquiry.reply, inquiry.status) == (["saved"], "La de ella", Status.ANSWERED)
