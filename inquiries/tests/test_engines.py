from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.cache import caches

from inquiries import breaker, budget, engines
from inquiries.engines import Choice
from inquiries.models import SiteSettings
from inquiries.states import AIReason

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(settings) -> None:
    """A service is set up, and the embedded engine may stand in for it."""
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"


def set_site(**values: object) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults=values)
    caches["local"].clear()


def use_up_the_budget() -> None:
    budget.book(engine="openai", model="m", tokens_in=10, tokens_out=0, cost=Decimal(1), milliseconds=1)
    set_site(daily_tokens=5)


def pause() -> None:
    breaker.failed("quota", "", is_permanent=True)


@pytest.mark.parametrize(
    ("mode", "key", "url", "openai"),
    [
        ("auto", "", "", False),
        ("auto", "k", "", True),
        ("auto", "", "http://127.0.0.1:1/v1", True),
        ("embedded", "k", "", False),
        ("openai", "", "", True),
    ],
)
def test_the_key_decides_which_engine_is_first(settings, mode, key, url, openai):
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = mode, key, url
    assert engines.uses_openai() is openai
    assert (engines.choose().engine == "openai") is openai


def test_the_supervisor_switches_between_automatic_embedded_and_off(service):
    assert engines.choose() == Choice("openai")
    set_site(ai_mode="embedded")
    assert (engines.choose(), engines.is_switched_on()) == (Choice("embedded"), True)
    set_site(ai_mode="off")
    assert not engines.is_switched_on()


def test_the_environment_switches_off_whatever_the_supervisor_says(settings):
    settings.AI_ENGINE = "off"
    assert not engines.is_switched_on()


def test_a_used_up_budget_leaves_reading_to_the_embedded_engine(service):
    use_up_the_budget()
    choice = engines.choose()
    assert (choice.engine, choice.why, choice.is_provisional) == ("embedded", AIReason.BUDGET, False)


def test_a_paused_service_is_stood_in_for_provisionally(service):
    pause()
    choice = engines.choose()
    assert (choice.engine, choice.why, choice.is_provisional) == ("embedded", AIReason.PAUSED, True)


def test_a_paused_service_without_a_stand_in_is_waited_for(service, settings):
    settings.AI_ENGINE = "openai"
    pause()
    assert engines.choose() is None


def test_each_model_has_one_client():
    assert engines.openai_engine("a") is engines.openai_engine("a")
    assert engines.openai_engine("a") is not engines.openai_engine("b")


def test_an_engine_is_found_by_its_name(settings):
    assert engines.engine_called("openai", "m").name == "openai"
    assert engines.engine_called("embedded").name == "embedded"
