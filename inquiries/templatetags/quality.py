"""Figures of the quality page in words; what is not known is a dash."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django import template
from django.utils.dateformat import format as format_date
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from inquiries.quality.span import Axis

register = template.Library()
NOTHING = "–"


@register.filter
def share(value: float | None) -> str:
    """0.834 as 83 %."""
    return NOTHING if value is None else f"{round(value * 100)}\N{NO-BREAK SPACE}%"


@register.filter
def whole(value: float | None) -> str:
    """12345.6 as 12 346."""
    return NOTHING if value is None else f"{round(value):,}".replace(",", "\N{NO-BREAK SPACE}")


@register.filter
def duration(milliseconds: float | None) -> str:
    """22.4 as 22 ms, 1912 as 1.9 s."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 1_000:
        return f"{round(milliseconds)}\N{NO-BREAK SPACE}ms"
    return f"{number_format(round(milliseconds / 1_000, 1), 1)}\N{NO-BREAK SPACE}s"


@register.filter
def money(value: Decimal | None) -> str:
    """Money in the unit of the supervisor's prices: cents from 1 on, below it four digits after the point."""
    if value is None:
        return NOTHING
    return number_format(value, 4 if 0 < value < 1 else 2)


@register.filter
def version(name: str) -> str:
    """The name of a model or prompt version."""
    return name or NOTHING


@register.filter
def period(start: date, axis: Axis) -> str:
    """A period by its first day, in short: 5 Nov, or Nov 2026 for a month."""
    if axis.step == "month":
        return format_date(start, pgettext("format of a month", "M Y"))
    return format_date(start, pgettext("format of a day", "j M"))


@register.filter
def step_name(axis: Axis) -> str:
    """What a period is."""
    return {"day": _("Day"), "week": _("Week from"), "month": _("Month")}[axis.step]
