from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from inquiries.models import Category, SiteSettings
from inquiries.models.people import validate_time_zone
from inquiries.models.site import validate_prices

pytestmark = pytest.mark.django_db


def test_settings_are_read_once_in_five_seconds(django_assert_num_queries):
    SiteSettings.current()
    with django_assert_num_queries(0):
        SiteSettings.current()


def test_a_change_is_seen_at_once_in_this_process():
    site = SiteSettings.current()
    site.company_name = "Acme"
    site.save()
    assert SiteSettings.current().company_name == "Acme"


def test_cost_is_money_for_a_million_tokens():
    site = SiteSettings(prices={"m": {"input": 0.25, "output": 2.0}})
    assert site.cost("m", 1_000_000, 500_000) == pytest.approx(1.25)
    assert site.cost("other", 10, 10) is None


@pytest.mark.parametrize("prices", [{}, {"m": {"input": 0, "output": 1}}, {"m": {"input": "0.5", "output": 2}}])
def test_prices_are_accepted(prices):
    validate_prices(prices)


@pytest.mark.parametrize("prices", [[], "x", {"m": 1}, {"m": {"input": 1}}, {"m": {"input": -1, "output": 1}}])
def test_wrong_prices_are_refused(prices):
    with pytest.raises(ValidationError):
        validate_prices(prices)


def test_category_names_are_unique_whatever_their_case():
    Category.objects.create(name="Ventas")
    with pytest.raises(ValidationError):
        Category(name="VENTAS").full_clean()


def test_examples_and_keywords_are_lines():
    category = Category(examples=" uno \n\n dos\r\n", keywords="fact\ncobr")
    assert category.example_lines() == ("uno", "dos")
    assert category.keyword_lines() == ("fact", "cobr")


def test_only_live_categories_are_offered(categories):
    Category.objects.filter(name="Ventas").update(is_active=False)
    assert "Ventas" not in [category.name for category in Category.objects.live()]


def test_a_time_zone_must_exist():
    validate_time_zone("America/Bogota")
    with pytest.raises(ValidationError):
        validate_time_zone("Luna/Mar")
