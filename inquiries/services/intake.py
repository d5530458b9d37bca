"""Take an inquiry in, once, however often its sender tries."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from inquiries import caps
from inquiries.models import IdempotencyKey, Inquiry
from inquiries.models.access import IdempotencyQuerySet
from inquiries.models.inquiry import InquiryError
from inquiries.services.mail import queue_receipt
from inquiries.services.queueing import queue_analysis, skip_reason
from inquiries.states import AIReason, AnalysisState, Purpose, Source, SpamReason, Status
from pok.insert import insert


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


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in, as `submit` was told."""

    fields: dict[str, str]
    source: Source
    spam_reason: SpamReason | None
    replay: Replay | None
    digest: str
    has_key: bool

    @property
    def known_keys(self) -> IdempotencyQuerySet:
        """The row of its idempotency key, if there is one."""
        if self.replay is None:
            return IdempotencyKey.objects.none()
        return IdempotencyKey.objects.filter(scope=self.replay.scope, key=self.replay.key)


def submit(
    *,
    customer_name: str,
    email: str,
    message: str,
    source: Source,
    replay: Replay | None = None,
    spam_reason: SpamReason | None = None,
    has_key: bool = False,
) -> Submission:
    """Take an inquiry in and queue its analysis; the row is durable when this returns.

    With `replay`, a twin of an earlier call returns what that one made. Raises IdempotencyConflict where the
    key came with other data before. `has_key` tells that the caller showed an API key.
    """
    fields = {"customer_name": customer_name, "email": email, "message": message}
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    arrival = Arrival(fields, source, spam_reason, replay, digest, has_key=has_key)
    try:
        return _take_in(arrival)
    except IntegrityError:
        # Nearly every key is new, so nobody asks beforehand whether it was used before, or just now by a twin.
        if earlier := _earlier(arrival):
            return earlier
        if not _forget_expired(arrival):
            raise
    return _take_in(arrival)


@transaction.atomic
def _take_in(arrival: Arrival) -> Submission:
    """Write it down. Raises IntegrityError where its idempotency key is known."""
    skip = skip_reason(arrival.spam_reason)
    if not skip and caps.is_past_daily_cap(arrival.source, has_key=arrival.has_key):
        skip = AIReason.DAILY_CAP
    inquiry = Inquiry(
        **arrival.fields,
        source=arrival.source,
        status=Status.SPAM if arrival.spam_reason else Status.NEW,
        spam_reason=arrival.spam_reason or "",
        ai_state=AnalysisState.SKIPPED if skip else AnalysisState.QUEUED,
        ai_error=skip or "",
    )
    insert(inquiry)
    if replay := arrival.replay:
        insert(IdempotencyKey(scope=replay.scope, key=replay.key, body_digest=arrival.digest, inquiry=inquiry))
    if not skip:
        queue_analysis(inquiry, Purpose.ARRIVAL)
    queue_receipt(inquiry)
    return Submission(inquiry, created=True)


def _earlier(arrival: Arrival) -> Submission | None:
    row = arrival.known_keys.fresh().select_related("inquiry").first()
    if row is None:
        return None
    if row.body_digest != arrival.digest:
        raise IdempotencyConflict(row.inquiry)
    return Submission(row.inquiry, created=False)


def _forget_expired(arrival: Arrival) -> bool:
    """Make room for a key whose 24 hours are over; False where there was none."""
    return bool(arrival.known_keys.expired().delete()[0])
