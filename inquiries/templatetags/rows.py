"""The inbox's rows. `_row.html` is drawn once for a language, and a badge once for what it says.

A page has fifty rows, and nearly all of its time went into the same badges over and over. What is kept are patterns
and badges, a few hundred: nothing that a customer wrote, and nothing that a badge does not get as its face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from html import escape
from typing import NamedTuple, TypeVar

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe

from inquiries.models import Inquiry, SiteSettings
from inquiries.services.reply import UNDO_SECONDS
from inquiries.states import AIFlag, AIReason, Sentiment, Status
from inquiries.templatetags.desk import age, extract, level_above

register = template.Library()
KEPT = 4_096
# Private-use characters stand around the places of a pattern: no escaping touches them, no text of ours has them.
OPEN, CLOSE = "\ue000", "\ue001"
SOME_PK = 1_234_567_890
PLACES = ("pk", "status", "customer_name", "email", "extract", "category", "sentiment", "ai", "state", "age")
Drawing = TypeVar("Drawing", bound=Callable[..., str])


def kept(draw: Drawing) -> Drawing:
    """Remember what was drawn, except while somebody works on the templates."""
    return draw if settings.DEBUG else lru_cache(KEPT)(draw)  # type: ignore[return-value]


class Look(NamedTuple):
    """What all rows of a page share and a badge depends on."""

    language: str
    zone: str
    threshold: float

    @classmethod
    def current(cls) -> Look:
        """As it is for this request."""
        return cls(
            translation.get_language() or settings.LANGUAGE_CODE,
            timezone.get_current_timezone_name(),
            SiteSettings.current().review_threshold,
        )


class CategoryFace(NamedTuple):
    """What `_category_badge.html` shows."""

    name: str
    colour: str
    category_by_person: bool

    @property
    def category(self) -> CategoryFace | None:
        return self if self.name else None


class SentimentFace(NamedTuple):
    """What `_sentiment_badge.html` shows."""

    sentiment: str
    sentiment_by_person: bool

    def get_sentiment_display(self) -> str:
        return str(Sentiment(self.sentiment).label)


class AIFace(NamedTuple):
    """What `_row_ai.html` shows."""

    ai_state: str
    ai_error: str
    ai_started_at: datetime | None
    is_provisional: bool
    engine: str
    model: str
    confidence: float | None
    is_to_review: bool
    is_suspicious: bool

    def get_ai_error_display(self) -> str:
        return str(AIReason(self.ai_error).label) if self.ai_error else ""


class StatusFace(NamedTuple):
    """What `_row_status.html` shows."""

    status: str
    wrote_again: bool

    def get_status_display(self) -> str:
        return str(Status(self.status).label)


@register.simple_tag
def inbox_rows(inquiries: Iterable[Inquiry]) -> SafeString:
    """The rows of these inquiries, one after the other."""
    look = Look.current()
    pattern = _pattern(look.language, is_gone=False, oob=False)
    return mark_safe("\n".join(pattern.format(**_values(inquiry, look)) for inquiry in inquiries))  # noqa: S308


@register.simple_tag
def inbox_row(inquiry: Inquiry, *, is_gone: bool = False) -> SafeString:
    """The row of one inquiry for an open page, which it replaces there; `is_gone` where the list has it no longer."""
    look = Look.current()
    pattern = _pattern(look.language, is_gone=is_gone, oob=True)
    return mark_safe(pattern.format(**_values(inquiry, look)))  # noqa: S308


@kept
def _pattern(language: str, *, is_gone: bool, oob: bool) -> str:
    """`_row.html` as a format string, with a place for whatever differs from row to row."""
    row = {place: f"{OPEN}{place}{CLOSE}" for place in PLACES}
    row["url"] = reverse("detail", args=[SOME_PK]).replace(str(SOME_PK), row["pk"])
    html = get_template("inquiries/_row.html").render({"row": row, "is_gone": is_gone, "oob": oob})
    return html.replace("{", "{{").replace("}", "}}").replace(OPEN, "{").replace(CLOSE, "}")


def _values(inquiry: Inquiry, look: Look) -> dict[str, str]:
    """What stands in the places, safe as HTML."""
    category = inquiry.category
    return {
        "pk": str(inquiry.pk),
        "status": inquiry.status,
        "customer_name": escape(inquiry.customer_name),
        "email": escape(inquiry.email),
        "extract": escape(extract(inquiry.message)),
        "category": _badge(
            "_category_badge",
            CategoryFace(
                category.name if category else "", category.colour if category else "", inquiry.category_by_person
            ),
            look,
        ),
        "sentiment": _badge(
            "_sentiment_badge", SentimentFace(inquiry.sentiment or "", inquiry.sentiment_by_person), look
        ),
        "ai": _badge("_row_ai", _ai_face(inquiry, look.threshold), look),
        "state": _badge("_row_status", StatusFace(inquiry.status, wrote_again(inquiry)), look),
        "age": age(inquiry.created_at),
    }


def wrote_again(inquiry: Inquiry) -> bool:
    """Tell whether the customer's newest follow-up waits for a person, who has not answered since it came."""
    if inquiry.followed_up_at is None or not inquiry.is_waiting:
        return False
    # An answer counts from the click on, not from when it left: who sent it had not seen what came in between.
    undo = timedelta(seconds=UNDO_SECONDS)
    return inquiry.answered_at is None or inquiry.followed_up_at > inquiry.answered_at - undo


def _ai_face(inquiry: Inquiry, threshold: float) -> AIFace:
    return AIFace(
        inquiry.ai_state,
        inquiry.ai_error,
        inquiry.ai_started_at if inquiry.ai_state == "running" else None,
        inquiry.is_provisional,
        inquiry.engine,
        inquiry.model,
        _whole_percent(inquiry.confidence, threshold),
        inquiry.needs_review and inquiry.is_waiting,
        AIFlag.SUSPICIOUS in inquiry.flags,
    )


def _whole_percent(confidence: float | None, threshold: float) -> float | None:
    """As exact as a badge shows it, so that a hundred badges do for all; never across a border between two levels."""
    if confidence is None:
        return None
    rounded = round(confidence * 100) / 100
    return rounded if level_above(threshold, rounded) == level_above(threshold, confidence) else confidence


@kept
def _badge(name: str, face: NamedTuple, look: Look) -> str:
    return get_template(f"inquiries/{name}.html").render({"inquiry": face}).strip()
