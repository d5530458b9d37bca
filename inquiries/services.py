"""The verbs: what people, customers and integrators can do to an inquiry. Each is one transaction."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from inquiries.analysis import is_switched_on
from inquiries.bell import ring
from inquiries.models import (
    Analysis,
    Category,
    Correction,
    IdempotencyKey,
    Inquiry,
    InquiryEvent,
    Message,
    SiteSettings,
    StaleInquiry,
    User,
)
from inquiries.models.inquiry import InquiryError, InquiryQuerySet
from inquiries.states import (
    LIVE,
    AIReason,
    AnalysisState,
    EventKind,
    MessageKind,
    Purpose,
    Sentiment,
    Source,
    SpamReason,
    Status,
)

EDITING_SESSION = timedelta(minutes=30)


class EmptyReply(InquiryError):
    """There is no text to publish."""


class AlreadyPublished(InquiryError):
    """The customer has this very text as the last answer."""


class NothingToUndo(InquiryError):
    """No correction of this field stands."""


class IdempotencyConflict(InquiryError):
    """The key was used before with another body; `inquiry` is what it made then."""

    def __init__(self, inquiry: Inquiry) -> None:
        super().__init__(_("This idempotency key was used before with other data."))
        self.inquiry = inquiry


class ReplyConflict(InquiryError):
    """Somebody else changed the reply text; `inquiry` holds theirs, nothing was written."""

    def __init__(self, inquiry: Inquiry) -> None:
        super().__init__(_("Somebody else has changed this reply meanwhile."))
        self.inquiry = inquiry


@dataclass(frozen=True, slots=True)
class Submission:
    """What `submit` gave: the inquiry, and whether this call made it or an earlier twin did."""

    inquiry: Inquiry
    created: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """A caller's idempotency key within its scope ("key:<id>", "public" or "form")."""

    scope: str
    key: str


def submit(
    *,
    customer_name: str,
    email: str,
    message: str,
    source: Source,
    replay: Replay | None = None,
    spam_reason: SpamReason | None = None,
) -> Submission:
    """Take an inquiry in and queue its analysis; the row is durable when this returns.

    With `replay`, a twin of an earlier call returns what that one made. Raises IdempotencyConflict where the
    key came with other data before.
    """
    fields = {"customer_name": customer_name, "email": email, "message": message}
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    if replay and (earlier := _earlier(replay, digest)):
        return earlier
    try:
        with transaction.atomic():
            inquiry = _create(fields, source, spam_reason)
            if replay:
                _remember(replay, digest, inquiry)
    except IntegrityError:
        # A twin came in at the same moment and was first: its row answers for both.
        if replay and (earlier := _earlier(replay, digest)):
            return earlier
        raise
    return Submission(inquiry, created=True)


def _create(fields: dict[str, str], source: Source, spam_reason: SpamReason | None) -> Inquiry:
    skip = _skip_reason(spam_reason)
    inquiry = Inquiry.objects.create(
        **fields,
        source=source,
        status=Status.SPAM if spam_reason else Status.NEW,
        spam_reason=spam_reason or "",
        ai_state=AnalysisState.SKIPPED if skip else AnalysisState.QUEUED,
        ai_error=skip or "",
    )
    if not skip:
        _queue(inquiry, Purpose.ARRIVAL)
    return inquiry


def _skip_reason(spam_reason: SpamReason | None) -> AIReason | None:
    if spam_reason:
        return AIReason.SPAM
    return None if is_switched_on() else AIReason.DISABLED


def _queue(inquiry: Inquiry, purpose: Purpose) -> Analysis:
    analysis = Analysis.objects.create(inquiry=inquiry, purpose=purpose)
    transaction.on_commit(lambda: ring(analysis.pk), robust=True)
    return analysis


