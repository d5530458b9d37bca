"""Engines, models and prompt versions side by side, and what became of their drafts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median
from typing import Any

from django.db.models import Avg, Case, Count, F, Q, Value, When, Window
from django.db.models.functions import RowNumber

from inquiries.models import Analysis
from inquiries.quality.agreement import AGREED, JUDGED, Outcomes, Tally
from inquiries.quality.span import Question
from inquiries.states import DraftUse

MOST_VERSIONS = 20
SAMPLE = 200  # analyses of each version that its milliseconds, tokens and cost are taken from
VERSION = ("engine", "model", "prompt_version")
Row = Mapping[str, Any]
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Drafts:
    """What became of the drafts. `median` is the edit distance of those that were edited, 0..1."""

    unchanged: int = 0
    edited: int = 0
    discarded: int = 0
    none: int = 0
    median: float | None = None

    def __add__(self, other: Drafts) -> Drafts:
        """Add the counts up; a median has no sum."""
        names = [use.value for use in DraftUse]
        return Drafts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def offered(self) -> int:
        """Replies that had a draft."""
        return self.unchanged + self.edited + self.discarded

    @property
    def total(self) -> int:
        return self.offered + self.none

    @property
    def unchanged_share(self) -> float | None:
        return self.unchanged / self.offered if self.offered else None


@dataclass(frozen=True, slots=True)
class Means:
    """What one analysis took on average; None where nothing is known of it."""

    milliseconds: float | None = None
    tokens: float | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """An engine with its model and prompt version."""

    engine: str
    model: str
    prompt_version: str
    category: Tally
    drafts: Drafts
    means: Means


def compare(in_span: Outcomes, question: Question) -> tuple[tuple[Version, ...], Drafts]:
    """Return each engine, model and prompt version of the span, and the drafts of those that the question is about."""
    uses = {use.value: Count("pk", filter=Q(draft_use=use)) for use in DraftUse}
    rows: Any = (
        in_span.values(*VERSION)
        .annotate(n=Count("pk"), judged=Count("pk", filter=JUDGED), agreed=Count("pk", filter=AGREED), **uses)
        .order_by("-n", *VERSION)
    )
    medians, of_all = _edit_distances(in_span, question)
    means = _means(in_span)
    versions, total = [], Drafts()
    for row in rows:
        drafts = Drafts(**{use.value: row[use.value] for use in DraftUse}, median=medians.get(_key(row)))
        if question.is_about(**{name: row[name] for name in VERSION}):
            total += drafts
        if row["engine"]:  # without one nothing had read the inquiry
            tally = Tally(row["judged"], row["agreed"])
            versions.append(Version(*_key(row), tally, drafts, means.get(_key(row), Means())))
    return tuple(versions[:MOST_VERSIONS]), replace(total, median=of_all)


def _key(row: Row) -> Key:
    return row["engine"], row["model"], row["prompt_version"]


def _edit_distances(in_span: Outcomes, question: Question) -> tuple[dict[Key, float], float | None]:
    """Return the median edit distance of edited drafts for each version, and for what the question is about.

    SQLite has no median: the one or two rows in the middle of each are read.
    """
    chosen = question.filter(*VERSION)
    is_chosen = Case(When(chosen, then=Value(1)), default=Value(0)) if chosen else Value(1)
    edited = in_span.filter(draft_use=DraftUse.EDITED, edit_distance__isnull=False).annotate(chosen=is_chosen)
    ranked = edited.annotate(
        doubled=2 * Window(RowNumber(), partition_by=VERSION, order_by="edit_distance"),
        size=Window(Count("pk"), partition_by=VERSION),
        all_doubled=2 * Window(RowNumber(), partition_by="chosen", order_by="edit_distance"),
        all_size=Window(Count("pk"), partition_by="chosen"),
    )
    is_middle = Q(doubled__gte=F("size"), doubled__lte=F("size") + 2)
    is_middle_of_all = Q(all_doubled__gte=F("all_size"), all_doubled__lte=F("all_size") + 2)
    fields = (*VERSION, "edit_distance", "chosen", "doubled", "size", "all_doubled", "all_size")
    return _medians(ranked.filter(is_middle | is_middle_of_all).values(*fields))


def _medians(rows: Iterable[Any]) -> tuple[dict[Key, float], float | None]:
    middle: dict[Key, list[float]] = {}
    middle_of_all: list[float] = []
    for row in rows:
        if 0 <= row["doubled"] - row["size"] <= 2:
            middle.setdefault(_key(row), []).append(row["edit_distance"])
        if row["chosen"] and 0 <= row["all_doubled"] - row["all_size"] <= 2:
            middle_of_all.append(row["edit_distance"])
    return {key: median(values) for key, values in middle.items()}, median(middle_of_all) if middle_of_all else None


def _means(in_span: Outcomes) -> dict[Key, Means]:
    """Return what one analysis of each version took, from the newest SAMPLE of each.

    Not from all: an analysis is a long row, and the means of 200 are as good.
    """
    newest = in_span.filter(analysis__isnull=False).annotate(
        nth=Window(RowNumber(), partition_by=VERSION, order_by="-id")
    )
    rows: Any = (
        Analysis.objects.filter(pk__in=newest.filter(nth__lte=SAMPLE).values("analysis_id"))
        .order_by()
        .values(*VERSION)
        .annotate(time=Avg("duration_ms"), tokens=Avg(F("tokens_in") + F("tokens_out")), money=Avg("cost"))
    )
    return {_key(row): Means(row["time"], row["tokens"], row["money"]) for row in rows}
