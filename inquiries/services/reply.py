"""The reply: kept while somebody writes, sent once, taken back while that is still possible."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from inquiries import outcomes
from inquiries.ai.templates import first_name
from inquiries.models import Delivery, Example, Inquiry, InquiryEvent, Message, Outcome, StaleInquiry, User
from inquiries.models.events import MessageQuerySet
from inquiries.models.inquiry import InquiryError
from inquiries.services.mail import queue_answer
from inquiries.services.shared import add_event, after_human_act
from inquiries.states import DeliveryState, EventKind, MailReason, MessageKind, Status

EDITING_SESSION = timedelta(minutes=30)
UNDO_SECONDS = 10.0  # from the click until the customer may read the answer and its email leaves


class EmptyReply(InquiryError):
    """There is no text to send."""


class AlreadySent(InquiryError):
    """The customer has this very text as the last answer, or it is on its way."""


class TooLate(InquiryError):
    """The answer has left: it cannot be taken back."""


class LeftoverMarks(InquiryError):
    """The text still holds marks that stand for personal data."""


class ReplyConflict(InquiryError):
    """Somebody else changed the reply text; `inquiry` holds theirs, nothing was written."""

    def __init__(self, inquiry: Inquiry) -> None:
        super().__init__(_("Somebody else has changed this reply meanwhile."))
        self.inquiry = inquiry


@transaction.atomic
def save_reply(inquiry: Inquiry, *, actor: User, text: str, version: int) -> Inquiry:
    """Keep the text of the editor. Raises ReplyConflict where `version` is not the newest."""
    text = text.replace("\r\n", "\n")
    current = Inquiry.objects.for_detail().filter(pk=inquiry.pk).first()
    if current is None:
        raise StaleInquiry(_("This inquiry was erased."))
    if text == current.reply_text and (current.reply is None or version == current.reply_version):
        return current
    saved = Inquiry.objects.filter(pk=inquiry.pk, reply_version=version).touch(
        reply=text, reply_version=F("reply_version") + 1, reply_by=actor
    )
    if not saved:
        # The same text again (a retried request, a second tab) is no conflict.
        if text == current.reply:
            return current
        raise ReplyConflict(current)
    _editing_event(inquiry, actor)
    return after_human_act(inquiry, actor)


@transaction.atomic
def use_draft(inquiry: Inquiry, *, actor: User, version: int) -> Inquiry:
    """Drop the person's text and go back to the AI's draft. Raises ReplyConflict as `save_reply` does."""
    saved = Inquiry.objects.filter(pk=inquiry.pk, reply_version=version).touch(
        reply=None, reply_version=F("reply_version") + 1, reply_by=None
    )
    if not saved:
        current = Inquiry.objects.for_detail().filter(pk=inquiry.pk).first()
        raise ReplyConflict(current) if current else StaleInquiry(_("This inquiry was erased."))
    add_event(inquiry, EventKind.DRAFT, actor)
    return after_human_act(inquiry, actor)


@transaction.atomic
def send_answer(inquiry: Inquiry, *, actor: User, text: str, version: int) -> Inquiry:
    """Send `text` and mark the inquiry as answered; the customer gets it once the undo window is over.

    Raises EmptyReply, LeftoverMarks, AlreadySent, ReplyConflict, InvalidMove or StaleInquiry; then nothing was sent.
    """
    _refuse_unfinished(text)
    # The row is held from the version check to the move: a colleague's save in between would be overwritten.
    locked = _locked(inquiry)
    last = _answers(locked).last()
    if locked.is_waiting and last and last.body.strip() == text.replace("\r\n", "\n").strip():
        raise AlreadySent(_("This text was sent already: change it before you send it again."))
    inquiry = save_reply(inquiry, actor=actor, text=text, version=version)
    message = _lay_out(inquiry, actor)
    fields: dict[str, Any] = {"answered_at": message.published_at, "reply": message.body, "to_learn": True}
    inquiry.move_to(Status.ANSWERED, actor=actor, **fields)
    outcomes.record(inquiry, actor=actor, sent=message.body)
    add_event(inquiry, EventKind.PUBLISHED, actor)
    queue_answer(message)
    return inquiry


@transaction.atomic
def undo_send(inquiry: Inquiry, *, actor: User, answer: int | None = None) -> Inquiry:
    """Take an answer back while its undo window is open: the customer never gets it, its text is the editor's again.

    `answer` is its number, without it the newest one is meant; what was taken back already is left at that. Raises
    TooLate once it has left, StaleInquiry where the inquiry was erased.
    """
    # The inquiry before the email, as an erasure does; a worker that takes the email asks for no inquiry.
    locked = _locked(inquiry)
    meant = _answers(locked)
    message = (meant.filter(pk=answer) if answer else meant).last()
    if message is None:
        return locked
    _drop_outcome(message)
    _recall(message)
    return _bring_back(locked, message, actor)


def _refuse_unfinished(text: str) -> None:
    from inquiries.ai.masking import leftover_marks  # brings the world's telephone numbers along

    if not text.strip():
        raise EmptyReply(_("Write a reply before you send it."))
    if marks := leftover_marks(text):
        raise LeftoverMarks(_("Replace or delete %(marks)s before you send it.") % {"marks": ", ".join(marks)})


def _locked(inquiry: Inquiry) -> Inquiry:
    locked = Inquiry.objects.select_for_update().filter(pk=inquiry.pk).first()
    if locked is None:
        raise StaleInquiry(_("This inquiry was erased."))
    return locked


def _answers(inquiry: Inquiry) -> MessageQuerySet:
    """Every answer, the ones that are on their way too, oldest first."""
    return inquiry.messages.filter(kind=MessageKind.ANSWER)


def _lay_out(inquiry: Inquiry, actor: User) -> Message:
    """Keep the answer for the end of its undo window, by the database's clock."""
    message = Message.objects.create(
        inquiry=inquiry,
        kind=MessageKind.ANSWER,
        body=inquiry.reply_text,
        author=actor,
        published_at=Now() + timedelta(seconds=UNDO_SECONDS),
    )
    message.refresh_from_db(fields=["published_at"])
    return message


