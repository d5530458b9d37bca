from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches

from inquiries import budget
from inquiries.models import SiteSettings, Usage

pytestmark = pytest.mark.django_db


def limits(**values: object) -> SiteSettings:
    caches["local"].clear()
    return SiteSettings.objects.update_or_create(pk=1, defaults=values)[0]


def book(tokens: int = 100, cost: str = "0.5", **changes: object) -> None:
    values: dict[str, Any] = {"engine": "openai", "model": "m", "tokens_in": tokens, "tokens_out": 0, "milliseconds": 7}
    budget.book(**(values | {"cost": Decimal(cost)} | changes))


def test_analyses_add_up_on_their_day():
    book()
    book(tokens=50, cost="0.25")
    row = Usage.objects.get()
    assert (row.day, row.calls, row.tokens_in, row.cost, row.milliseconds) == (
        budget.today(),
        2,
        150,
        Decimal("0.75"),
        14,
    )


def test_models_are_booked_apart_and_spent_together():
    book()
    book(model="other", tokens_out=20)
    assert Usage.objects.count() == 2
    assert budget.spent().tokens_today == 220


def test_an_unknown_price_costs_nothing():
    book(cost="0")
    budget.book(engine="embedded", model="e", tokens_in=0, tokens_out=0, cost=None, milliseconds=3)
    assert budget.spent().cost_today == 0


def test_yesterday_counts_for_the_month_only(monkeypatch):
    day = budget.today().replace(day=15)
    monkeypatch.setattr(budget, "today", lambda: day - timedelta(days=1))
    book()
    monkeypatch.setattr(budget, "today", lambda: day)
    book()
    assert budget.spent() == budget.Spent(100, Decimal("0.5"), Decimal("1.0"), 200)


def test_last_month_counts_for_nothing(monkeypatch):
    day = budget.today().replace(day=1)
    monkeypatch.setattr(budget, "today", lambda: day - timedelta(days=1))
    book()
    monkeypatch.setattr(budget, "today", lambda: day)
    assert budget.spent() == budget.Spent(0, Decimal(0), Decimal(0), 0)


@pytest.mark.parametrize(
    ("limit", "is_reached"),
    [
        ({}, False),
        ({"daily_tokens": 101}, False),
        ({"daily_tokens": 100}, True),
        ({"daily_cost": Decimal("0.51")}, False),
        ({"daily_cost": Decimal("0.50")}, True),
        ({"monthly_cost": Decimal("0.50")}, True),
        ({"daily_tokens": 0}, True),
    ],
)
def test_a_limit_is_reached_when_it_is_used_up(limit, is_reached):
    book()
    limits(**limit)
    assert budget.is_exhausted() is is_reached


def test_without_a_limit_nothing_is_asked(django_assert_num_queries):
    limits()
    SiteSettings.current()
    with django_assert_num_queries(0):
        assert not budget.is_exhausted()
