"""`services.comparisons`: trials on past inquiries, from their start to their last reading."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now

from inquiries import analysis as analysis_module
from inquiries import breaker, budget, comparing, learning
from inquiries.models import Analysis, Comparison, Inquiry, PromptVersion, SiteSettings
from inquiries.services import comparisons, prompts
from inquiries.states import AnalysisState, Purpose, Sentiment, Status
from inquiries.tests.fakes import FakeEngine, result

pytestmark = pytest.mark.django_db
PREVIEW, COMPARE = Comparison.Kind.PREVIEW, Comparison.Kind.COMPARE


@pytest.fixture
def version(supervisor) -> PromptVersion:
    return prompts.save_version(
        actor=supervisor, base=None, note="", facts="Abrimos a las 9.", tone="vos", style="", signature="", forbidden=""
    )


@pytest.fixture
def service(settings) -> None:
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.OPENAI_MODEL = "auto", "k", "m1"


@pytest.fixture
def corrected(make_inquiry, categories) -> list[Inquiry]:
    return [make_inquiry(analysed=True, category_by_person=True) for _ in range(12)]


def begin(actor, prompt, kind=COMPARE, **changes) -> Comparison:
    values: dict[str, Any] = {"engine": "embedded", "model": "", "size": 10} | changes
    return comparisons.start(actor=actor, kind=kind, prompt=prompt, **values)


def rows(comparison: Comparison) -> list[Analysis]:
    return list(comparison.analyses.order_by("pk"))


# --- starting ---
def test_a_comparison_reads_the_newest_corrected_inquiries_on_both_sides(supervisor, version, corrected, make_inquiry):
    make_inquiry(analysed=True)
    comparison = begin(supervisor, version)
    found = rows(comparison)
    newest = [inquiry.pk for inquiry in reversed(corrected)][:10]
    assert [row.inquiry_id for row in found if row.is_candidate] == newest
    assert [row.inquiry_id for row in found if not row.is_candidate] == newest
    assert {row.prompt for row in found if row.is_candidate} == {version}
    assert {row.prompt for row in found if not row.is_candidate} == {prompts.active()}
    assert {(row.purpose, row.state) for row in found} == {(Purpose.COMPARE, AnalysisState.QUEUED)}
    assert (comparison.created_by, comparison.current_prompt) == (supervisor, prompts.active())


def test_fewer_than_asked_for_are_all_taken(supervisor, version, corrected):
    assert len(rows(begin(supervisor, version, size=200))) == 2 * 12


def test_a_model_is_tried_with_the_instructions_in_use(supervisor, corrected, service):
    comparison = begin(supervisor, None, engine="openai", model=" m2 ")
    sides = {(row.is_candidate, row.engine, row.model, row.prompt) for row in rows(comparison)}
    assert sides == {(True, "openai", "m2", prompts.active()), (False, "openai", "m1", prompts.active())}


def test_readings_come_due_one_after_the_other(supervisor, version, corrected):
    due = [row.due_at for row in rows(begin(supervisor, version))]
    gaps = [later - earlier for earlier, later in itertools.pairwise(due)]
    assert gaps[:2] == [timedelta(0)] * 2
    assert set(gaps[2:]) == {timedelta(seconds=0.5)}


def test_the_first_readings_are_rung_for(
    supervisor, version, corrected, monkeypatch, django_capture_on_commit_callbacks
):
    rung: list[int] = []
    monkeypatch.setattr(comparisons, "ring", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        comparison = begin(supervisor, version)
    assert rung == [row.pk for row in rows(comparison)[:3]]


def test_an_arrival_goes_before_what_is_still_to_come(supervisor, version, corrected, make_inquiry):
    begin(supervisor, version)
    arrival = make_inquiry().analyses.get()
    due = list(Analysis.objects.due().values_list("pk", flat=True))
    assert arrival.pk in due
    assert len(due) <= 5


def test_a_preview_reads_the_newest_inquiries_with_the_candidate_alone(supervisor, version, make_inquiry, categories):
    inquiries = [make_inquiry(analysed=True) for _ in range(4)]
    make_inquiry(status=Status.SPAM)
    found = rows(begin(supervisor, version, PREVIEW, size=3))
    assert [row.inquiry_id for row in found] == [inquiry.pk for inquiry in reversed(inquiries)][:3]
    assert all(row.is_candidate for row in found)


def test_a_preview_takes_one_inquiry_by_name(supervisor, version, corrected):
    (row,) = rows(begin(supervisor, version, PREVIEW, inquiry=corrected[2]))
    assert row.inquiry == corrected[2]


# --- refusals ---
def refused(actor, prompt, kind=COMPARE, **changes) -> str:
    with pytest.raises(comparisons.CannotCompare) as caught:
        begin(actor, prompt, kind, **changes)
    return str(caught.value)


def test_nothing_starts_while_the_ai_is_off(supervisor, version, corrected, settings):
    settings.AI_ENGINE = "off"
    assert refused(supervisor, version)
    assert refused(supervisor, version, PREVIEW)
    assert not Comparison.objects.exists()


def test_what_is_in_use_is_not_compared_with_itself(supervisor, version, corrected, service):
    assert refused(supervisor, None, engine="openai", model="m1")
    copy = PromptVersion.objects.create(note="Copia")
    assert refused(supervisor, copy, engine="openai", model="m1")
    prompts.activate(version, actor=supervisor)
    assert begin(supervisor, copy, engine="openai", model="m1").pk


def test_what_is_in_use_can_be_previewed(supervisor, corrected):
    assert rows(begin(supervisor, prompts.in_use(), PREVIEW, size=3))


def test_an_engine_that_is_not_there_is_refused(supervisor, version, corrected):
    assert refused(supervisor, version, engine="openai", model="m1")
    assert refused(supervisor, version, engine="otro")


def test_a_switch_that_keeps_texts_inside_holds_for_trials(supervisor, version, corrected, service):
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "embedded"})
    assert refused(supervisor, version, engine="openai", model="m2")
    assert begin(supervisor, version).current_engine == "embedded"


def test_a_budget_that_is_used_up_stops_a_side_that_costs(supervisor, version, corrected, service, monkeypatch):
    monkeypatch.setattr(budget, "is_exhausted", lambda: True)
    assert refused(supervisor, version, engine="openai", model="m1")
    assert refused(supervisor, version)  # the side in use costs
    assert begin(supervisor, version, PREVIEW, size=3).engine == "embedded"


def test_a_paused_service_is_left_alone(supervisor, version, corrected, service):
    breaker.failed("authentication", "", is_permanent=True)
    assert refused(supervisor, version, engine="openai", model="m1")


def test_one_comparison_runs_at_a_time(supervisor, version, corrected):
    first = begin(supervisor, version)
    with pytest.raises(comparisons.AlreadyRuns) as caught:
        begin(supervisor, version)
    assert caught.value.comparison == first
    assert begin(supervisor, version, PREVIEW, size=3)
    comparisons.cancel(first, actor=supervisor)
    assert begin(supervisor, version)


def test_without_labels_there_is_nothing_to_measure_by(supervisor, version, make_inquiry, categories):
    assert refused(supervisor, version, PREVIEW)  # not even an inquiry
    make_inquiry(analysed=True)
    make_inquiry(analysed=True, category_by_person=True, status=Status.SPAM)
    retired = make_inquiry(analysed=True, category_by_person=True)
    retired.category.is_active = False
    retired.category.save()
    assert refused(supervisor, version)
    assert not Comparison.objects.exists()


# --- cancelling ---
def test_cancelling_drops_what_has_not_begun_and_lets_the_rest_finish(supervisor, version, corrected):
    comparison = begin(supervisor, version)
    running = rows(comparison)[0]
    Analysis.objects.filter(pk=running.pk).update(state=AnalysisState.RUNNING)
    comparisons.cancel(comparison, actor=supervisor)
    states = [(row.state, row.due_at is None) for row in rows(comparison)]
    assert states[0] == (AnalysisState.RUNNING, False)
    assert set(states[1:]) == {(AnalysisState.SKIPPED, True)}
    assert comparison.cancelled_at is not None
    assert LogEntry.objects.get().user == supervisor


def test_what_is_over_cannot_be_cancelled(supervisor, version, corrected):
    comparison = begin(supervisor, version)
    comparison.analyses.update(state=AnalysisState.DONE, due_at=None)
    assert comparisons.cancel(comparison, actor=supervisor).cancelled_at is None
    assert not LogEntry.objects.exists()


# --- the whole path ---
def test_from_the_start_to_the_figures(supervisor, version, corrected, monkeypatch):
    def read(request):
        is_candidate = request.company.facts == "Abrimos a las 9."
        return result(category="Soporte Técnico" if is_candidate else "Ventas", sentiment=Sentiment.NEGATIVE)

    before = list(Inquiry.objects.order_by("pk").values())
    engine = FakeEngine(*[read] * 20)
    monkeypatch.setattr(analysis_module, "engine_called", lambda name, model="": engine)
    monkeypatch.setattr(learning, "vector_of", lambda text: None)
    comparison = begin(supervisor, version)
    assert comparing.status_of(comparison).is_running
    comparison.analyses.update(due_at=Now())
    for row in rows(comparison):
        analysis_module.run(row.pk)
    status, results = comparing.status_of(comparison), comparing.results_of(comparison)
    assert (status.is_running, status.candidate.done, status.current.done) == (False, 10, 10)
    assert (results.candidate.agreement, results.current.agreement) == (1.0, 0.0)
    assert results.verdict.is_clear
    assert list(Inquiry.objects.order_by("pk").values()) == before
