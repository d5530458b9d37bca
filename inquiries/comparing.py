"""What a trial on past inquiries shows, what it will cost, and how each version of the instructions did. Reads only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import fmean, median
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from inquiries import budget
from inquiries.engines import EMBEDDED, OPENAI
from inquiries.models import Analysis, Comparison, Outcome, SiteSettings, Usage
from inquiries.states import LIVE, AIReason, AnalysisState, DraftUse

USAGE_DAYS = 30
NEWEST_OUTCOMES = 2_000
MOST_LISTED = 50
# Below this chance that nothing but luck made the difference it is called one.
CLEAR = 0.05
UNREAD = ("sent_text", "raw_answer", "reason")


@dataclass(frozen=True, slots=True)
class Progress:
    """Readings of one side by their state; skipped ones were cancelled, or the AI was switched off meanwhile."""

    total: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def finished(self) -> int:
        return self.done + self.failed + self.skipped


@dataclass(frozen=True, slots=True)
class Status:
    """How far a trial is, side by side."""

    candidate: Progress
    current: Progress

    @property
    def total(self) -> int:
        return self.candidate.total + self.current.total

    @property
    def finished(self) -> int:
        return self.candidate.finished + self.current.finished

    @property
    def failed(self) -> int:
        return self.candidate.failed + self.current.failed

    @property
    def skipped(self) -> int:
        return self.candidate.skipped + self.current.skipped

    @property
    def read(self) -> int:
        """How many were tried: what was left out is over, but nobody read it."""
        return self.finished - self.skipped

    @property
    def is_running(self) -> bool:
        return self.finished < self.total


@dataclass(frozen=True, slots=True)
class Pair:
    """One inquiry as both sides read it; a side without a result is None."""

    candidate: Analysis | None
    current: Analysis | None

    @property
    def inquiry(self) -> Any:
        found = self.candidate or self.current
        return found.inquiry if found else None

    @property
    def is_read(self) -> bool:
        """Tell whether both sides have a result, so that they can be set against each other."""
        return self.candidate is not None and self.current is not None

    @property
    def is_judged(self) -> bool:
        return self.is_read and self.inquiry.category_by_person

    @property
    def candidate_is_right(self) -> bool:
        return self.candidate is not None and _names_category(self.candidate)

    @property
    def current_is_right(self) -> bool:
        return self.current is not None and _names_category(self.current)

    @property
    def differs(self) -> bool:
        """Tell whether the sides name another category or sentiment."""
        if self.candidate is None or self.current is None:
            return False
        one, other = self.candidate, self.current
        return (_category_of(one), one.sentiment) != (_category_of(other), other.sentiment)


@dataclass(frozen=True, slots=True)
class Side:
    """Figures of one side: agreement over the pairs that people labelled, the rest over all of its results.

    `cost` is None where a model has no price, `milliseconds` is the median, `confidence` the mean.
    """

    judged: int
    right: int
    sentiment_judged: int
    sentiment_right: int
    confidence: float | None
    tokens: int
    cost: Decimal | None
    milliseconds: float | None

    @property
    def agreement(self) -> float | None:
        return self.right / self.judged if self.judged else None

    @property
    def sentiment_agreement(self) -> float | None:
        return self.sentiment_right / self.sentiment_judged if self.sentiment_judged else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the inquiries say that only one side got right, and the chance of such a difference by luck alone."""

    judged: int
    only_candidate: int
    only_current: int
    chance: float

    @property
    def is_clear(self) -> bool:
        return self.chance < CLEAR


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that a finished trial shows; the lists are cut at MOST_LISTED, the counts are whole."""

    candidate: Side
    current: Side
    verdict: Verdict
    differing: Sequence[Pair]
    alike: Sequence[Pair]
    differing_count: int
    alike_count: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A line of the list of trials: how far it is and how many judged readings agree on each side."""

    comparison: Comparison
    total: int = 0
    finished: int = 0
    read: int = 0
    judged: int = 0
    right: int = 0
    current_judged: int = 0
    current_right: int = 0

    @property
    def is_running(self) -> bool:
        return self.finished < self.total

    @property
    def agreement(self) -> float | None:
        return self.right / self.judged if self.judged else None

    @property
    def current_agreement(self) -> float | None:
        return self.current_right / self.current_judged if self.current_judged else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a trial will take: tokens and money, None where nothing is known of them. `inquiries` is how many."""

    inquiries: int
    tokens: int | None
    cost: float | None


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """What became of the newest replies that a version of the instructions drafted."""

    replies: int
    agreed: int
    labelled: int
    unchanged: int

    @property
    def agreement(self) -> float | None:
        return self.agreed / self.labelled if self.labelled else None

    @property
    def unchanged_share(self) -> float | None:
        return self.unchanged / self.replies if self.replies else None


def mcnemar(only_one: int, only_other: int) -> float:
    """Return the exact two-sided p-value of the discordant pairs: how likely luck alone splits them so unevenly.

    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947), with the binomial distribution in place of its chi-squared approximation.
    """
    discordant = only_one + only_other
    if not discordant:
        return 1.0
    tail = sum(math.comb(discordant, k) for k in range(min(only_one, only_other) + 1))
    return float(min(1.0, 2 * tail / 2**discordant))


def status_of(comparison: Comparison) -> Status:
    """Count the readings of each side by state; one query, because the page asks every two seconds."""
    rows = Analysis.objects.filter(comparison=comparison).values_list("is_candidate", "state").annotate(n=Count("pk"))
    counts: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for is_candidate, state, number in rows:
        counts[is_candidate][state] = number
    return Status(_progress(counts[True]), _progress(counts[False]))


def _progress(counts: dict[str, int]) -> Progress:
    return Progress(
        total=sum(counts.values()),
        done=counts.get(AnalysisState.DONE, 0),
        failed=counts.get(AnalysisState.FAILED, 0),
        skipped=counts.get(AnalysisState.SKIPPED, 0),
    )


def failures_of(comparison: Comparison) -> list[tuple[str, int]]:
    """Return why readings have no result, in words, and how many each; those that were cancelled are not named."""
    unread = Analysis.objects.filter(comparison=comparison, state__in=[AnalysisState.FAILED, AnalysisState.SKIPPED])
    rows = unread.exclude(error="").values_list("error").annotate(n=Count("pk")).order_by("-n", "error")
    return [(str(AIReason(error).label), number) for error, number in rows]


def pairs_of(comparison: Comparison) -> list[Pair]:
    """Return the finished readings inquiry by inquiry, the newest inquiry first."""
    done = Analysis.objects.filter(comparison=comparison, state=AnalysisState.DONE)
    rows = done.select_related("inquiry__category", "category_row").defer(*UNREAD).order_by("-inquiry_id")
    by_inquiry: dict[int, dict[bool, Analysis]] = {}
    for row in rows:
        by_inquiry.setdefault(row.inquiry_id, {})[row.is_candidate] = row
    return [Pair(sides.get(True), sides.get(False)) for sides in by_inquiry.values()]


def results_of(comparison: Comparison) -> Results:
    """Return what a trial shows so far."""
    pairs = pairs_of(comparison)
    differing = [pair for pair in pairs if pair.differs]
    alike = [pair for pair in pairs if not pair.differs]
    return Results(
        candidate=_side(pairs, is_candidate=True),
        current=_side(pairs, is_candidate=False),
        verdict=_verdict(pairs),
        differing=differing[:MOST_LISTED],
        alike=alike[:MOST_LISTED],
        differing_count=len(differing),
        alike_count=len(alike),
    )


def _side(pairs: Iterable[Pair], *, is_candidate: bool) -> Side:
    # Both sides are judged by the same inquiries, or one that fails on the hard ones would look better.
    read = [pair for pair in pairs if pair.is_read]
    both = [row for row in (_row(pair, is_candidate) for pair in read) if row is not None]
    rows = [row for row in (_row(pair, is_candidate) for pair in pairs) if row is not None]
    labelled = [row for row in both if row.inquiry.category_by_person]
    felt = [row for row in both if row.inquiry.sentiment_by_person]
    return Side(
        judged=len(labelled),
        right=sum(map(_names_category, labelled)),
        sentiment_judged=len(felt),
        sentiment_right=sum(row.sentiment == row.inquiry.sentiment for row in felt),
        confidence=fmean(row.confidence or 0.0 for row in rows) if rows else None,
        tokens=sum(row.tokens_in + row.tokens_out for row in rows),
        cost=_cost(rows),
        milliseconds=median(row.duration_ms or 0 for row in rows) if rows else None,
    )


def _row(pair: Pair, is_candidate: bool) -> Analysis | None:
    return pair.candidate if is_candidate else pair.current


def _cost(rows: Iterable[Analysis]) -> Decimal | None:
    costs = [Decimal(0) if row.engine == EMBEDDED else row.cost for row in rows]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _verdict(pairs: Iterable[Pair]) -> Verdict:
    judged = [pair for pair in pairs if pair.is_judged]
    only_candidate = sum(pair.candidate_is_right and not pair.current_is_right for pair in judged)
    only_current = sum(pair.current_is_right and not pair.candidate_is_right for pair in judged)
    return Verdict(len(judged), only_candidate, only_current, mcnemar(only_candidate, only_current))


def _category_of(row: Analysis) -> int | None:
    """The category that the reading stands by: who abstains names none."""
    return None if row.abstained else row.category_row_id


def _names_category(row: Analysis) -> bool:
    return row.inquiry.category_id is not None and _category_of(row) == row.inquiry.category_id


def summaries(limit: int = MOST_LISTED) -> list[Summary]:
    """Return the newest comparisons (previews left out) with their figures, in two queries however many there are."""
    newest: QuerySet[Comparison] = Comparison.objects.filter(kind=Comparison.Kind.COMPARE)
    listed = list(newest.select_related("prompt", "current_prompt", "created_by")[:limit])
    figures = _figures_of([comparison.pk for comparison in listed])
    return [Summary(comparison, **figures.get(comparison.pk, {})) for comparison in listed]


def _figures_of(pks: Sequence[int]) -> dict[int, dict[str, int]]:
    candidate, current = Q(is_candidate=True), Q(is_candidate=False)
    judged = Q(state=AnalysisState.DONE, inquiry__category_by_person=True)
    right = judged & Q(abstained=False, category_row=F("inquiry__category"))
    rows = (
        Analysis.objects.filter(comparison__in=pks)
        .values("comparison_id")
        .annotate(
            total=Count("pk"),
            finished=Count("pk", filter=~Q(state__in=LIVE)),
            read=Count("pk", filter=~Q(state__in=[*LIVE, AnalysisState.SKIPPED])),
            judged=Count("pk", filter=judged & candidate),
            right=Count("pk", filter=right & candidate),
            current_judged=Count("pk", filter=judged & current),
            current_right=Count("pk", filter=right & current),
        )
    )
    return {row.pop("comparison_id"): row for row in rows}


def estimates(models: Sequence[tuple[str, str]], sizes: Sequence[int]) -> list[Estimate]:
    """Return what reading so many inquiries with each of these engines and models will take, a line for each size.

    By the mean inquiry of the AI services' last USAGE_DAYS days and the supervisor's prices.
    """
    outside = [model for engine, model in models if engine == OPENAI]
    if not outside:
        return [Estimate(size, 0, 0.0) for size in sizes]
    mean = _mean_tokens()
    return [Estimate(size, None, None) if mean is None else _estimate(outside, mean, size) for size in sizes]


def _estimate(models: Sequence[str], mean: tuple[float, float], size: int) -> Estimate:
    tokens_in, tokens_out = (round(tokens * size) for tokens in mean)
    costs = [SiteSettings.current().cost(model, tokens_in, tokens_out) for model in models]
    known = [cost for cost in costs if cost is not None]
    total = sum(known) if len(known) == len(costs) else None
    return Estimate(size, (tokens_in + tokens_out) * len(models), total)


def _mean_tokens() -> tuple[float, float] | None:
    since = budget.today() - timedelta(days=USAGE_DAYS)
    used: dict[str, Any] = Usage.objects.filter(engine=OPENAI, day__gte=since).aggregate(
        calls=Sum("calls"), tokens_in=Sum("tokens_in"), tokens_out=Sum("tokens_out")
    )
    return (used["tokens_in"] / used["calls"], used["tokens_out"] / used["calls"]) if used["calls"] else None


def version_figures() -> dict[int, VersionFigures]:
    """Return what became of each version's drafts among the newest NEWEST_OUTCOMES replies, by the version's id."""
    newest = Outcome.objects.order_by("-id").values("pk")[:NEWEST_OUTCOMES]
    rows = (
        Outcome.objects.filter(pk__in=newest, analysis__prompt__isnull=False)
        .order_by()
        .values("analysis__prompt")
        .annotate(
            replies=Count("pk"),
            labelled=Count("pk", filter=~Q(ai_category="")),
            agreed=Count("pk", filter=~Q(ai_category="") & Q(ai_category=F("category"))),
            unchanged=Count("pk", filter=Q(draft_use=DraftUse.UNCHANGED)),
        )
    )
    return {
        row["analysis__prompt"]: VersionFigures(row["replies"], row["agreed"], row["labelled"], row["unchanged"])
        for row in rows
    }
