"""The reply: kept while somebody writes, published once."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from inquiries import outcomes
from inquiries.ai.templates import first_name
from inquiries.models import Example, Inquiry, InquiryEvent, Message, StaleInquiry, User
from inquiries.models.inquiry import InquiryError
from inquiries.services.shared import add_event, after_human_act
from inquiries.states import EventKind, MessageKind, Status

EDITING_SESSION = timedelta(minutes=30)


class EmptyReply(InquiryError):
    """There is no text to publish."""


class AlreadyPublished(InquiryError):
    """The customer has this very text as the last answer."""


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
def publish_answer(inquiry: Inquiry, *, actor: User, text: str, version: int) -> Inquiry:
    """Show `text` to the customer on the status page and mark the inquiry as answered.

    Raises EmptyReply, LeftoverMarks, AlreadyPublished, ReplyConflict, InvalidMove or StaleInquiry; then nothing
    was published.
    """
    from inquiries.ai.masking import leftover_marks  # brings the world's telephone numbers along

    if not text.strip():
        raise EmptyReply(_("Write a reply before you publish it."))
    if marks := leftover_marks(text):
        raise LeftoverMarks(_("Replace or delete %(marks)s before you publish.") % {"marks": ", ".join(marks)})
    # The row is held from the version check to the move: a colleague's save in between would be overwritten.
    locked = Inquiry.objects.select_for_update().filter(pk=inquiry.pk).first()
    if locked is None:
        raise StaleInquiry(_("This inquiry was erased."))
    last = locked.messages.published().last()
    if locked.is_waiting and last and last.body.strip() == text.replace("\r\n", "\n").strip():
        raise AlreadyPublished(_("This text is published already: change it before you publish again."))
    inquiry = save_reply(inquiry, actor=actor, text=text, version=version)
    inquiry.move_to(Status.ANSWERED, actor=actor, answered_at=Now(), reply=inquiry.reply_text, to_learn=True)
    Message.objects.create(inquiry=inquiry, kind=MessageKind.ANSWER, body=inquiry.reply_text, author=actor)
    outcomes.record(inquiry, actor=actor, sent=inquiry.reply_text)
    add_event(inquiry, EventKind.PUBLISHED, actor)
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
