"""What a supervisor may ask the quality page, and how its span of time is cut. Days are days of TIME_ZONE."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self

from django.db.models import Q
from django.utils import timezone

SPANS: dict[str, int | None] = {"7": 7, "30": 30, "90": 90, "todo": None}
DEFAULT_SPAN = "30"
LONGEST_BY_WEEK = 200  # days
MOST_PERIODS = 120


@dataclass(frozen=True, slots=True)
class Question:
    """What a supervisor asks about: a span of SPANS and, where not "", one engine, model and prompt version."""

    span: str = DEFAULT_SPAN
    engine: str = ""
    model: str = ""
    prompt_version: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read `dias`, `motor`, `modelo` and `version`; raise ValueError on a value that no page can have."""
        span = query.get("dias") or DEFAULT_SPAN
        names = [query.get(name, "") for name in ("motor", "modelo", "version")]
        if span not in SPANS or any(len(name) > 80 or not name.isprintable() for name in names):
            raise ValueError("no such span, engine, model or version")
        return cls(span, *names)

    @property
    def is_filtered(self) -> bool:
        return bool(self.engine or self.model or self.prompt_version)

    def is_about(self, *, engine: str, model: str, prompt_version: str) -> bool:
        """Tell whether replies of that engine, model and prompt version are asked for."""
        asked = (self.engine, self.model, self.prompt_version)
        there = (engine, model, prompt_version)
        return all(wanted in {"", value} for wanted, value in zip(asked, there, strict=True))

    def filter(self, *fields: str) -> Q:
        """The condition on those of the fields that were asked for."""
        return Q(**{name: value for name in fields if (value := getattr(self, name))})


@dataclass(frozen=True, slots=True)
class Axis:
    """The periods of a span, oldest first: `step` is "day", "week" (from Monday) or "month"."""

    step: str
    starts: tuple[date, ...]

    def place(self, day: date) -> int:
        """Which period a day lies in; what is older than all counts to the first."""
        return max(bisect_right(self.starts, day) - 1, 0)


def make_axis(first: date, last: date, *, longest_by_day: int) -> Axis:
    """Cut the days from first to last, both included: into days up to so many, then into weeks, then into months."""
    length = (last - first).days + 1
    days = [first + timedelta(days=index) for index in range(length)]
    if length <= longest_by_day:
        return Axis("day", tuple(days))
    if length <= LONGEST_BY_WEEK:
        return Axis("week", (first, *(day for day in days[1:] if day.weekday() == 0)))
    return Axis("month", (first, *(day for day in days[1:] if day.day == 1))[-MOST_PERIODS:])


def midnight(day: date) -> datetime:
    """The moment in which a day of TIME_ZONE begins."""
    return timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())


def day_of(moment: datetime) -> date:
    """The day of TIME_ZONE that a moment lies in."""
    return timezone.localdate(moment, timezone.get_default_timezone())
