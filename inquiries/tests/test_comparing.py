from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from inquiries import comparing
from inquiries.models import Analysis, Comparison, Outcome, PromptVersion, SiteSettings, Usage
from inquiries.states import AIReason, AnalysisState, DraftUse, Purpose

pytestmark = pytest.mark.django_db


@pytest.fixture
def comparison(db) -> Comparison:
    return Comparison.objects.create(engine="openai", model="m2", current_engine="openai", current_model="m1")


@pytest.fixture
def read(comparison, make_inquiry, categories):
    """Make an inquiry of "Soporte Técnico", labelled by a person, that both sides have read."""

    def make(candidate: str, current: str, *, by_person: bool = True, **fields):
        inquiry = make_inquiry(analysed=True, category_by_person=by_person, sentiment_by_person=by_person)
        for is_candidate, name in ((True, candidate), (False, current)):
            reading(inquiry, comparison, is_candidate, categories[name], **fields)
        return inquiry

    return make


def reading(inquiry, comparison, is_candidate, category, **fields) -> Analysis:
    values = {
        "state": AnalysisState.DONE,
        "due_at": None,
        "purpose": Purpose.COMPARE,
        "engine": "openai",
        "category": category.name,
        "category_row": category,
        "sentiment": "Negativo",
        "confidence": 0.8,
        "tokens_in": 100,
        "tokens_out": 20,
        "cost": Decimal("0.01"),
        "duration_ms": 300,
    }
    return Analysis.objects.create(
        inquiry=inquiry, comparison=comparison, is_candidate=is_candidate, **(values | fields)
    )


# --- McNemar ---
@pytest.mark.parametrize(
    ("one", "other", "chance"),
    # two-sided binomial tests of k out of n at one half, worked out by hand
    [(0, 0, 1.0), (1, 0, 1.0), (5, 5, 1.0), (5, 0, 2 / 32), (6, 0, 2 / 64), (1, 7, 18 / 256), (2, 10, 158 / 4096)],
)
def test_mcnemar_is_the_two_sided_binomial_of_the_discordant_pairs(one, other, chance):
    assert comparing.mcnemar(one, other) == pytest.approx(chance)
    assert comparing.mcnemar(other, one) == comparing.mcnemar(one, other)


# --- progress ---
def test_progress_is_counted_side_by_side(comparison, read, make_inquiry, categories):
    read("Ventas", "Ventas")
    waiting = make_inquiry(analysed=True)
    reading(waiting, comparison, True, categories["Ventas"], state=AnalysisState.FAILED, error=AIReason.TIMEOUT)
    reading(waiting, comparison, False, categories["Ventas"], state=AnalysisState.QUEUED)
    status = comparing.status_of(comparison)
    assert (status.candidate.done, status.candidate.failed, status.current.done) == (1, 1, 1)
    assert (status.finished, status.total, status.failed, status.is_running) == (3, 4, 1, True)
    assert comparing.failures_of(comparison) == [(str(AIReason.TIMEOUT.label), 1)]


def test_what_was_cancelled_does_not_count_as_read(comparison, read, make_inquiry, categories):
    read("Ventas", "Ventas")
    for is_candidate in (True, False):
        reading(make_inquiry(), comparison, is_candidate, categories["Ventas"], state=AnalysisState.SKIPPED)
    status, [summary] = comparing.status_of(comparison), comparing.summaries()
    assert (status.read, status.skipped, status.total, status.is_running) == (2, 2, 4, False)
    assert (summary.read, summary.total, summary.is_running) == (2, 4, False)


def test_a_trial_without_readings_left_is_not_running(comparison):
    assert not comparing.status_of(comparison).is_running


# --- results ---
def test_agreement_is_with_what_the_person_said(comparison, read):
    for candidate, current in [("Soporte Técnico", "Ventas"), ("Soporte Técnico", "Soporte Técnico")]:
        read(candidate, current)
    read("Ventas", "Ventas", by_person=False)
    results = comparing.results_of(comparison)
    assert (results.candidate.right, results.candidate.judged) == (2, 2)
    assert (results.current.right, results.current.judged) == (1, 2)
    assert (results.candidate.sentiment_right, results.candidate.sentiment_judged) == (2, 2)
    assert (results.verdict.only_candidate, results.verdict.only_current, results.verdict.is_clear) == (1, 0, False)
    assert (results.differing_count, results.alike_count) == (1, 2)


