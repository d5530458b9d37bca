"""An answer taken back before it leaves: what it was before is there again, and the email goes once or never."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from inquiries import jobs, learning, services
from inquiries.models import Delivery, Example, Inquiry, InquiryEvent, Message, Outcome, StaleInquiry
from inquiries.services import reply
from inquiries.states import DeliveryKind, DeliveryState, EventKind, MailReason, MessageKind, Status
from inquiries.tests import factories
from inquiries.tests.services.helpers import kinds

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def send(inquiry: Inquiry, actor, text: str = "Listo, Juana.") -> Inquiry:
    fresh = Inquiry.objects.get(pk=inquiry.pk)
    return services.send_answer(fresh, actor=actor, text=text, version=fresh.reply_version)


def fresh(inquiry: Inquiry) -> Inquiry:
    return Inquiry.objects.get(pk=inquiry.pk)


def with_email(inquiry: Inquiry, **fields: object) -> Delivery:
    """The email of the newest answer, due when that leaves."""
    message = inquiry.messages.latest("id")
    Delivery.objects.filter(message=message).delete()
    values = {"due_at": message.published_at, "recipient": inquiry.email, "mail_id": f"<{message.pk}@pok>"} | fields
    return Delivery.objects.create(inquiry=inquiry, message=message, kind=DeliveryKind.ANSWER, **values)


def grow_old(answers) -> None:
    """Move answers and their labels an hour into the past."""
    for message in answers:
        Outcome.objects.filter(inquiry=message.inquiry_id).update(created_at=F("created_at") - HOUR)
    answers.update(created_at=F("created_at") - HOUR, published_at=F("published_at") - HOUR)


# --- The window ------------------------------------------------------------------------------
def test_nobody_outside_sees_it_before_the_window_is_over(inquiry, agent):
    sent = send(inquiry, agent)
    message = Message.objects.get()
    assert message.published_at - message.created_at == pytest.approx(timedelta(seconds=10), abs=timedelta(seconds=1))
    assert sent.answered_at == message.published_at
    assert not inquiry.messages.published().exists()
    assert not inquiry.messages.thread().exists()
    factories.let_leave(inquiry)
    assert inquiry.messages.published().get() == inquiry.messages.thread().get() == message


def test_undoing_brings_back_what_was_before(inquiry, agent):
    send(inquiry, agent)
    undone = services.undo_send(inquiry, actor=agent)
    assert (undone.status, undone.reply, undone.answered_at, undone.to_learn) == (
        Status.OPEN,
        "Listo, Juana.",
        None,
        True,
    )
    assert not Message.objects.exists()
    assert not Outcome.objects.exists()
    assert kinds(inquiry)[-1] == EventKind.WITHDRAWN


def test_the_untouched_draft_comes_back_as_the_persons_text(inquiry, agent):
    send(inquiry, agent, inquiry.suggested_reply)
    undone = services.undo_send(inquiry, actor=agent)
    assert (undone.reply, undone.reply_text) == (inquiry.suggested_reply, inquiry.suggested_reply)
    sent = send(undone, agent, inquiry.suggested_reply)
    assert sent.status == Status.ANSWERED


def test_a_colleague_may_undo(inquiry, agent, other_agent):
    send(inquiry, agent)
    services.undo_send(inquiry, actor=other_agent)
    assert InquiryEvent.objects.get(kind=EventKind.WITHDRAWN).actor == other_agent


def test_the_answer_before_it_stays(inquiry, agent):
    factories.answer(inquiry, actor=agent, text="Primera")
    grow_old(Message.objects.all())
    services.reopen(fresh(inquiry), actor=agent)
    send(inquiry, agent, "Segunda")
    first = Message.objects.get(body="Primera")
    undone = services.undo_send(inquiry, actor=agent)
    assert list(Message.objects.all()) == [first]
    assert undone.answered_at == first.published_at
    assert Outcome.objects.count() == 1
    assert Outcome.objects.get().created_at < first.published_at + timedelta(minutes=1)


def test_of_two_on_their_way_the_one_that_is_meant_goes(inquiry, agent):
    send(inquiry, agent, "Primera")
    labels = [Outcome.objects.get().pk]
    services.reopen(fresh(inquiry), actor=agent)
    send(inquiry, agent, "Segunda")
    first, second = Message.objects.all()
    undone = services.undo_send(inquiry, actor=agent, answer=first.pk)
    assert list(Message.objects.all()) == [second]
    assert undone.answered_at == second.published_at
    assert not Outcome.objects.filter(pk__in=labels).exists()
    assert Outcome.objects.count() == 1


# --- Too late, twice, gone -------------------------------------------------------------------
def test_what_has_left_stays(inquiry, agent):
    factories.answer(inquiry, actor=agent, text="Listo.")
    with pytest.raises(services.TooLate):
        services.undo_send(inquiry, actor=agent)
    assert (fresh(inquiry).status, Message.objects.count(), Outcome.objects.count()) == (Status.ANSWERED, 1, 1)


def test_a_second_undo_is_left_at_the_first(inquiry, agent):
    send(inquiry, agent)
    answer = Message.objects.get().pk
    for _ in range(2):
        services.undo_send(inquiry, actor=agent, answer=answer)
    assert kinds(inquiry).count(EventKind.WITHDRAWN) == 1


def test_an_old_page_undoes_no_other_answer(inquiry, agent):
    send(inquiry, agent, "Primera")
    first = Message.objects.get().pk
    services.undo_send(inquiry, actor=agent, answer=first)
    send(inquiry, agent, "Segunda")
    services.undo_send(inquiry, actor=agent, answer=first)
    assert Message.objects.get().body == "Segunda"


def test_an_answer_of_another_inquiry_is_not_touched(make_inquiry, inquiry, agent):
    other = make_inquiry(analysed=True)
    send(other, agent)
    services.undo_send(inquiry, actor=agent, answer=Message.objects.get().pk)
    assert Message.objects.count() == 1


def test_what_was_erased_meanwhile_cannot_be_undone(inquiry, agent):
    send(inquiry, agent)
    Inquiry.objects.filter(pk=inquiry.pk).delete()
    with pytest.raises(StaleInquiry):
        services.undo_send(inquiry, actor=agent)


# --- Whoever acted in between ----------------------------------------------------------------
@pytest.mark.parametrize("verb", [services.close, services.mark_spam, services.reopen])
def test_a_status_that_somebody_set_meanwhile_stands(inquiry, agent, other_agent, verb):
    send(inquiry, agent)
    status = verb(fresh(inquiry), actor=other_agent).status
    assert services.undo_send(inquiry, actor=agent).status == status
    assert not Message.objects.exists()


def test_a_text_that_was_written_meanwhile_stands(inquiry, agent, other_agent):
    send(inquiry, agent, "Primera")
    open_again = services.reopen(fresh(inquiry), actor=other_agent)
    services.save_reply(open_again, actor=other_agent, text="La de ella", version=open_again.reply_version)
    undone = services.undo_send(inquiry, actor=agent)
    assert (undone.reply, undone.reply_by) == ("La de ella", other_agent)


def test_an_editor_that_was_emptied_meanwhile_gets_the_text_back(inquiry, agent):
    """A follow-up leaves the editor to the new draft."""
    sent = send(inquiry, agent)
    Inquiry.objects.update(reply=None, status=Status.OPEN)
    undone = services.undo_send(inquiry, actor=agent)
    assert (undone.reply, undone.reply_by, undone.reply_version) == ("Listo, Juana.", agent, sent.reply_version + 1)


def test_the_same_text_is_not_sent_beside_the_one_on_its_way(inquiry, agent):
    send(inquiry, agent, "Listo.")
    services.reopen(fresh(inquiry), actor=agent)
    with pytest.raises(services.AlreadySent):
        send(inquiry, agent, "Listo.\n")


# --- What is learnt --------------------------------------------------------------------------
@pytest.fixture
def learnable(monkeypatch, inquiry):
    monkeypatch.setattr(learning, "vector_of", lambda _text: b"\x00" * 1024)
    return inquiry


def test_nothing_is_learnt_before_it_has_left(learnable, agent):
    send(learnable, agent)
    assert learning.learn_pending() == 0
    assert fresh(learnable).to_learn
    factories.let_leave(learnable)
    assert learning.learn_pending() == 1
    assert "Listo" in Example.objects.get().answer


def test_an_answer_that_was_taken_back_leaves_no_example(learnable, agent):
    send(learnable, agent)
    services.undo_send(learnable, actor=agent)
    learning.learn_pending()
    assert not Example.objects.exists()


def test_the_answer_before_it_teaches_on(learnable, agent):
    factories.answer(learnable, actor=agent, text="Primera")
    learning.learn_pending()
    services.reopen(fresh(learnable), actor=agent)
    send(learnable, agent, "Segunda")
    services.undo_send(learnable, actor=agent)
    learning.learn_pending()
    assert Example.objects.get().answer == "Primera"


# --- The email -------------------------------------------------------------------------------
def test_the_email_is_stopped_and_kept_on_record(inquiry, agent):
    send(inquiry, agent)
    email = with_email(inquiry)
    services.undo_send(inquiry, actor=agent)
    email.refresh_from_db()
    assert (email.state, email.error, email.due_at, email.message) == (
        DeliveryState.CANCELLED,
        MailReason.UNDONE,
        None,
        None,
    )
    assert jobs.claim(Delivery, email.pk) is None


@pytest.mark.parametrize("state", [DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN])
def test_an_email_that_a_worker_has_cannot_be_undone(inquiry, agent, state):
    send(inquiry, agent)
    email = with_email(inquiry, state=state)
    with pytest.raises(services.TooLate):
        services.undo_send(inquiry, actor=agent)
    email.refresh_from_db()
    assert (email.state, email.message_id, Message.objects.count()) == (state, Message.objects.get().pk, 1)


def test_an_email_that_waits_for_another_try_cannot_be_undone(inquiry, agent):
    """It is queued and due later, as within the window; the answer is on the status page already."""
    factories.answer(inquiry, actor=agent, text="Listo.")
    email = with_email(inquiry, due_at=Now() + HOUR, attempts=1)
    with pytest.raises(services.TooLate):
        services.undo_send(inquiry, actor=agent)
    email.refresh_from_db()
    assert (email.state, email.message is None) == (DeliveryState.QUEUED, False)


# --- Two at the same moment ------------------------------------------------------------------
def together(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads of their own, begun at the same moment; return what each gave or raised."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            barrier.wait(10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
    return [future.exception() or future.result() for future in futures]


@pytest.mark.django_db(transaction=True)
def test_undo_and_worker_never_both_win(make_inquiry, agent):
    """At the end of the window one of them gets the email, whichever comes first."""
    for number in range(24):
        inquiry = make_inquiry(analysed=True)
        send(inquiry, agent)
        leaves = Now() + timedelta(milliseconds=number)
        Message.objects.filter(inquiry=inquiry).update(published_at=leaves)
        email = with_email(inquiry)
        Delivery.objects.filter(pk=email.pk).update(due_at=leaves)

        def worker(pk: int = email.pk) -> object:
            until = time.monotonic() + 2
            while (taken := jobs.claim(Delivery, pk)) is None and time.monotonic() < until:
                if Delivery.objects.filter(pk=pk, state=DeliveryState.CANCELLED).exists():
                    return None
            return taken

        undone, taken = together(lambda asked=inquiry: services.undo_send(asked, actor=agent), worker)
        is_undone = not isinstance(undone, Exception)
        assert is_undone or isinstance(undone, services.TooLate), undone
        assert is_undone is (taken is None)
        assert is_undone is not Message.objects.filter(inquiry=inquiry).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_worker_that_comes_during_the_undo_finds_nothing_to_send(make_inquiry, agent, monkeypatch):
    """The window ends while the undo is not committed yet: the worker waits for it and gets nothing."""
    monkeypatch.setattr(reply, "UNDO_SECONDS", 2.0)
    inquiry = make_inquiry(analysed=True)
    send(inquiry, agent)
    email = with_email(inquiry)
    asks = Event()
    bring_back = reply._bring_back

    def slowly(*args):
        asks.wait(10)
        time.sleep(0.3)
        return bring_back(*args)

    def worker() -> object:
        while not Delivery.objects.due().filter(pk=email.pk).exists():
            time.sleep(0.05)
        asks.set()
        return jobs.claim(Delivery, email.pk)

    monkeypatch.setattr(reply, "_bring_back", slowly)
    undone, taken = together(lambda: services.undo_send(inquiry, actor=agent), worker)
    assert isinstance(undone, Inquiry), undone
    assert taken is None


@pytest.mark.django_db(transaction=True)
def test_two_who_undo_at_once_undo_once(make_inquiry, agent, other_agent):
    inquiry = make_inquiry(analysed=True)
    send(inquiry, agent)
    answer = Message.objects.get().pk
    results = together(
        *(lambda who=who: services.undo_send(inquiry, actor=who, answer=answer) for who in (agent, other_agent))
    )
    assert all(isinstance(result, Inquiry) for result in results), results
    assert kinds(inquiry).count(EventKind.WITHDRAWN) == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_send_at_once_send_once(make_inquiry, agent):
    inquiry = make_inquiry(analysed=True)
    results = together(*[lambda: send(inquiry, agent, "Listo.")] * 4)
    assert sum(isinstance(result, Inquiry) for result in results) == 1, results
    assert Message.objects.filter(kind=MessageKind.ANSWER).count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_undo_during_an_erasure_locks_nobody_out(make_inquiry, agent):
    from inquiries import erasing

    for _ in range(5):
        inquiry = make_inquiry(analysed=True)
        send(inquiry, agent)
        with_email(inquiry)
        undone, erased = together(
            lambda asked=inquiry: services.undo_send(asked, actor=agent),
            lambda asked=inquiry: erasing.erase(Inquiry.objects.filter(pk=asked.pk)),
        )
        assert isinstance(undone, (Inquiry, StaleInquiry)), undone
        assert not isinstance(erased, Exception), erased
        assert not Inquiry.objects.filter(pk=inquiry.pk).exists()
