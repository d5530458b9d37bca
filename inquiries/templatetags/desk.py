"""Words of the desk for templates: ages, confidence, engines, events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from django import template
from django.template.defaultfilters import date as format_date
from django.utils import timezone, translation
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from inquiries.models import Analysis, InquiryEvent, SiteSettings, User
from inquiries.models.inquiry import COUNT_CAP
from inquiries.states import DeliveryState, EventKind, Sentiment, Status

register = template.Library()
EXTRACT = 140  # letters
SELECTED = {True: SafeString(" selected"), False: ""}
ENGINES = {"openai": "OpenAI"}
SENTIMENTS = {Sentiment.POSITIVE: "positive", Sentiment.NEUTRAL: "neutral", Sentiment.NEGATIVE: "negative"}


@register.filter
def age(moment: datetime | None) -> SafeString:
    """How long ago, in short, inside a <time>; pok.js keeps it current."""
    if moment is None:
        return SafeString("")
    local = timezone.localtime(moment).replace(second=0, microsecond=0)
    # All three are our own words and figures; format_html would take longer than the rest of the row.
    return SafeString(
        f'<time class="nowrap" datetime="{moment.isoformat(timespec="seconds")}"'
        f' title="{_in_full(local, translation.get_language())}" data-age>'
        f"{short_age((timezone.now() - moment).total_seconds())}</time>"
    )


@lru_cache(4_096)
def _in_full(minute: datetime, language: str | None) -> str:
    """A date and time, safe as HTML, in the language in use, which the caller names so that it is told apart."""
    return escape(format_date(minute, "DATETIME_FORMAT"))


def short_age(seconds: float) -> str:
    """Minutes, hours, then days; `shortAge` in pok.js says the same."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return _("now")
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


@register.filter
def moment(value: datetime | None) -> SafeString:
    """A date and time in the person's zone, inside a <time>."""
    if value is None:
        return SafeString("")
    shown = format_date(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
    return format_html('<time class="nowrap" datetime="{}">{}</time>', value.isoformat(timespec="seconds"), shown)


@register.filter
def extract(text: str) -> str:
    """The beginning of a message in one line."""
    line = " ".join(text[:600].split())
    return line if len(line) <= EXTRACT else f"{line[: EXTRACT - 1]}…"


@register.filter
def confidence_level(value: float | None) -> str:
    """high, medium or low: low is what the threshold of doubt sends to review, high the upper half above it."""
    return level_above(SiteSettings.current().review_threshold, value)


def level_above(threshold: float, value: float | None) -> str:
    """The same for a threshold that is known already."""
    if value is None or value < threshold:
        return "low"
    return "high" if value >= (threshold + 1) / 2 else "medium"


@register.filter
def confidence_word(value: float | None) -> str:
    """The same for people."""
    return {"high": _("High"), "medium": _("Medium"), "low": _("Low")}[confidence_level(value)]


@register.filter
def confidence_phrase(value: float | None) -> str:
    """The same where nothing around it says what it is about."""
    phrases = {"high": _("High confidence"), "medium": _("Medium confidence"), "low": _("Low confidence")}
    return phrases[confidence_level(value)]


@register.filter
def percent(value: float | None) -> str:
    """0.834 as 83 %."""
    return "" if value is None else f"{round(value * 100)} %"


@register.filter
def engine_name(engine: str) -> str:
    """What people call an engine."""
    return _("Embedded engine") if engine == "embedded" else ENGINES.get(engine, engine)


@register.filter
def category_said(analysis: Analysis) -> str:
    """The category that a reading named; one that abstained named none, whatever came nearest."""
    return _("No category") if analysis.abstained else analysis.category


@register.filter
def masked_kind(kind: str) -> str:
    """What people call a kind of personal data."""
    kinds = {
        "correo": _("email addresses"),
        "telefono": _("telephone numbers"),
        "tarjeta": _("cards"),
        "cuenta": _("bank accounts"),
        "documento": _("identity documents"),
        "direccion": _("street addresses"),
        "nombre": _("names"),
    }
    return kinds.get(kind, kind)


@register.filter
def sentiment_class(value: str | None) -> str:
    """The class name of a sentiment."""
    return SENTIMENTS.get(Sentiment(value), "neutral") if value else "neutral"


@register.filter
def capped(count: int) -> str:
    """A counter; past the cap only that there are more."""
    return f"{COUNT_CAP:,}".replace(",", "\N{NO-BREAK SPACE}") + "+" if count > COUNT_CAP else str(count)


@register.simple_tag
def options(choices: Iterable[tuple[str, object]], chosen: str | None) -> SafeString:
    """The options of a <select>, the chosen one marked; none is the one without a value."""
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((value, SELECTED[value == (chosen or "")], label) for value, label in choices),
    )


@register.filter
def person(user: User | None) -> str:
    """A person's name; without one it was the machine."""
    return (user.get_full_name() or user.get_username()) if user else _("POK")


@register.filter
def spoken(code: str) -> str:
    """The language's name in the reader's language; nothing for a code that nobody knows."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return ""


@register.filter
def event_sentence(event: InquiryEvent) -> str:
    """What was done, after the name of who did it."""
    if event.kind == EventKind.ARRIVED and event.new == DeliveryState.CANCELLED:
        return _("left the failed email at that")
    return {
        EventKind.STATUS: _("changed the status"),
        EventKind.CATEGORY: _("corrected the category"),
        EventKind.SENTIMENT: _("corrected the sentiment"),
        EventKind.CONFIRMED: _("confirmed what the AI said"),
        EventKind.UNDONE: _("took a correction back"),
        EventKind.REPLY: _("edited the reply"),
        EventKind.DRAFT: _("went back to the AI's draft"),
        EventKind.PUBLISHED: _("sent the answer"),
        EventKind.WITHDRAWN: _("undid the sending"),
        EventKind.FOLLOW_UP: _("wrote again"),
        EventKind.RESENT: _("sent the email again"),
        EventKind.ARRIVED: _("marked the email as arrived"),
        EventKind.RETRIED: _("asked for a new analysis"),
        EventKind.DISMISSED: _("set the failed analysis aside"),
    }.get(EventKind(event.kind), event.get_kind_display())


@register.filter
def event_value(value: str) -> str:
    """A status, sentiment or state of an email by its label; category names are data and stay."""
    for labels in (Status, Sentiment, DeliveryState):
        if value in labels.values:
            return str(labels(value).label)
    return value
