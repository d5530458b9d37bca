"""Take an inquiry in, once, however often its sender tries."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from inquiries.models import IdempotencyKey, Inquiry
from inquiries.models.inquiry import InquiryError
from inquiries.services.mail import queue_receipt
from inquiries.services.queueing import queue_analysis, skip_reason
from inquiries.states import AnalysisState, Purpose, Source, SpamReason, Status


class IdempotencyConflict(InquiryError):
    """The key was used before with another body; `inquiry` is what it made then."""

    def __init__(self, inquiry: Inquiry) -> None:
        super().__init__(_("This idempotency key was used before with other data."))
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
    skip = skip_reason(spam_reason)
    inquiry = Inquiry.objects.create(
        **fields,
        source=source,
        status=Status.SPAM if spam_reason else Status.NEW,
        spam_reason=spam_reason or "",
        ai_state=AnalysisState.SKIPPED if skip else AnalysisState.QUEUED,
        ai_error=skip or "",
    )
    if not skip:
        queue_analysis(inquiry, Purpose.ARRIVAL)
    queue_receipt(inquiry)
    return inquiry


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
