"""All figures of the quality page together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum

from inquiries import budget
from inquiries.caps import PUBLIC
from inquiries.models import Category, HeadVersion, Inquiry, Outcome, Usage
from inquiries.quality.agreement import (
    Agreement,
    Calibration,
    CategoryRow,
    Outcomes,
    Pair,
    calibration,
    over_time,
    pairs,
)
from inquiries.quality.span import SPANS, Axis, Question, day_of, make_axis, midnight
from inquiries.quality.versions import VERSION, Drafts, Version, compare

MOST_HEADS = 5
# A share of a day's few replies says little; what a day cost says much.
SHARES_BY_DAY = 14
SPENDING_BY_DAY = 92
FEW_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Spending:
    """What analyses took, of a period or of the whole span."""

    calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    milliseconds: int = 0

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            self.calls + other.calls,
            self.tokens + other.tokens,
            self.cost + other.cost,
            self.milliseconds + other.milliseconds,
        )

    @property
    def milliseconds_each(self) -> float | None:
        return self.milliseconds / self.calls if self.calls else None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything on the page. `received` counts the inquiries that came in; None where a filter is set."""

    question: Question
    axis: Axis
    spending_axis: Axis
    total: Agreement
    periods: tuple[Agreement, ...]
    categories: tuple[CategoryRow, ...]
    pairs: tuple[Pair, ...]
    calibration: Calibration
    drafts: Drafts
    versions: tuple[Version, ...]
    spending: tuple[Spending, ...]
    received: int | None
    heads: tuple[HeadVersion, ...]
    poorly_taught: tuple[Category, ...]

    @property
    def spent(self) -> Spending:
        return sum(self.spending, Spending())

    @property
    def is_empty(self) -> bool:
        """Tell whether there is not one reply to measure by."""
        return not self.total.replies

    @property
    def shared_by(self) -> int:
        """By how many to divide what was spent: the inquiries that came in, else the analyses."""
        return self.received or self.spent.calls

    @property
    def tokens_each(self) -> float | None:
        return self.spent.tokens / self.shared_by if self.shared_by else None

    @property
    def cost_each(self) -> Decimal | None:
        return self.spent.cost / self.shared_by if self.shared_by else None


def report(question: Question) -> Report:
    """Ask for all figures of the page in at most eleven queries."""
    today, days = budget.today(), SPANS[question.span]
    since = today - timedelta(days=days - 1) if days else None
    used = _usage(question, since)
    first = since or min([today, *used, *_first_day()])
    axis = make_axis(first, today, longest_by_day=SHARES_BY_DAY)
    spending_axis = make_axis(first, today, longest_by_day=SPENDING_BY_DAY)
    in_span = outcomes(since)
    matching = in_span.filter(question.filter(*VERSION))
    known = list(Category.objects.only("name", "colour", "is_active", "examples"))
    periods, categories = over_time(matching, axis, {category.name: category.colour for category in known})
    versions, drafts = compare(in_span, question)
    return Report(
        question=question,
        axis=axis,
        spending_axis=spending_axis,
        total=sum(periods, Agreement()),
        periods=periods,
        categories=categories,
        pairs=pairs(matching),
        calibration=calibration(matching),
        drafts=drafts,
        versions=versions,
        spending=_by_period(used, spending_axis),
        received=None if question.is_filtered else _received(since),
        heads=tuple(HeadVersion.objects.defer("data")[:MOST_HEADS]),
        poorly_taught=tuple(row for row in known if row.is_active and len(row.example_lines()) < FEW_EXAMPLES),
    )


def outcomes(since: date | None) -> Outcomes:
    """The replies sent since the beginning of that day, or all there are."""
    found: Outcomes = Outcome.objects.order_by()
    return found.filter(created_at__gte=midnight(since)) if since else found


def _first_day() -> list[date]:
    first = Outcome.objects.order_by("created_at").values_list("created_at", flat=True)[:1]
    return [day_of(moment) for moment in first]


def _usage(question: Question, since: date | None) -> dict[date, Spending]:
    """Return what each day's analyses took. `Usage` knows no prompt version, so that filter does not count."""
    usage = Usage.objects.filter(question.filter("engine", "model")).exclude(engine=PUBLIC)
    if since:
        usage = usage.filter(day__gte=since)
    rows: Any = (
        usage.values("day")
        .annotate(
            n=Sum("calls"), tokens=Sum(F("tokens_in") + F("tokens_out")), money=Sum("cost"), time=Sum("milliseconds")
        )
        .order_by()
    )
    return {row["day"]: Spending(row["n"], row["tokens"], row["money"], row["time"]) for row in rows}


def _by_period(used: dict[date, Spending], axis: Axis) -> tuple[Spending, ...]:
    periods = [Spending()] * len(axis.starts)
    for day, spent in used.items():
        periods[axis.place(day)] += spent
    return tuple(periods)


def _received(since: date | None) -> int:
    inquiries = Inquiry.objects.order_by()
    return (inquiries.filter(created_at__gte=midnight(since)) if since else inquiries).count()
