from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inquiries import jobs, recording, services
from inquiries.ai.engine import AIError, ErrorKind, Used
from inquiries.models import (
    Analysis,
    Category,
    Inquiry,
    Usage,
)
from inquiries.states import AIReason, AnalysisState
from inquiries.tests.analysis.helpers import attempt, newest, pause_is_over, raise_data_error
from inquiries.tests.fakes import result

pytestmark = pytest.mark.django_db


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
