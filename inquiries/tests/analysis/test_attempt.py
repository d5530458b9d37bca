from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inquiries import analysis as analysis_module
from inquiries import jobs, recording, services
from inquiries.ai.engine import AIError, ErrorKind
from inquiries.models import (
    Analysis,
    Category,
    PromptVersion,
    SiteSettings,
)
from inquiries.states import AIReason, AnalysisState, Purpose, Sentiment
from inquiries.tests.analysis.helpers import attempt, newest, pause_is_over
from inquiries.tests.fakes import result

pytestmark = pytest.mark.django_db
DOWN = AIError(ErrorKind.SERVER_ERROR, "503", permanent=False)


def test_a_result_reaches_the_inquiry(waiting, engine):
    attempt(waiting)
    assert waiting.category.name == "Ventas"
    assert (waiting.sentiment, waiting.suggested_reply) == ("Neutral", "Hola, con gusto le contamos.")
    assert (waiting.ai_state, waiting.ai_error, waiting.engine) == (AnalysisState.DONE, "", "fake")
    assert waiting.analysed_at is not None
    assert waiting.row_version >= 2


def test_the_row_keeps_what_was_sent_what_came_back_and_what_it_cost(waiting, engine):
    SiteSettings.objects.update_or_create(pk=1, defaults={"prices": {"fake-1": {"input": 1.0, "output": 2.0}}})
    attempt(waiting)
    row = newest(waiting)
    assert (row.raw_answer, row.state) == ("{}", AnalysisState.DONE)
    assert (row.tokens_in, row.tokens_out, float(row.cost)) == (100, 50, 0.0002)
    assert row.duration_ms is not None


def test_the_engine_gets_the_live_categories_and_the_company(waiting, engine, categories):
    Category.objects.filter(name="Ventas").update(is_active=False)
    SiteSettings.objects.update_or_create(pk=1, defaults={"company_name": "Acme"})
    PromptVersion.objects.create(tone="vos", forbidden="reembolso total\n").activate()
    engine.answers = [result(category="Reclamo")]
    attempt(waiting)
    request = engine.history[0]
    assert [spec.name for spec in request.categories] == [
        "Soporte Técnico",
        "Facturación",
        "Reclamo",
        "Consulta General",
    ]
    assert (request.company.name, request.company.tone) == ("Acme", "vos")
    assert request.company.forbidden == ("reembolso total",)


def test_what_a_person_set_stays(waiting, engine, agent, categories):
    services.correct_category(waiting, actor=agent, category=categories["Reclamo"])
    waiting.refresh_from_db()
    services.correct_sentiment(waiting, actor=agent, sentiment=Sentiment.NEGATIVE)
    waiting.refresh_from_db()
    services.save_reply(waiting, actor=agent, text="La mía", version=0)
    attempt(waiting)
    assert (waiting.category.name, waiting.sentiment, waiting.reply) == ("Reclamo", "Negativo", "La mía")
    assert waiting.suggested_reply == "Hola, con gusto le contamos."
    assert newest(waiting).category == "Ventas"


def test_doubt_marks_the_inquiry_for_review(waiting, engine):
    engine.answers = [result(confidence=0.2)]
    assert attempt(waiting).needs_review


def test_a_transient_error_is_tried_again_later(waiting, engine):
    engine.answers = [AIError(ErrorKind.RATE_LIMITED, permanent=False, retry_after=42.0)]
    attempt(waiting)
    row = newest(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.QUEUED, AIReason.RATE_LIMITED)
    assert (row.state, row.error) == (AnalysisState.QUEUED, "rate_limited")
    assert row.due_at - row.started_at >= timedelta(seconds=41)
    attempt(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.DONE, "")
    assert newest(waiting).error == ""


def test_a_permanent_error_fails_at_once_with_its_reason(waiting, engine):
    engine.answers = [AIError(ErrorKind.REFUSED, "no", permanent=True)]
    attempt(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.FAILED, AIReason.REFUSED)
    assert newest(waiting).due_at is None


def test_tries_come_to_an_end(waiting, engine):
    engine.answers = [DOWN] * 50
    for _ in range(jobs.MAX_ATTEMPTS):
        attempt(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.FAILED, AIReason.SERVER_ERROR)
    assert len(engine.history) == jobs.MAX_ATTEMPTS


def test_a_bug_in_an_engine_is_an_internal_error(waiting, engine):
    engine.answers = [ZeroDivisionError("secret of the customer")]
    attempt(waiting)
    assert waiting.ai_error == AIReason.INTERNAL
    assert newest(waiting).error_detail == "ZeroDivisionError"


