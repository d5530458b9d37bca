"""Lengths of time and kinds of error for the monitor."""

from __future__ import annotations

from datetime import timedelta

from django import template

from inquiries.states import AIReason
from inquiries.templatetags.quality import NOTHING, duration

register = template.Library()


@register.filter
def ai_reason(code: str) -> str:
    """What an agent reads for a kind of error."""
    return str(AIReason(code).label) if code in AIReason.values else code


@register.filter
def span(length: timedelta) -> str:
    """Seconds, minutes, hours or days, rounded down: 12 s, 3 min, 5 h, 2 d."""
    seconds = max(int(length.total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


@register.filter
def lasting(milliseconds: float | None) -> str:
    """A length in milliseconds: 22 ms, 1.9 s, 3 min, 5 h; a dash where it is not known."""
    if milliseconds is None:
        return NOTHING
    return duration(milliseconds) if milliseconds < 60_000 else span(timedelta(milliseconds=milliseconds))