def _drop_outcome(message: Message) -> None:
    """Forget the label that this answer left: it was written right after it."""
    # Compared inside the database: SQLite keeps times as text and ends them after the milliseconds.
    sent_at = Message.objects.filter(pk=message.pk).values("created_at")
    label = Outcome.objects.filter(inquiry=message.inquiry_id, created_at__gte=Subquery(sent_at)).order_by("id").first()
    if label is not None:
        label.delete()


def _recall(message: Message) -> None:
    """Stop the answer and its email, or raise TooLate.

    A worker takes the email by a conditional UPDATE, too: of the two only one finds it as it must be.
    """
    emails = Delivery.objects.filter(message=message)
    stopped = emails.filter(state=DeliveryState.QUEUED, due_at__gt=Now()).update(
        state=DeliveryState.CANCELLED, error=MailReason.UNDONE, due_at=None, finished_at=Now(), message=None
    )
    # An email that waits for its next attempt is due later as well, so the answer itself has the last word.
    is_held = stopped or not emails.exists()
    if not (is_held and Message.objects.pending().filter(pk=message.pk).delete()[0]):
        raise TooLate(_("The answer has left already. To correct it, reopen the inquiry and send another."))


def _bring_back(inquiry: Inquiry, message: Message, actor: User) -> Inquiry:
    """Open the inquiry as it was before `message`, with its text unless somebody has written another meanwhile."""
    before = _answers(inquiry).last()
    fields: dict[str, Any] = {"answered_at": before.published_at if before else None, "to_learn": True}
    if inquiry.reply is None:
        fields |= {"reply": message.body, "reply_version": F("reply_version") + 1, "reply_by": actor}
    if inquiry.status == Status.ANSWERED:
        inquiry.move_to(Status.OPEN, actor=actor, **fields)
    else:
        Inquiry.objects.filter(pk=inquiry.pk).touch(**fields)
        inquiry.refresh_from_db()
    add_event(inquiry, EventKind.WITHDRAWN, actor)
    return inquiry


@transaction.atomic
def start_from_answer(inquiry: Inquiry, *, actor: User, example: Example, version: int) -> Inquiry:
    """Put the answer of a past inquiry into the editor, addressed to this customer.

    Other personal data stay as marks such as “[correo]”, for the person to fill in. Raises ReplyConflict as
    `save_reply` does.
    """
    name = first_name(inquiry.customer_name)
    # Without a name the blank before the mark goes too: "Hola [nombre]," becomes "Hola,".
    text = re.sub(r" ?\[nombre\]", f" {name}" if name else "", example.answer).strip()
    return save_reply(inquiry, actor=actor, text=text, version=version)


def _editing_event(inquiry: Inquiry, actor: User) -> None:
    """One event for an editing session, however often it was saved."""
    session = InquiryEvent.objects.filter(
        inquiry=inquiry, kind=EventKind.REPLY, actor=actor, updated_at__gt=Now() - EDITING_SESSION
    )
    if not session.update(updated_at=Now()):
        add_event(inquiry, EventKind.REPLY, actor)