def _earlier(replay: Replay, digest: str) -> Submission | None:
    row = IdempotencyKey.objects.fresh().filter(scope=replay.scope, key=replay.key).select_related("inquiry").first()
    if row is None:
        return None
    if row.body_digest != digest:
        raise IdempotencyConflict(row.inquiry)
    return Submission(row.inquiry, created=False)


def _remember(replay: Replay, digest: str, inquiry: Inquiry) -> None:
    IdempotencyKey.objects.expired().filter(scope=replay.scope, key=replay.key).delete()
    IdempotencyKey.objects.create(scope=replay.scope, key=replay.key, body_digest=digest, inquiry=inquiry)


# --- Labels ------------------------------------------------------------------------------------
@transaction.atomic
def correct_category(inquiry: Inquiry, *, actor: User, category: Category) -> Inquiry:
    """Set the category by hand and keep what the AI had said as a label; the same value again confirms it."""
    if inquiry.category_id == category.pk and inquiry.category_by_person:
        return inquiry
    old = inquiry.category.name if inquiry.category else ""
    _keep_label(inquiry, actor, Correction.Field.CATEGORY, old, category.name)
    unchanged = _unchanged(inquiry, category=inquiry.category_id, category_by_person=inquiry.category_by_person)
    _expect(unchanged.touch(category=category, category_by_person=True, needs_review=False))
    _event(inquiry, EventKind.CONFIRMED if old == category.name else EventKind.CATEGORY, actor, old, category.name)
    return _after_human_act(inquiry, actor)


@transaction.atomic
def correct_sentiment(inquiry: Inquiry, *, actor: User, sentiment: Sentiment) -> Inquiry:
    """Set the sentiment by hand and keep what the AI had said as a label."""
    if inquiry.sentiment == sentiment and inquiry.sentiment_by_person:
        return inquiry
    old = inquiry.sentiment or ""
    _keep_label(inquiry, actor, Correction.Field.SENTIMENT, old, sentiment.value)
    unchanged = _unchanged(inquiry, sentiment=inquiry.sentiment, sentiment_by_person=inquiry.sentiment_by_person)
    _expect(unchanged.touch(sentiment=sentiment, sentiment_by_person=True))
    _event(inquiry, EventKind.CONFIRMED if old == sentiment else EventKind.SENTIMENT, actor, old, sentiment.value)
    return _after_human_act(inquiry, actor)


@transaction.atomic
def undo_correction(inquiry: Inquiry, *, actor: User, field: str) -> Inquiry:
    """Take the newest standing correction of `field` back. Raises NothingToUndo where there is none."""
    correction = Correction.objects.filter(inquiry=inquiry, field=field, undone_at=None).order_by("-id").first()
    if correction is None:
        raise NothingToUndo(_("There is nothing to undo."))
    _expect(Correction.objects.filter(pk=correction.pk, undone_at=None).update(undone_at=Now()))
    value = _value_before(correction)
    restored: dict[str, Any] = {field: value, f"{field}_by_person": correction.previous_by_person}
    if field == Correction.Field.CATEGORY and not correction.previous_by_person:
        restored["needs_review"] = inquiry.confidence is not None and (
            inquiry.confidence < SiteSettings.current().review_threshold
        )
    Inquiry.objects.filter(pk=inquiry.pk).touch(**restored)
    _event(inquiry, EventKind.UNDONE, actor, correction.human_value, str(value or ""))
    return _after_human_act(inquiry, actor)


def _value_before(correction: Correction) -> Category | str | None:
    """What holds without the correction: another person's value, else what the AI says by now."""
    is_category = correction.field == Correction.Field.CATEGORY
    newest = Analysis.objects.filter(inquiry=correction.inquiry_id, state=AnalysisState.DONE).order_by("-id").first()
    if correction.previous_by_person or newest is None:
        value = correction.previous_category if is_category else correction.previous_value
        had_value = bool(correction.previous_value)
    else:
        value = newest.category_row if is_category else newest.sentiment
        had_value = True
    if had_value and value is None:
        raise NothingToUndo(_("The category from before no longer exists."))
    return value or None