@pytest.mark.parametrize("step", ["prepare", "checked"])
def test_a_bug_around_the_engine_is_an_internal_error_too(waiting, engine, monkeypatch, step):
    monkeypatch.setattr(analysis_module.asking, step, lambda *_args, **_options: 1 / 0)
    attempt(waiting)
    assert waiting.ai_error == AIReason.INTERNAL
    assert newest(waiting).error_detail == "ZeroDivisionError"


def test_an_answer_outside_the_live_categories_is_asked_again(waiting, engine, categories):
    def renamed_meanwhile(request):
        Category.objects.filter(name="Ventas").update(name="Comercial")
        return result()

    engine.answers = [renamed_meanwhile, result(category="Comercial")]
    attempt(waiting)
    assert (waiting.ai_state, waiting.category) == (AnalysisState.QUEUED, None)
    attempt(waiting)
    assert waiting.category.name == "Comercial"


def test_a_job_that_took_its_worker_down_three_times_fails(waiting, engine):
    Analysis.objects.filter(inquiry=waiting).update(state=AnalysisState.RUNNING, crashes=jobs.MAX_CRASHES - 1)
    attempt(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.FAILED, AIReason.CRASHED)
    assert engine.history == []


def test_a_late_result_is_dropped(waiting, engine):
    def lease_lost(request):
        row = newest(waiting)
        Analysis.objects.filter(pk=row.pk).update(due_at=Now() - timedelta(seconds=1))
        heir = jobs.claim(Analysis, row.pk)
        assert jobs.record(heir, AnalysisState.DONE, reply="heir")
        return result(reply="zombie")

    engine.answers = [lease_lost]
    attempt(waiting)
    assert newest(waiting).reply == "heir"
    assert waiting.suggested_reply is None


def test_a_service_that_stays_down_is_stood_in_for(waiting, engine, stand_in):
    engine.answers = [DOWN] * 3
    for _ in range(analysis_module.TRIES_BEFORE_STAND_IN):
        attempt(waiting)
    assert (waiting.ai_state, waiting.is_provisional, waiting.ai_error) == ("done", True, "server_error")
    redo = newest(waiting)
    assert (redo.purpose, redo.state) == (Purpose.REDO, AnalysisState.QUEUED)
    assert redo.due_at - redo.created_at == recording.FIRST_REDO


def test_a_refused_key_is_stood_in_for_at_once(waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.AUTHENTICATION, permanent=True)]
    attempt(waiting)
    assert (waiting.is_provisional, waiting.ai_error) == (True, "authentication")


def test_a_refusal_of_the_message_is_not_stood_in_for(waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.CONTENT_FILTER, permanent=True)]
    attempt(waiting)
    assert waiting.ai_state == AnalysisState.FAILED
    assert stand_in.history == []


def test_the_redo_replaces_the_provisional_reading(waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True), result(category="Reclamo")]
    attempt(waiting)
    pause_is_over()
    attempt(waiting)
    assert (waiting.category.name, waiting.is_provisional, waiting.ai_error) == ("Reclamo", False, "")


def test_a_redo_waits_while_the_ai_is_switched_off(waiting, engine, stand_in, settings):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True), result(category="Reclamo")]
    attempt(waiting)
    settings.AI_ENGINE = "off"
    attempt(waiting)
    assert (newest(waiting).state, waiting.ai_state) == (AnalysisState.QUEUED, AnalysisState.DONE)
    settings.AI_ENGINE = "auto"
    pause_is_over()
    attempt(waiting)
    assert (waiting.category.name, waiting.is_provisional) == ("Reclamo", False)


def test_a_redo_that_fails_leaves_the_reading_and_waits_twice_as_long(waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)] * 2
    attempt(waiting)
    pause_is_over()
    attempt(waiting)
    assert (waiting.ai_state, waiting.is_provisional) == (AnalysisState.DONE, True)
    second = newest(waiting)
    assert second.due_at - second.created_at == 2 * recording.FIRST_REDO


def test_redos_come_to_an_end(waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)] * 50
    for _ in range(20):
        pause_is_over()
        attempt(waiting)
    assert waiting.analyses.filter(purpose=Purpose.REDO).count() == recording.MAX_REDOS
    assert not waiting.analyses.filter(due_at__isnull=False).exists()


def test_a_job_of_a_switched_off_ai_is_skipped(waiting, engine):
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "off"})
    attempt(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.SKIPPED, AIReason.DISABLED)
    assert engine.history == []


def test_nothing_is_begun_while_the_analysis_is_paused(waiting, engine, supervisor, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        services.pause_analysis(actor=supervisor)
    row = newest(waiting)
    analysis_module.run(row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempts, engine.history) == (AnalysisState.QUEUED, 0, [])
    with django_capture_on_commit_callbacks(execute=True):
        services.resume_analysis(actor=supervisor)
    attempt(waiting)
    assert waiting.ai_state == AnalysisState.DONE
