from __future__ import annotations

import pytest
from django.db.models.functions import Now

from inquiries import analysis as analysis_module
from inquiries.ai.engine import AIError, ErrorKind
from inquiries.models import (
    Analysis,
    Comparison,
    Inquiry,
    PromptVersion,
    ServiceState,
    SiteSettings,
)
from inquiries.states import AIReason, AnalysisState, Purpose
from inquiries.tests.fakes import result

pytestmark = pytest.mark.django_db


# --- trials ---
def trial(inquiry: Inquiry, **fields: object) -> Analysis:
    comparison = Comparison.objects.create(engine="openai", model="m2")
    values = {"purpose": Purpose.COMPARE, "engine": "openai", "model": "m2", "is_candidate": True}
    return Analysis.objects.create(inquiry=inquiry, comparison=comparison, **(values | fields))


def test_a_trial_leaves_the_inquiry_alone(inquiry, engine, stand_in):
    before = Inquiry.objects.values().get(pk=inquiry.pk)
    engine.answers = [result(category="Reclamo")]
    row = trial(inquiry)
    analysis_module.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.category, row.is_candidate) == (AnalysisState.DONE, "Reclamo", True)
    assert Inquiry.objects.values().get(pk=inquiry.pk) == before


def test_a_trial_uses_its_own_instructions_and_model(inquiry, engine, service, monkeypatch):
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(analysis_module, "engine_called", lambda *names: asked.append(names) or engine)
    prompt = PromptVersion.objects.create(facts="Abrimos a las 9.")
    analysis_module.run(trial(inquiry, prompt=prompt).pk)
    assert asked == [("openai", "m2")]
    assert engine.history[0].company.facts == "Abrimos a las 9."


def test_a_trial_that_fails_leaves_the_inquiry_alone(inquiry, engine, stand_in):
    engine.answers = [AIError(ErrorKind.AUTHENTICATION, permanent=True)]
    row = trial(inquiry)
    analysis_module.run(row.pk)
    row.refresh_from_db()
    inquiry.refresh_from_db()
    assert (row.state, inquiry.ai_state) == (AnalysisState.FAILED, AnalysisState.DONE)
    assert stand_in.history == []


def test_a_trial_stops_at_the_budget(inquiry, engine, stand_in):
    SiteSettings.objects.update_or_create(pk=1, defaults={"daily_tokens": 0})
    row = trial(inquiry)
    analysis_module.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error, engine.history) == (AnalysisState.SKIPPED, AIReason.BUDGET, [])


def test_a_mistyped_model_on_trial_does_not_pause_the_service(inquiry, engine, stand_in):
    engine.answers = [AIError(ErrorKind.MODEL_NOT_FOUND, permanent=True)]
    analysis_module.run(trial(inquiry).pk)
    assert not ServiceState.objects.exists()


def test_a_cancelled_trial_does_not_come_back(inquiry, engine, stand_in):
    row = trial(inquiry)
    Comparison.objects.update(cancelled_at=Now())
    analysis_module.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error, engine.history) == (AnalysisState.SKIPPED, AIReason.CANCELLED, [])


def test_a_trial_sends_nothing_outside_once_only_the_embedded_engine_may_read(inquiry, engine, stand_in):
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "embedded"})
    row = trial(inquiry)
    analysis_module.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.error, engine.history) == (AnalysisState.SKIPPED, AIReason.DISABLED, [])