def _unchanged(inquiry: Inquiry, **seen: Any) -> InquiryQuerySet:
    """The row, provided that these fields still hold what the person saw (NULL included)."""
    conditions = {
        name if value is not None else f"{name}__isnull": value if value is not None else True
        for name, value in seen.items()
    }
    return Inquiry.objects.filter(pk=inquiry.pk, **conditions)


def _keep_label(inquiry: Inquiry, actor: User, field: Correction.Field, old: str, new: str) -> None:
    analysis = inquiry.analyses.filter(state=AnalysisState.DONE).order_by("-id").first()
    Correction.objects.create(
        inquiry=inquiry,
        field=field,
        ai_value=getattr(analysis, field, "") if analysis else "",
        human_value=new,
        previous_value=old,
        previous_category=inquiry.category if field == Correction.Field.CATEGORY else None,
        previous_by_person=getattr(inquiry, f"{field}_by_person"),
        actor=actor,
        engine=analysis.engine if analysis else "",
        model=analysis.model if analysis else "",
        prompt_version=analysis.prompt_version if analysis else "",
    )


# --- The reply ---------------------------------------------------------------------------------
@transaction.atomic
def save_reply(inquiry: Inquiry, *, actor: User, text: str, version: int) -> Inquiry:
    """Keep the text of the editor. Raises ReplyConflict where `version` is not the newest."""
    text = text.replace("\r\n", "\n")
    current = Inquiry.objects.for_detail().get(pk=inquiry.pk)
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
    return _after_human_act(inquiry, actor)


@transaction.atomic
def use_draft(inquiry: Inquiry, *, actor: User, version: int) -> Inquiry:
    """Drop the person's text and go back to the AI's draft. Raises ReplyConflict as `save_reply` does."""
    saved = Inquiry.objects.filter(pk=inquiry.pk, reply_version=version).touch(
        reply=None, reply_version=F("reply_version") + 1, reply_by=None
    )
    if not saved:
        raise ReplyConflict(Inquiry.objects.for_detail().get(pk=inquiry.pk))
    _event(inquiry, EventKind.DRAFT, actor)
    return _after_human_act(inquiry, actor)


@transaction.atomic
def publish_answer(inquiry: Inquiry, *, actor: User, text: str, version: int) -> Inquiry:
    """Show `text` to the customer on the status page and mark the inquiry as answered.

    Raises EmptyReply, AlreadyPublished, ReplyConflict, InvalidMove or StaleInquiry; then nothing was published.
    """
    if not text.strip():
        raise EmptyReply(_("Write a reply before you publish it."))
    # The row is held from the version check to the move: a colleague's save in between would be overwritten.
    locked = Inquiry.objects.select_for_update().get(pk=inquiry.pk)
    last = locked.messages.published().last()
    if locked.is_waiting and last and last.body.strip() == text.replace("\r\n", "\n").strip():
        raise AlreadyPublished(_("This text is published already: change it before you publish again."))
    inquiry = save_reply(inquiry, actor=actor, text=text, version=version)
    inquiry.move_to(Status.ANSWERED, actor=actor, answered_at=Now(), reply=inquiry.reply_text)
    Message.objects.create(inquiry=inquiry, kind=MessageKind.ANSWER, body=inquiry.reply_text, author=actor)
    _event(inquiry, EventKind.PUBLISHED, actor)
    return inquiry


def _editing_event(inquiry: Inquiry, actor: User) -> None:
    """One event for an editing session, however often it was saved."""
    session = InquiryEvent.objects.filter(
        inquiry=inquiry, kind=EventKind.REPLY, actor=actor, updated_at__gt=Now() - EDITING_SESSION
    )
    if not session.update(updated_at=Now()):
        _event(inquiry, EventKind.REPLY, actor)


