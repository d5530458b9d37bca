"""Where the AI and the people agree: over time, by category, by confidence, and what is taken for what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Case, Count, F, IntegerField, Q, QuerySet, Value, When

from inquiries.ai.measures import BINS, Bin
from inquiries.models import Outcome
from inquiries.quality.span import Axis, midnight

MOST_PAIRS = 15

JUDGED = ~Q(ai_category="") & ~Q(category="")
AGREED = JUDGED & Q(ai_category=F("category"))
MOOD_JUDGED = ~Q(ai_sentiment="") & ~Q(sentiment="")
MOOD_AGREED = MOOD_JUDGED & Q(ai_sentiment=F("sentiment"))
Outcomes = QuerySet[Outcome, Any]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many were judged, and in how many of them AI and outcome agree."""

    judged: int = 0
    agreed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.judged + other.judged, self.agreed + other.agreed)

    @property
    def share(self) -> float | None:
        return self.agreed / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Replies and how the AI's category and sentiment fared in them; the category apart by who touched it."""

    replies: int = 0
    untouched: Tally = Tally()
    touched: Tally = Tally()
    sentiment: Tally = Tally()

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.replies + other.replies,
            self.untouched + other.untouched,
            self.touched + other.touched,
            self.sentiment + other.sentiment,
        )

    @property
    def category(self) -> Tally:
        return self.untouched + self.touched

    @property
    def corrected(self) -> int:
        return self.touched.judged - self.touched.agreed


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """One category by the value that held: the whole span and each period."""

    name: str
    colour: str
    total: Agreement
    periods: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The AI said one category and another one held."""

    said: str
    held: str
    count: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Ten bins of confidence; `error` is the expected calibration error and `bias` confidence less agreement, 0..1."""

    bins: tuple[Bin, ...]
    count: int
    error: float | None
    bias: float | None


def over_time(
    found: Outcomes, axis: Axis, colours: Mapping[str, str]
) -> tuple[tuple[Agreement, ...], tuple[CategoryRow, ...]]:
    """Return the agreement of each period, and of each category that held, the most frequent one first."""
    # Comparing with where each week begins costs SQLite a quarter of cutting the time stamps (50,000 rows).
    later = [When(created_at__gte=midnight(day), then=Value(place)) for place, day in enumerate(axis.starts)]
    rows: Any = (
        found.annotate(period=Case(*reversed(later), default=Value(0), output_field=IntegerField()))
        .values("period", "category", "category_touched")
        .annotate(
            replies=Count("pk"),
            judged=Count("pk", filter=JUDGED),
            agreed=Count("pk", filter=AGREED),
            moods=Count("pk", filter=MOOD_JUDGED),
            moods_agreed=Count("pk", filter=MOOD_AGREED),
        )
    )
    empty = [Agreement()] * len(axis.starts)
    everything = list(empty)
    by_category: dict[str, list[Agreement]] = {}
    for row in rows:
        part = _agreement(row)
        everything[row["period"]] += part
        by_category.setdefault(row["category"], list(empty))[row["period"]] += part
    by_category.pop("", None)  # a reply to an inquiry that nobody sorted
    categories = [
        CategoryRow(name, colours.get(name, "gris"), sum(parts, Agreement()), tuple(parts))
        for name, parts in by_category.items()
    ]
    return tuple(everything), tuple(sorted(categories, key=lambda row: (-row.total.replies, row.name)))


def _agreement(row: dict[str, Any]) -> Agreement:
    tally, mood = Tally(row["judged"], row["agreed"]), Tally(row["moods"], row["moods_agreed"])
    if row["category_touched"]:
        return Agreement(row["replies"], touched=tally, sentiment=mood)
    return Agreement(row["replies"], untouched=tally, sentiment=mood)


def pairs(found: Outcomes) -> tuple[Pair, ...]:
    """Return what is most often taken for something else, at most MOST_PAIRS."""
    rows = (
        found.filter(JUDGED)
        .exclude(ai_category=F("category"))
        .values_list("ai_category", "category")
        .annotate(count=Count("pk"))
        .order_by("-count", "ai_category", "category")
    )
    return tuple(Pair(*row) for row in rows[:MOST_PAIRS])


def calibration(found: Outcomes) -> Calibration:
    """Return how far the confidence that agents see is from how often the category held.

    The bins are those of `measures.reliability` and the error that of `measures.calibration_error`, summed up by
    the database.
    """
    within = [When(confidence__lte=(place + 1) / BINS, then=Value(place)) for place in range(BINS - 1)]
    rows = (
        found.filter(JUDGED, confidence__isnull=False)
        .annotate(bin=Case(*within, default=Value(BINS - 1), output_field=IntegerField()))
        .values("bin")
        .annotate(count=Count("pk"), mean=Avg("confidence"), agreed=Count("pk", filter=AGREED))
    )
    bins = [Bin(place / BINS, (place + 1) / BINS, 0, None, None) for place in range(BINS)]
    for row in rows:
        empty, share = bins[row["bin"]], row["agreed"] / row["count"]
        bins[row["bin"]] = Bin(empty.low, empty.high, row["count"], row["mean"], share)
    count = sum(entry.count for entry in bins)
    if not count:
        return Calibration(tuple(bins), 0, None, None)
    gaps = [(entry.count / count, (entry.confidence or 0.0) - (entry.accuracy or 0.0)) for entry in bins]
    error = sum(weight * abs(gap) for weight, gap in gaps)
    return Calibration(tuple(bins), count, error, sum(weight * gap for weight, gap in gaps))
