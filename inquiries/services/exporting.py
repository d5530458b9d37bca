"""All that is kept about a person, as one JSON-able dict: what a customer may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model
from django.utils import timezone

from inquiries.ai.cases import without_cases
from inquiries.models import Analysis, Correction, Inquiry, InquiryEvent, Message, Outcome, User
from inquiries.models.inquiry import InquiryQuerySet
from inquiries.states import MessageKind

PAGE = 200
RELATED = (
    "messages__author",
    "events__actor",
    "analyses",
    "corrections__actor",
    "outcomes__actor",
    "idempotency_keys",
    "deliveries",
)
INQUIRY_FIELDS = (
    "customer_name",
    "email",
    "message",
    "source",
    "created_at",
    "updated_at",
    "answered_at",
    "followed_up_at",
    "status",
    "spam_reason",
    "category_by_person",
    "sentiment",
    "sentiment_by_person",
    "suggested_reply",
    "reply",
    "ai_state",
    "ai_error",
    "engine",
    "model",
    "confidence",
    "needs_review",
    "is_provisional",
    "flags",
    "language",
    "analysed_at",
)
ANALYSIS_FIELDS = (
    "purpose",
    "state",
    "error",
    "error_detail",
    "created_at",
    "started_at",
    "finished_at",
    "engine",
    "model",
    "prompt_version",
    "masked",
    "raw_answer",
    "category",
    "sentiment",
    "language",
    "reply",
    "reason",
    "claimed_confidence",
    "confidence",
    "abstained",
    "is_provisional",
    "flags",
    "tokens_in",
    "tokens_out",
    "cost",
    "duration_ms",
)
CORRECTION_FIELDS = (
    "field",
    "ai_value",
    "human_value",
    "previous_value",
    "engine",
    "model",
    "prompt_version",
    "created_at",
    "undone_at",
)
DELIVERY_FIELDS = (
    "kind",
    "recipient",
    "mail_id",
    "state",
    "error",
    "error_detail",
    "created_at",
    "handed_at",
    "finished_at",
)
OUTCOME_FIELDS = (
    "engine",
    "model",
    "prompt_version",
    "ai_category",
    "category",
    "category_touched",
    "ai_sentiment",
    "sentiment",
    "sentiment_touched",
    "claimed_confidence",
    "confidence",
    "draft_use",
    "edit_distance",
    "created_at",
)


def export_person(email: str) -> dict[str, Any]:
    """Return `{"email", "exported_at", "inquiries": [...]}` with all that is kept of this address, oldest first.

    Times are ISO 8601 in UTC, members of the team stand by their names only, and other customers' words that went
    out beside a request as examples are left out of it. Nobody with this address: an empty list.
    """
    found = Inquiry.objects.from_address(email)
    return {
        "email": email.strip(),
        "exported_at": _plain(timezone.now()),
        "inquiries": [_inquiry(inquiry) for inquiry in _in_pages(found)],
    }


def _in_pages(found: InquiryQuerySet) -> Iterator[Inquiry]:
    """Yield the inquiries with what belongs to them, a page of them at a time."""
    rows = found.select_related("category", "assignee", "reply_by", "vector", "example__category")
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk").prefetch_related(*RELATED)[:PAGE]):
        yield from page
        last = page[-1].pk


def _inquiry(inquiry: Inquiry) -> dict[str, Any]:
    return {
        "number": inquiry.pk,
        **_fields(inquiry, INQUIRY_FIELDS),
        "category": inquiry.category.name if inquiry.category else None,
        "assignee": _name(inquiry.assignee),
        "reply_by": _name(inquiry.reply_by),
        "messages": [_message(message) for message in inquiry.messages.all()],
        "events": [_event(event) for event in inquiry.events.all()],
        "analyses": [_analysis(analysis) for analysis in sorted(inquiry.analyses.all(), key=lambda row: row.pk)],
        "corrections": [_correction(row) for row in sorted(inquiry.corrections.all(), key=lambda row: row.pk)],
        "outcomes": [_outcome(row) for row in sorted(inquiry.outcomes.all(), key=lambda row: row.pk)],
        "emails": [_fields(row, DELIVERY_FIELDS) for row in sorted(inquiry.deliveries.all(), key=lambda row: row.pk)],
        "example": _example(inquiry),
        "vector_of": inquiry.vector.encoder if hasattr(inquiry, "vector") else None,
        "repeat_keys": [_fields(row, ("scope", "created_at")) for row in inquiry.idempotency_keys.all()],
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        **_fields(message, ("kind", "body", "created_at", "published_at")),
        "author": _name(message.author),
        "is_internal": message.kind == MessageKind.NOTE,
    }


def _event(event: InquiryEvent) -> dict[str, Any]:
    return {**_fields(event, ("kind", "old", "new", "reason", "created_at", "updated_at")), "actor": _name(event.actor)}


def _analysis(analysis: Analysis) -> dict[str, Any]:
    return {
        **_fields(analysis, ANALYSIS_FIELDS),
        "sent_outside": without_cases(analysis.sent_text, lambda _key: True),
    }


def _correction(correction: Correction) -> dict[str, Any]:
    return {**_fields(correction, CORRECTION_FIELDS), "actor": _name(correction.actor)}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {**_fields(outcome, OUTCOME_FIELDS), "actor": _name(outcome.actor)}


def _example(inquiry: Inquiry) -> dict[str, Any] | None:
    """Return the texts that POK learns from, which hold marks in place of personal data."""
    if not hasattr(inquiry, "example"):
        return None
    category = inquiry.example.category.name if inquiry.example.category else None
    return {**_fields(inquiry.example, ("text", "answer", "sentiment", "created_at")), "category": category}


def _fields(row: Model, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    """Return what JSON can hold: a time as text, money as text, all else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if value is None or isinstance(value, (str, bool, int, float, list, dict)):
        return value
    return str(value)


def _name(user: User | None) -> str | None:
    return (user.get_full_name() or user.get_username()) if user else None
