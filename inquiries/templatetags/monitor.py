"""Lengths of time for the monitor."""

from __future__ import annotations

from datetime import timedelta

from django import template

register = template.Library()


@register.filter
def span(length: timedelta) -> str:
    """Seconds, minutes, hours or days, rounded down: 12 s, 3 min, 5 h, 2 d."""
    seconds = max(int(length.total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
