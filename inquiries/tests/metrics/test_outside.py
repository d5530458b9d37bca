from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inquiries import breaker, budget, metrics
from inquiries.backups import BackupReason
from inquiries.metrics import Light
from inquiries.models import ServiceState, SiteSettings
from inquiries.states import AIReason, MailReason

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("engine", "key", "expected"),
    [
        ("embedded", "", metrics.EngineInUse("embedded")),
        ("auto", "", metrics.EngineInUse("embedded")),
        ("auto", "sk-x", metrics.EngineInUse("openai", "gpt-x", has_stand_in=True)),
        ("openai", "sk-x", metrics.EngineInUse("openai", "gpt-x")),
        ("off", "sk-x", metrics.EngineInUse("off")),
    ],
)
def test_the_engine_in_use(settings, engine, key, expected):
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.OPENAI_MODEL = engine, key, "gpt-x"
    assert metrics.engine_in_use() == expected


def test_a_supervisor_can_switch_the_engine_off(settings):
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "off"})
    assert metrics.engine_in_use() == metrics.EngineInUse("off", by_supervisor=True)


# --- The AI service ------------------------------------------------------------------------------
@pytest.fixture
def openai(settings) -> None:
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "sk-x"


@pytest.mark.parametrize(("engine", "key"), [("embedded", "sk-x"), ("auto", ""), ("off", "sk-x")])
def test_a_service_that_is_not_in_use_has_no_light(settings, engine, key):
    settings.AI_ENGINE, settings.OPENAI_API_KEY = engine, key
    assert metrics.ai_service() is None


def test_it_is_green_until_it_fails_amber_then_and_red_while_nobody_asks(openai):
    assert metrics.ai_service() == metrics.Service(Light.GREEN)
    breaker.failed("timeout", "60 s", is_permanent=False)
    amber = metrics.ai_service()
    assert (amber.light, amber.error, amber.detail) == (Light.AMBER, str(AIReason.TIMEOUT.label), "60 s")
    assert amber.error_at is not None
    breaker.failed("quota", "HTTP 429", is_permanent=True)
    red = metrics.ai_service()
    assert (red.light, red.detail) == (Light.RED, "HTTP 429")
    assert red.retry_at is not None
    breaker.succeeded()
    green = metrics.ai_service()
    assert (green.light, green.detail, green.retry_at) == (Light.GREEN, "HTTP 429", None)
    assert green.success_at is not None


def test_it_is_amber_while_the_budget_is_used_up(openai):
    SiteSettings.objects.update_or_create(pk=1, defaults={"daily_tokens": 10})
    budget.book(engine="openai", model="m", tokens_in=10, tokens_out=1, cost=None, milliseconds=1)
    assert metrics.ai_service() == metrics.Service(Light.AMBER, error=str(AIReason.BUDGET.label))


# --- The mail server -----------------------------------------------------------------------------
def test_without_a_mail_server_its_light_is_off(settings):
    settings.HAS_MAIL = False
    ServiceState.objects.create(name="mail", failures=9)
    assert metrics.mail_service() == metrics.Service(Light.OFF)


@pytest.mark.parametrize(
    ("fields", "light"),
    [
        (None, Light.GREEN),
        ({"failures": 0}, Light.GREEN),
        ({"failures": 1}, Light.AMBER),
        ({"failures": 9}, Light.AMBER),  # it answers, and refuses each of these mails
        ({"failures": 1, "open_until": timezone.now()}, Light.AMBER),
        ({"failures": 3, "open_until": timezone.now()}, Light.RED),
        ({"failures": 1, "open_until": timezone.now(), "last_error": "authentication"}, Light.RED),
    ],
)
def test_the_light_of_the_mail_server(settings, fields, light):
    settings.HAS_MAIL = True
    if fields is not None:
        ServiceState.objects.create(name="mail", **fields)
    assert metrics.mail_service().light == light


@pytest.mark.parametrize(("code", "words"), [("dropped", str(MailReason.DROPPED.label)), ("nuevo", "nuevo")])
def test_its_last_error_is_in_words(settings, code, words):
    settings.HAS_MAIL = True
    ServiceState.objects.create(name="mail", failures=1, last_error=code)
    assert metrics.mail_service().error == words


# --- Backups -------------------------------------------------------------------------------------
@pytest.mark.parametrize(("hours", "state"), [(None, "none"), (25, "ok"), (27, "old")])
def test_how_old_the_newest_backup_is(hours, state):
    at = None if hours is None else timezone.now() - timedelta(hours=hours)
    ServiceState.objects.create(name="backup", last_success_at=at)
    assert metrics.backup() == metrics.Backup(state, at)


def test_a_backup_that_failed_says_why(settings):
    ServiceState.objects.create(name="backup", failures=1, last_error="disk_full")
    assert metrics.backup() == metrics.Backup("none", error=str(BackupReason.DISK_FULL.label))
    settings.BACKUP_DAYS = 0
    assert metrics.backup() == metrics.Backup("off")


# --- What every page of the desk says ------------------------------------------------------------
def test_a_pause_comes_before_what_else_there_is_to_say(openai, supervisor):
    breaker.failed("quota", "", is_permanent=True)
    assert metrics.ai_notice() == "paused"
    SiteSettings.objects.update_or_create(pk=1, defaults={"is_analysis_paused": True})
    assert metrics.ai_notice() == "analysis_paused"
