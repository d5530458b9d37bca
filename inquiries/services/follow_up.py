"""The customer writes again: one message of the thread, and a new reading of the whole conversation."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from inquiries import caps
from inquiries.bell import ring
from inquiries.engines import is_switched_on
from inquiries.models import Analysis, IdempotencyKey, Inquiry, Message, StaleInquiry
from inquiries.models.inquiry import InquiryError
from inquiries.services.intake import IdempotencyConflict
from inquiries.services.queueing import queue_analysis
from inquiries.services.shared import add_event
from inquiries.states import AnalysisState, EventKind, MessageKind, Purpose, Source, Status

MOST_FOLLOW_UPS = 50
SCOPE = "follow-up"


class TooManyFollowUps(InquiryError):
    """The conversation is as long as one may become."""


def follow_up(inquiry: Inquiry, *, text: str, key: str) -> bool:
    """Add what the customer wrote, open the inquiry again and ask for a new reading; False for a twin of `key`.

    Raises IdempotencyConflict where the key came with another text before, TooManyFollowUps, or StaleInquiry where
    the inquiry was erased; then nothing was written.
    """
    digest = hashlib.sha256(f"{inquiry.pk}\n{text}".encode()).hexdigest()
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(scope=SCOPE, key=key, body_digest=digest, inquiry=inquiry)
            _write(inquiry, text)
    except IntegrityError:
        known = IdempotencyKey.objects.filter(scope=SCOPE, key=key).first()
        if known is None:
            raise StaleInquiry(_("This inquiry was erased.")) from None
        if known.body_digest != digest:
            raise IdempotencyConflict(inquiry) from None
        return False
    return True


def _write(inquiry: Inquiry, text: str) -> None:
    """Lock the analyses before the inquiry, as a worker that records does."""
    is_read_again = inquiry.status != Status.SPAM and _ask_again(inquiry)
    locked = Inquiry.objects.select_for_update().filter(pk=inquiry.pk).first()
    if locked is None:
        raise StaleInquiry(_("This inquiry was erased."))
    if locked.messages.filter(kind=MessageKind.CUSTOMER).count() >= MOST_FOLLOW_UPS:
        raise TooManyFollowUps(_("This conversation is very long already. Please send a new inquiry."))
    changes = _fresh_draft(locked) | {"followed_up_at": Now()}
    if is_read_again:
        changes |= {"ai_state": AnalysisState.QUEUED, "ai_error": ""}
    Message.objects.create(inquiry=locked, kind=MessageKind.CUSTOMER, body=text)
    add_event(locked, EventKind.FOLLOW_UP, None)
    if locked.status in {Status.ANSWERED, Status.CLOSED}:
        locked.move_to(Status.OPEN, actor=None, **changes)
    else:
        Inquiry.objects.filter(pk=locked.pk).touch(**changes)


def _ask_again(inquiry: Inquiry) -> bool:
    """Queue a reading that includes the follow-up; one that is under way without it loses its claim.

    What that worker brings back is booked and dropped, for its answer is to a message that is no longer the newest.
    """
    if not is_switched_on() or caps.is_past_daily_cap(Source.FORM):
        return False
    if not _take_over(inquiry):
        try:
            with transaction.atomic():
                queue_analysis(inquiry, Purpose.FOLLOW_UP)
        except IntegrityError:  # a worker has just scheduled a redo
            return _take_over(inquiry)
    return True


def _take_over(inquiry: Inquiry) -> bool:
    live = Analysis.objects.live().filter(inquiry=inquiry).exclude(purpose=Purpose.COMPARE)
    taken = live.update(
        state=AnalysisState.QUEUED, purpose=Purpose.FOLLOW_UP, claim_token=None, due_at=Now(), attempts=0
    )
    for pk in live.values_list("pk", flat=True) if taken else []:
        transaction.on_commit(lambda pk=pk: ring(pk), robust=True)  # type: ignore[misc]
    return bool(taken)


def _fresh_draft(inquiry: Inquiry) -> dict[str, Any]:
    """Empty the editor for the new draft, unless a person has typed something there that was not sent."""
    last = inquiry.messages.filter(kind=MessageKind.ANSWER).last()
    is_sent = last is not None and inquiry.reply is not None and inquiry.reply.strip() == last.body.strip()
    if inquiry.reply is not None and not is_sent:
        return {}
    return {"reply": None, "reply_by": None, "reply_version": F("reply_version") + 1, "suggested_reply": None}