def test_who_abstains_agrees_with_nobody(comparison, read):
    read("Soporte Técnico", "Soporte Técnico", abstained=True)
    assert comparing.results_of(comparison).candidate.right == 0


def test_only_what_both_sides_read_is_judged(comparison, read, make_inquiry, categories):
    read("Soporte Técnico", "Soporte Técnico")
    hard = make_inquiry(analysed=True, category_by_person=True)
    reading(hard, comparison, True, categories["Ventas"])
    reading(hard, comparison, False, categories["Ventas"], state=AnalysisState.FAILED)
    results = comparing.results_of(comparison)
    assert (results.candidate.judged, results.current.judged) == (1, 1)
    assert results.candidate.tokens == 240


def test_cost_is_unknown_where_a_price_is_missing_and_nothing_on_this_machine(comparison, read):
    read("Ventas", "Ventas")
    assert comparing.results_of(comparison).candidate.cost == Decimal("0.01")
    read("Ventas", "Ventas", cost=None)
    assert comparing.results_of(comparison).candidate.cost is None
    Analysis.objects.filter(cost=None).update(engine="embedded")
    assert comparing.results_of(comparison).candidate.cost == Decimal("0.01")


def test_a_trial_without_any_result_shows_no_figure(comparison):
    side = comparing.results_of(comparison).candidate
    assert (side.agreement, side.confidence, side.milliseconds, side.tokens) == (None, None, None, 0)


def test_the_list_shows_both_agreements_and_leaves_previews_out(comparison, read, django_assert_num_queries):
    read("Soporte Técnico", "Ventas")
    Comparison.objects.create(kind=Comparison.Kind.PREVIEW, engine="openai")
    with django_assert_num_queries(2):
        (summary,) = comparing.summaries()
    assert (summary.agreement, summary.current_agreement, summary.total, summary.is_running) == (1.0, 0.0, 2, False)


# --- what it will cost ---
@pytest.fixture
def _used(db) -> None:
    Usage.objects.create(
        day=timezone.localdate(), engine="openai", model="m1", calls=10, tokens_in=10_000, tokens_out=2_000
    )


@pytest.mark.usefixtures("_used")
def test_the_estimate_is_the_mean_inquiry_times_sides_and_prices():
    prices = {"m1": {"input": 1.0, "output": 10.0}, "m2": {"input": 2.0, "output": 20.0}}
    SiteSettings.objects.update_or_create(pk=1, defaults={"prices": prices})
    small, large = comparing.estimates([("openai", "m2"), ("openai", "m1")], [10, 100])
    assert (small.tokens, large.tokens) == (24_000, 240_000)
    assert small.cost == pytest.approx(0.09)
    assert large.cost == pytest.approx(0.9)


@pytest.mark.usefixtures("_used")
def test_the_estimate_of_an_unpriced_model_has_tokens_and_no_cost():
    (found,) = comparing.estimates([("openai", "m9"), ("embedded", "")], [10])
    assert (found.tokens, found.cost) == (12_000, None)


def test_the_estimate_says_when_nothing_is_known_and_when_nothing_is_paid():
    (unknown,) = comparing.estimates([("openai", "m1")], [10])
    (free,) = comparing.estimates([("embedded", ""), ("embedded", "")], [10])
    assert (unknown.tokens, unknown.cost, free.tokens, free.cost) == (None, None, 0, 0.0)


# --- versions ---
def test_a_version_is_measured_by_the_replies_that_it_drafted(make_inquiry, categories):
    version = PromptVersion.objects.create(facts="x")
    for ai_category, use in [("Ventas", DraftUse.UNCHANGED), ("Reclamo", DraftUse.EDITED), ("", DraftUse.UNCHANGED)]:
        analysis = make_inquiry(analysed=True).analyses.get()
        Analysis.objects.filter(pk=analysis.pk).update(prompt=version)
        Outcome.objects.create(analysis=analysis, ai_category=ai_category, category="Ventas", draft_use=use)
    figures = comparing.version_figures()[version.pk]
    assert (figures.replies, figures.agreement, figures.unchanged_share) == (3, 0.5, 2 / 3)
