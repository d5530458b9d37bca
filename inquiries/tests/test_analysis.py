from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import DataError
from django.db.models.functions import Now

from inquiries import analysis as analysis_module
from inquiries import jobs, learning, recording, services
from inquiries.ai.engine import AIError, ErrorKind, Used
from inquiries.models import (
    Analysis,
    Calibration,
    Category,
    Comparison,
    Inquiry,
    PromptVersion,
    ServiceState,
    SiteSettings,
    Usage,
)
from inquiries.states import AIReason, AnalysisState, Purpose, Sentiment
from inquiries.tests.fakes import FakeEngine, result

pytestmark = pytest.mark.django_db
DOWN = AIError(ErrorKind.SERVER_ERROR, "503", permanent=False)


@pytest.fixture(autouse=True)
def _no_encoder(monkeypatch) -> None:
    """What an inquiry means as a vector is another module's matter."""
    monkeypatch.setattr(learning, "vector_of", lambda text: None)


@pytest.fixture
def engine(monkeypatch) -> FakeEngine:
    engine = FakeEngine()
    monkeypatch.setattr(analysis_module, "engine_called", lambda name, model="": engine)
    return engine


@pytest.fixture
def stand_in(monkeypatch, settings, engine) -> FakeEngine:
    """Auto mode with OpenAI first and a fake embedded engine behind it."""
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    embedded = FakeEngine()
    both = {"openai": engine, "embedded": embedded}
    monkeypatch.setattr(analysis_module, "engine_called", lambda name, model="": both[name])
    return embedded


@pytest.fixture
def waiting(make_inquiry, categories) -> Inquiry:
    return make_inquiry()


def attempt(inquiry: Inquiry) -> Inquiry:
    """Run the newest analysis as if its time had come."""
    row = inquiry.analyses.order_by("-id")[0]
    Analysis.objects.filter(pk=row.pk, due_at__isnull=False).update(due_at=Now())
    analysis_module.run(row.pk)
    inquiry.refresh_from_db()
    return inquiry


def pause_is_over() -> None:
    """Let the service be asked again, as after the circuit breaker's pause."""
    ServiceState.objects.update(open_until=None)
    caches["local"].clear()


def raise_data_error(*_args: object) -> None:
    raise DataError


def newest(inquiry: Inquiry) -> Analysis:
    return inquiry.analyses.order_by("-id")[0]


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
    monkeypatch.setattr(analysis_module.asking, step, lambda *_args: 1 / 0)
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


# --- a person acts while the machine is at work ---
def test_a_retry_during_a_running_redo_is_no_dead_end(waiting, engine, stand_in, agent):
    """The redo becomes the retry: when it fails, the inquiry says so and can be retried again."""
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)]
    attempt(waiting)
    pause_is_over()

    def person_asks(request):
        services.retry(Inquiry.objects.get(pk=waiting.pk), actor=agent)
        raise AIError(ErrorKind.REFUSED, permanent=True)

    engine.answers = [person_asks]
    attempt(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.FAILED, AIReason.REFUSED)
    assert not waiting.analyses.live().exists()
    services.retry(waiting, actor=agent)


def test_a_retry_leaves_a_running_analysis_to_its_worker(waiting, engine, stand_in, agent):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)]
    attempt(waiting)
    redo = newest(waiting)
    Analysis.objects.filter(pk=redo.pk).update(due_at=Now())
    taken = jobs.claim(Analysis, redo.pk)
    services.retry(waiting, actor=agent)
    assert jobs.due_ids(Analysis, 10) == []
    assert jobs.record(taken, AnalysisState.DONE)


def test_a_service_that_asks_for_a_long_wait_is_stood_in_for_at_once(waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.RATE_LIMITED, permanent=False, retry_after=3600.0)]
    attempt(waiting)
    assert (waiting.ai_state, waiting.is_provisional) == (AnalysisState.DONE, True)
    redo = newest(waiting)
    assert redo.due_at - redo.created_at == timedelta(hours=1)


@pytest.mark.parametrize(
    "changes",
    [{"model": "m" * 300}, {"model": "a\x00b"}, {"raw": "x\x00y" * 90_000}, {"tokens_in": 2**40}, {"reply": "a\x00b"}],
)
def test_an_answer_is_cut_to_what_the_tables_hold(waiting, engine, changes):
    engine.answers = [result(**changes)]
    assert attempt(waiting).ai_state == AnalysisState.DONE


def test_an_answer_of_no_use_is_booked_each_time(waiting, engine):
    useless = AIError(ErrorKind.TRUNCATED, permanent=False)
    useless.used = Used("fake-1", 100, 4_000)
    engine.answers = [useless, useless]
    attempt(waiting)
    attempt(waiting)
    row = Usage.objects.get()
    assert (row.engine, row.model, row.calls, row.tokens_in, row.tokens_out) == ("fake", "fake-1", 2, 200, 8_000)


