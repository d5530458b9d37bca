"""Emails to the customer: queued in the transaction of what they tell of; the workers send them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from inquiries.mailing import new_mail_id
from inquiries.models import Delivery, Inquiry, Message, ReceiptPause, SiteSettings, User
from inquiries.services.shared import add_event, expect
from inquiries.states import DeliveryKind, DeliveryState, EventKind, Status

RECEIPT_PAUSE = timedelta(hours=1)
TROUBLED = (DeliveryState.FAILED, DeliveryState.UNKNOWN)


def queue_answer(message: Message) -> Delivery | None:
    """Queue the email that brings an answer, due once its undo window is over; None where mail is not set up.

    Belongs into the caller's transaction.
    """
    if not settings.HAS_MAIL:
        return None
    # Read back: a caller may have written an expression of the database's clock.
    published_at = Message.objects.values_list("published_at", flat=True).get(pk=message.pk)
    return _queue(message.inquiry, DeliveryKind.ANSWER, message=message, due_at=published_at)


def queue_receipt(inquiry: Inquiry) -> Delivery | None:
    """Queue the email that says that an inquiry came in; None where none is to be sent.

    At most one per address and hour, whoever fills the form in: what strangers can make us send stays small. Belongs
    into the caller's transaction.
    """
    if not settings.HAS_MAIL or inquiry.status == Status.SPAM or not SiteSettings.current().send_receipts:
        return None
    return _queue(inquiry, DeliveryKind.RECEIPT) if _takes_turn(inquiry.email) else None


@transaction.atomic
def send_again(delivery: Delivery, *, actor: User) -> Delivery:
    """Send a failed email, or one that nobody knows about, once more. Raises StaleInquiry where it is neither.

    It keeps its Message-ID: where the first one arrived after all, most mailboxes show the two as one.
    """
    _move(
        delivery,
        TROUBLED,
        DeliveryState.QUEUED,
        (EventKind.RESENT, actor),
        # As new, and the time from which the machine gives up counts from here.
        created_at=Now(),
        due_at=Now(),
        finished_at=None,
        handed_at=None,
        attempts=0,
        crashes=0,
        error="",
        error_detail="",
    )
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def settle(delivery: Delivery, *, actor: User) -> Delivery:
    """Close an email that a person has dealt with. Raises StaleInquiry where there is nothing to close.

    One that nobody knew about counts as sent, because a person says that it arrived; a failed one as cancelled,
    because the customer was told otherwise.
    """
    new = DeliveryState.SENT if delivery.state == DeliveryState.UNKNOWN else DeliveryState.CANCELLED
    _move(delivery, TROUBLED, new, (EventKind.ARRIVED, actor))
    delivery.refresh_from_db()
    return delivery


def _queue(inquiry: Inquiry, kind: DeliveryKind, **fields: object) -> Delivery:
    return Delivery.objects.create(inquiry=inquiry, kind=kind, recipient=inquiry.email, mail_id=new_mail_id(), **fields)


def _takes_turn(email: str) -> bool:
    """Tell whether this address may get a receipt now, and let it wait from now on: of twins one is told yes."""
    key = address_key(email)
    ReceiptPause.objects.bulk_create([ReceiptPause(address_key=key)], ignore_conflicts=True)
    mine = ReceiptPause.objects.filter(address_key=key, until__lte=Now())
    return bool(mine.update(until=Now() + RECEIPT_PAUSE))


def address_key(email: str) -> str:
    """Return a digest of the mailbox behind an address: in any case, and without what follows a "+"."""
    local, _at, domain = email.strip().casefold().rpartition("@")
    mailbox = f"{local.partition('+')[0]}@{domain}"
    return salted_hmac("pok.receipt", mailbox, algorithm="sha256").hexdigest()


def _move(
    delivery: Delivery,
    states: tuple[DeliveryState, ...],
    new: DeliveryState,
    event: tuple[EventKind, User],
    **fields: object,
) -> None:
    """Move on from one of `states` and note who did it. The inquiry is locked before its email, as an erasure does."""
    expect(Inquiry.objects.filter(pk=delivery.inquiry_id).touch())
    seen = Delivery.objects.filter(pk=delivery.pk, state=delivery.state, state__in=states)
    expect(seen.update(state=new, **fields))
    kind, actor = event
    add_event(delivery.inquiry, kind, actor, old=delivery.state, new=new)