# --- The status --------------------------------------------------------------------------------
def close(inquiry: Inquiry, *, actor: User, reason: str = "") -> Inquiry:
    """End an inquiry without an answer."""
    inquiry.move_to(Status.CLOSED, actor=actor, reason=reason)
    return inquiry


def reopen(inquiry: Inquiry, *, actor: User) -> Inquiry:
    """Take an answered or closed inquiry up again."""
    inquiry.move_to(Status.OPEN, actor=actor)
    return inquiry


def mark_spam(inquiry: Inquiry, *, actor: User) -> Inquiry:
    """Set an inquiry aside as spam."""
    inquiry.move_to(Status.SPAM, actor=actor, spam_reason=SpamReason.PERSON)
    return inquiry


@transaction.atomic
def unmark_spam(inquiry: Inquiry, *, actor: User) -> Inquiry:
    """Bring an inquiry back from spam; one that was never read by the AI is now."""
    if inquiry.status != Status.SPAM:
        raise StaleInquiry(_("Somebody else has just changed this inquiry."))
    inquiry.move_to(Status.OPEN, actor=actor, spam_reason="")
    if inquiry.ai_state == AnalysisState.SKIPPED and not _skip_reason(None):
        _requeue(inquiry)
    return inquiry


# --- The machine -------------------------------------------------------------------------------
@transaction.atomic
def retry(inquiry: Inquiry, *, actor: User | None) -> Inquiry:
    """Ask for a new analysis now. Raises StaleInquiry where one is under way already."""
    if inquiry.ai_state in LIVE:
        raise StaleInquiry(_("The analysis is already under way."))
    if _skip_reason(None):
        raise InquiryError(_("The AI is switched off."))
    _requeue(inquiry)
    _event(inquiry, EventKind.RETRIED, actor)
    return inquiry


def retry_failed(*, actor: User | None, limit: int = 500) -> int:
    """Ask again for every waiting inquiry whose analysis failed or was switched off; return how many."""
    failed = list(Inquiry.objects.unread().order_by("id")[:limit])
    done = 0
    for inquiry in failed:
        try:
            retry(inquiry, actor=actor)
        except StaleInquiry:  # somebody else asked for this one in between
            continue
        done += 1
    return done


def _requeue(inquiry: Inquiry) -> None:
    """Queue a retry. The analysis row is locked before the inquiry, as a worker that records does."""
    live = Analysis.objects.live().filter(inquiry=inquiry).exclude(purpose=Purpose.COMPARE)
    # A redo that waits for its hour goes first; one that is running becomes the retry that was asked for.
    scheduled = live.filter(state=AnalysisState.QUEUED)
    if scheduled.update(purpose=Purpose.RETRY, due_at=Now(), attempts=0):
        pk = scheduled.values_list("pk", flat=True).get()
        transaction.on_commit(lambda: ring(pk), robust=True)
    elif not live.update(purpose=Purpose.RETRY):
        _queue(inquiry, Purpose.RETRY)
    waiting = Inquiry.objects.filter(pk=inquiry.pk).exclude(ai_state__in=LIVE)
    _expect(waiting.touch(ai_state=AnalysisState.QUEUED, ai_error=""))
    inquiry.refresh_from_db()


# --- Shared ------------------------------------------------------------------------------------
def _after_human_act(inquiry: Inquiry, actor: User) -> Inquiry:
    """The first thing that a person does to a new inquiry opens it."""
    fresh = Inquiry.objects.for_detail().get(pk=inquiry.pk)
    if fresh.status == Status.NEW:
        fresh.move_to(Status.OPEN, actor=actor)
    return fresh


def _expect(rows: int) -> None:
    if not rows:
        raise StaleInquiry(_("Somebody else has just changed this inquiry."))


def _event(inquiry: Inquiry, kind: EventKind, actor: User | None, old: str = "", new: str = "") -> None:
    InquiryEvent.objects.create(inquiry=inquiry, kind=kind, actor=actor, old=old, new=new)