@pytest.mark.parametrize("case", ["late", "category", "unstorable"])
def test_an_answer_that_nobody_takes_is_booked_once(waiting, engine, monkeypatch, case):
    def answer(request):
        if case == "late":
            Analysis.objects.update(claim_token=None)
        elif case == "category":
            Category.objects.filter(name="Ventas").update(is_active=False)
        return result()

    if case == "unstorable":
        monkeypatch.setattr(recording, "_apply", raise_data_error)
    engine.answers = [answer]
    attempt(waiting)
    row = Usage.objects.get()
    assert (row.calls, row.tokens_in) == (1, 100)
    assert waiting.category is None


def test_an_answer_that_cannot_be_stored_fails_once(waiting, engine, monkeypatch):
    monkeypatch.setattr(recording, "_apply", raise_data_error)
    attempt(waiting)
    assert (waiting.ai_state, waiting.ai_error) == (AnalysisState.FAILED, AIReason.BAD_ANSWER)
    assert newest(waiting).crashes == 0


# --- the service is paused, the budget is used up, the text is out of scope ---
def test_while_the_service_is_paused_new_inquiries_are_read_at_once_and_provisionally(
    make_inquiry, waiting, engine, stand_in
):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)]
    attempt(waiting)
    second = attempt(make_inquiry())
    assert (second.is_provisional, second.ai_error, second.ai_state) == (True, AIReason.PAUSED, AnalysisState.DONE)
    assert len(engine.history) == 1


def test_a_service_that_is_back_wakes_what_was_put_off(make_inquiry, waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)]
    attempt(waiting)
    redo = newest(waiting)
    ServiceState.objects.update(open_until=Now() - timedelta(seconds=1))
    attempt(make_inquiry())
    assert redo.pk in jobs.due_ids(Analysis, 10)


def test_a_redo_waits_while_the_service_is_paused(waiting, engine, stand_in):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)]
    attempt(waiting)
    attempt(waiting)
    redo = newest(waiting)
    assert (redo.state, redo.error, redo.attempts) == (AnalysisState.QUEUED, AIReason.PAUSED, 0)
    assert (waiting.ai_state, waiting.is_provisional) == (AnalysisState.DONE, True)
    assert len(engine.history) == 1


@pytest.mark.parametrize("work", ["label", "reply", "close"])
def test_what_a_person_has_worked_on_is_not_read_again(waiting, engine, stand_in, agent, categories, work):
    engine.answers = [AIError(ErrorKind.QUOTA, permanent=True)]
    attempt(waiting)
    pause_is_over()
    {
        "label": lambda: services.correct_category(waiting, actor=agent, category=categories["Reclamo"]),
        "reply": lambda: services.save_reply(waiting, actor=agent, text="La mía", version=0),
        "close": lambda: services.close(waiting, actor=agent),
    }[work]()
    attempt(waiting)
    redo = newest(waiting)
    assert (redo.state, redo.error) == (AnalysisState.SKIPPED, AIReason.OVERTAKEN)
    assert (waiting.ai_state, len(engine.history)) == (AnalysisState.DONE, 1)


def test_past_the_budget_the_embedded_engine_goes_on(waiting, engine, stand_in):
    SiteSettings.objects.update_or_create(pk=1, defaults={"daily_tokens": 0})
    attempt(waiting)
    assert (waiting.ai_state, waiting.is_provisional, waiting.ai_error) == ("done", False, AIReason.BUDGET)
    assert (len(engine.history), len(stand_in.history)) == (0, 1)
    assert waiting.analyses.count() == 1


def test_every_analysis_is_booked(waiting, engine):
    SiteSettings.objects.update_or_create(pk=1, defaults={"prices": {"fake-1": {"input": 1.0, "output": 2.0}}})
    attempt(waiting)
    row = Usage.objects.get()
    assert (row.engine, row.model, row.calls, row.tokens_in, row.tokens_out) == ("fake", "fake-1", 1, 100, 50)
    assert float(row.cost) == 0.0002


def test_an_engine_that_abstains_forces_no_label(waiting, engine):
    engine.answers = [result(abstains=True, confidence=0.9)]
    attempt(waiting)
    assert (waiting.category, waiting.needs_review, waiting.ai_state) == (None, True, AnalysisState.DONE)
    assert (newest(waiting).category, newest(waiting).abstained) == ("Ventas", True)


def test_a_draft_is_cut_and_its_warnings_are_shown(waiting, engine):
    engine.answers = [result(reply="Hola. Entre a https://evil.example/pago y pague.")]
    attempt(waiting)
    assert "evil" not in waiting.suggested_reply
    assert waiting.flags == newest(waiting).flags == ["link_cut"]


def test_the_claim_is_kept_beside_what_is_believed_of_it(waiting, engine):
    Calibration.objects.create(engine="fake", model="fake-1", temperature=3.0, pairs=500)
    attempt(waiting)
    row = newest(waiting)
    assert row.claimed_confidence == 0.9
    assert 0.5 < row.confidence < 0.8
    assert waiting.confidence == row.confidence


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


@pytest.fixture
def service(settings, engine) -> FakeEngine:
    """An AI service is set up, so that trials on it may run."""
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    return engine


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
