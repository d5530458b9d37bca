"""`services.mail`: which mails are queued, and what a person may decide about one in trouble."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from inquiries import services
from inquiries.models import Delivery, Inquiry, InquiryEvent, Message, ReceiptPause, SiteSettings, StaleInquiry
from inquiries.services.mail import address_key
from inquiries.states import DeliveryKind, DeliveryState, MailReason, MessageKind, SpamReason
from inquiries.tests.factories import make_answer, make_delivery
from inquiries.tests.services.helpers import kinds, submit

pytestmark = pytest.mark.django_db
FAILED, UNKNOWN = DeliveryState.FAILED, DeliveryState.UNKNOWN


@pytest.fixture(autouse=True)
def _mail(settings) -> None:
    settings.HAS_MAIL = True


@pytest.fixture
def troubled(make_inquiry):
    """Make the mail with an answer, as a worker left it."""

    def make(state: DeliveryState) -> Delivery:
        inquiry = make_inquiry()
        fields = {"due_at": None, "finished_at": Now(), "attempts": 4, "crashes": 2, "error": MailReason.DROPPED}
        row = make_delivery(inquiry, make_answer(inquiry), state=state, handed_at=Now(), **fields)
        Delivery.objects.update(created_at=Now() - timedelta(days=2))
        return Delivery.objects.get(pk=row.pk)

    return make


# --- answers ---
def test_an_answer_is_due_when_its_undo_window_is_over(make_inquiry):
    inquiry = make_inquiry()
    message = Message.objects.create(
        inquiry=inquiry, kind=MessageKind.ANSWER, body="Hola", published_at=Now() + timedelta(seconds=10)
    )
    row = services.queue_answer(message)
    assert row is not None
    row.refresh_from_db()
    message.refresh_from_db()
    assert (row.kind, row.message, row.recipient) == (DeliveryKind.ANSWER, message, inquiry.email)
    assert (row.state, row.due_at) == (DeliveryState.QUEUED, message.published_at)


def test_sending_an_answer_queues_its_mail(inquiry, agent):
    services.send_answer(inquiry, actor=agent, text="Hola", version=0)
    assert Delivery.objects.get().message == Message.objects.get()


def test_without_a_mail_server_nothing_is_queued(inquiry, settings):
    settings.HAS_MAIL = False
    assert services.queue_answer(make_answer(inquiry)) is None
    assert services.queue_receipt(inquiry) is None
    assert not Delivery.objects.exists()


# --- receipts ---
def test_an_inquiry_that_comes_in_gets_a_receipt():
    inquiry = submit().inquiry
    row = Delivery.objects.get()
    assert (row.kind, row.inquiry, row.recipient, row.message) == (DeliveryKind.RECEIPT, inquiry, inquiry.email, None)


def test_an_address_gets_one_receipt_an_hour_however_it_is_written():
    for email in ("ana@example.com", "ANA@Example.com", "ana+1@example.com", "ana+2@example.com"):
        submit(email=email)
    submit(email="otra@example.com")
    assert [row.recipient for row in Delivery.objects.order_by("pk")] == ["ana@example.com", "otra@example.com"]
    ReceiptPause.objects.filter(address_key=address_key("ana@example.com")).update(until=Now())
    submit(email="ana@example.com")
    assert Delivery.objects.count() == 3


def test_a_pause_names_nobody_and_lasts_an_hour():
    submit()
    pause = ReceiptPause.objects.get()
    assert len(pause.address_key) == 64
    assert "ana" not in pause.address_key
    assert not ReceiptPause.objects.filter(until__lt=Now() + timedelta(minutes=59)).exists()
    assert ReceiptPause.objects.filter(until__lt=Now() + timedelta(minutes=61)).exists()


def test_an_inquiry_that_is_not_taken_in_uses_no_turn():
    def submit_and_fail() -> None:
        with transaction.atomic():
            submit()
            raise LookupError

    with pytest.raises(LookupError):
        submit_and_fail()
    assert not ReceiptPause.objects.exists()
    submit()
    assert Delivery.objects.count() == 1


def test_spam_gets_no_receipt():
    submit(spam_reason=SpamReason.HONEYPOT)
    assert not Delivery.objects.exists()
    assert not ReceiptPause.objects.exists()


def test_a_supervisor_can_switch_receipts_off():
    SiteSettings.objects.update_or_create(pk=1, defaults={"send_receipts": False})
    submit()
    assert not Delivery.objects.exists()


def test_a_receipt_costs_three_queries(inquiry):
    SiteSettings.current()
    with CaptureQueriesContext(connection) as queries:
        services.queue_receipt(inquiry)
    writes = [found["sql"] for found in queries if not found["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(writes) == 3


@pytest.mark.django_db(transaction=True)
def test_of_twins_at_the_same_moment_one_gets_the_receipt(make_inquiry):
    inquiries = [make_inquiry() for _ in range(8)]
    together = threading.Barrier(8)
    SiteSettings.current()

    def queue(inquiry: Inquiry) -> bool:
        try:
            together.wait(10)
            with transaction.atomic():
                return services.queue_receipt(inquiry) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(queue, inquiries)) == 1
    assert Delivery.objects.count() == 1


# --- what a person decides ---
@pytest.mark.parametrize("state", [FAILED, UNKNOWN])
def test_a_mail_in_trouble_is_sent_again_as_new(troubled, agent, state):
    row = troubled(state)
    again = services.send_again(row, actor=agent)
    assert (again.pk, again.mail_id, again.state) == (row.pk, row.mail_id, DeliveryState.QUEUED)
    assert (again.attempts, again.crashes, again.error, again.handed_at, again.finished_at) == (0, 0, "", None, None)
    assert Delivery.objects.due().filter(pk=row.pk, created_at__gt=Now() - timedelta(minutes=1)).exists()
    event = InquiryEvent.objects.get()
    assert (event.kind, event.actor, event.old, event.new) == ("resent", agent, state, "queued")


@pytest.mark.parametrize(("state", "new"), [(UNKNOWN, DeliveryState.SENT), (FAILED, DeliveryState.CANCELLED)])
def test_a_mail_in_trouble_is_settled(troubled, agent, state, new):
    row = services.settle(troubled(state), actor=agent)
    assert (row.state, row.due_at) == (new, None)
    event = InquiryEvent.objects.get()
    assert (event.kind, event.actor, event.old, event.new) == ("arrived", agent, state, new)


@pytest.mark.parametrize("verb", [services.send_again, services.settle])
@pytest.mark.parametrize("state", sorted({*DeliveryState} - {FAILED, UNKNOWN}))
def test_nothing_is_decided_about_others(troubled, agent, verb, state):
    row = troubled(state)
    with pytest.raises(StaleInquiry):
        verb(row, actor=agent)
    row.refresh_from_db()
    assert row.state == state
    assert kinds(row.inquiry) == []


@pytest.mark.parametrize("verb", [services.send_again, services.settle])
def test_of_two_people_the_first_decides(troubled, agent, other_agent, verb):
    row, stale = troubled(UNKNOWN), Delivery.objects.get()
    services.send_again(row, actor=agent)
    with pytest.raises(StaleInquiry):
        verb(stale, actor=other_agent)
    assert kinds(row.inquiry) == ["resent"]


def test_what_was_erased_cannot_be_decided(troubled, agent):
    row = troubled(UNKNOWN)
    Inquiry.objects.all().delete()
    with pytest.raises(StaleInquiry):
        services.send_again(row, actor=agent)


def test_mails_do_not_keep_an_inquiry_from_being_erased(troubled):
    row = troubled(FAILED)
    make_delivery(row.inquiry)
    assert row.inquiry.delete()[1]["inquiries.Delivery"] == 2
