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
from inquiries.models import Analysis, IdempotencyKey, Inquiry, Message, StaleInquiry
from inquiries.models.inquiry import InquiryError
from inquiries.models.job import JobQuerySet
from inquiries.services.intake import IdempotencyConflict
from inquiries.services.queueing import queue_analysis, skip_reason
from inquiries.services.shared import add_event
from inquiries.states import AIReason, AnalysisState, EventKind, MessageKind, Purpose, Source, Status

MOST_FOLLOW_UPS = 50
SCOPE = "follow-up"
TRIES = 3


class TooManyFollowUps(InquiryError):
    """The conversation is as long as one may become."""


def follow_up(inquiry: Inquiry, *, text: str, key: str) -> bool:
    """Add what the customer wrote, open the inquiry again and ask for a new reading; False for a twin of `key`.

    Spam stays spam and is not read: nobody outside learns what the team took it for. An answer that can still be
    taken back leaves all the same. Raises IdempotencyConflict where the key came with another text before,
    TooManyFollowUps, or StaleInquiry where the inquiry was erased; then nothing was written.
    """
    digest = hashlib.sha256(f"{inquiry.pk}\n{text}".encode()).hexdigest()
    try:
        with transaction.atomic():
            _write(inquiry, text, IdempotencyKey(scope=SCOPE, key=key, body_digest=digest, inquiry=inquiry))
    except IntegrityError:
        known = IdempotencyKey.objects.filter(scope=SCOPE, key=key).first()
        if known is None:
            raise StaleInquiry(_("This inquiry was erased.")) from None
        if known.body_digest != digest:
            raise IdempotencyConflict(inquiry) from None
        return False
    return True


def _write(inquiry: Inquiry, text: str, key: IdempotencyKey) -> None:
    """Write it down, the analyses locked before the inquiry, as by a worker that records and by an erasure."""
    ai_state = {} if inquiry.status == Status.SPAM else _ask_again(inquiry)
    locked = Inquiry.objects.select_for_update().filter(pk=inquiry.pk).first()
    if locked is None:
        raise StaleInquiry(_("This inquiry was erased."))
    key.save(force_insert=True)
    if locked.messages.filter(kind=MessageKind.CUSTOMER).count() >= MOST_FOLLOW_UPS:
        raise TooManyFollowUps(_("This conversation is very long already. Please send a new inquiry."))
    changes = ai_state | _fresh_draft(locked) | {"followed_up_at": Now()}
    Message.objects.create(inquiry=locked, kind=MessageKind.CUSTOMER, body=text)
    add_event(locked, EventKind.FOLLOW_UP, None)
    if locked.status in {Status.ANSWERED, Status.CLOSED}:
        locked.move_to(Status.OPEN, actor=None, **changes)
    else:
        Inquiry.objects.filter(pk=locked.pk).touch(**changes)


def _ask_again(inquiry: Inquiry) -> dict[str, Any]:
    """Let there be a reading that includes the follow-up; return what the inquiry says of it."""
    if _hurry(inquiry):  # it has not begun: it reads what is there when it begins
        return {"ai_state": AnalysisState.QUEUED, "ai_error": ""}
    reason = skip_reason(None)
    if reason is None and caps.is_past_daily_cap(Source.FORM):
        reason = AIReason.DAILY_CAP
    for _try in range(TRIES):  # a worker may move it on between two steps
        if _take_over(inquiry, reason) or reason or _queue(inquiry) or _hurry(inquiry):
            break
    return {"ai_state": AnalysisState.SKIPPED if reason else AnalysisState.QUEUED, "ai_error": reason or ""}


def _hurry(inquiry: Inquiry) -> bool:
    """Let a reading that waits, for its turn or its hour, begin now."""
    waiting = _live(inquiry).filter(state=AnalysisState.QUEUED)
    return _restart(waiting, {"state": AnalysisState.QUEUED, "due_at": Now()})


def _take_over(inquiry: Inquiry, reason: AIReason | None) -> bool:
    """Take the claim of a reading under way, which misses the newest message: begin it anew, or end it for `reason`.

    What its worker brings back is booked and dropped; it counts as no attempt.
    """
    running = _live(inquiry).filter(state=AnalysisState.RUNNING)
    if reason:
        return bool(running.update(state=AnalysisState.SKIPPED, error=reason, due_at=None, finished_at=Now()))
    return _restart(running, {"state": AnalysisState.QUEUED, "due_at": Now(), "claim_token": None})


def _live(inquiry: Inquiry) -> JobQuerySet:
    return Analysis.objects.live().filter(inquiry=inquiry).exclude(purpose=Purpose.COMPARE)


def _restart(found: JobQuerySet, fields: dict[str, Any]) -> bool:
    pk = found.values_list("pk", flat=True).first()
    # Asked for again: a worker may have taken or finished it meanwhile.
    if pk is None or not found.filter(pk=pk).update(
        purpose=Purpose.FOLLOW_UP, attempts=0, error="", error_detail="", **fields
    ):
        return False
    transaction.on_commit(lambda: ring(pk), robust=True)
    return True


def _queue(inquiry: Inquiry) -> bool:
    """Queue a new reading; False where a worker has just scheduled one."""
    try:
        with transaction.atomic():
            queue_analysis(inquiry, Purpose.FOLLOW_UP)
    except IntegrityError:
        return False
    return True


def _fresh_draft(inquiry: Inquiry) -> dict[str, Any]:
    """Drop the draft, which replies to an older message; so is a text in the editor that was sent.

    What a person has typed there and not sent stays as it is.
    """
    last = inquiry.messages.filter(kind=MessageKind.ANSWER).last()
    if last is None or inquiry.reply is None or inquiry.reply.strip() != last.body.strip():
        return {"suggested_reply": None}
    return {"suggested_reply": None, "reply": None, "reply_by": None, "reply_version": F("reply_version") + 1}
