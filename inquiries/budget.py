"""What the AI service may cost: every analysis is booked on its day, and a limit sends the rest to the embedded engine.

Calls that are under way when a limit is reached are still paid for: at most one for each worker thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.cache import caches
from django.db.models import F, Q, Sum
from django.utils import timezone

from inquiries.models import SiteSettings, Usage
from pok.compiled import Given, Update

CACHE_KEY = "spent"
CACHE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens and money of the AI services today and this month."""

    tokens_today: int
    cost_today: Decimal
    cost_month: Decimal
    tokens_month: int


def today() -> date:
    """The day in TIME_ZONE, whatever zone a person reads in."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def spent() -> Spent:
    """Return what was booked; a few rows for each day are read."""
    day = today()
    is_today = Q(day=day)
    sums: dict[str, Any] = Usage.objects.filter(day__gte=day.replace(day=1), day__lte=day).aggregate(
        today_in=Sum("tokens_in", filter=is_today),
        today_out=Sum("tokens_out", filter=is_today),
        cost_today=Sum("cost", filter=is_today),
        cost_month=Sum("cost"),
        month_in=Sum("tokens_in"),
        month_out=Sum("tokens_out"),
    )
    return Spent(
        tokens_today=(sums["today_in"] or 0) + (sums["today_out"] or 0),
        cost_today=sums["cost_today"] or Decimal(0),
        cost_month=sums["cost_month"] or Decimal(0),
        tokens_month=(sums["month_in"] or 0) + (sums["month_out"] or 0),
    )


def has_limit(site: SiteSettings) -> bool:
    """Tell whether the supervisor set any limit."""
    return any(limit is not None for limit in (site.daily_tokens, site.daily_cost, site.monthly_cost))


def is_exhausted() -> bool:
    """Tell whether a limit is reached; the answer may be CACHE_SECONDS old."""
    site = SiteSettings.current()
    if not has_limit(site):
        return False
    found: bool | None = caches["local"].get(CACHE_KEY)
    if found is None:
        found = _reached(site, spent())
        caches["local"].set(CACHE_KEY, found, CACHE_SECONDS)
    return found


def _reached(site: SiteSettings, so_far: Spent) -> bool:
    pairs = (
        (site.daily_tokens, so_far.tokens_today),
        (site.daily_cost, so_far.cost_today),
        (site.monthly_cost, so_far.cost_month),
    )
    return any(limit is not None and value >= limit for limit, value in pairs)


def book(*, engine: str, model: str, tokens_in: int, tokens_out: int, cost: Decimal | None, milliseconds: int) -> None:
    """Add one finished analysis to its day, inside the caller's transaction."""
    key: dict[str, Any] = {"day": today(), "engine": engine, "model": model}
    used = {
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "cost": cost or Decimal(0),
        "milliseconds": milliseconds,
    }
    if not _adding()(**key, **used):
        Usage.objects.get_or_create(**key)
        _adding()(**key, **used)


@cache
def _adding() -> Update:
    row = Usage.objects.filter(**{name: Given(name, Usage) for name in ("day", "engine", "model")})
    sums = {name: F(name) + Given(name, Usage) for name in ("tokens_in", "tokens_out", "cost", "milliseconds")}
    return Update(row, calls=F("calls") + 1, **sums)
