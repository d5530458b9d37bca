from __future__ import annotations

import pytest

from inquiries import calibration, services
from inquiries.models import Calibration, Inquiry, Outcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def read_by(make_inquiry):
    """An inquiry that "openai" has read with this claim, as Soporte Técnico."""

    def make(claim: float = 0.95) -> Inquiry:
        inquiry = make_inquiry(analysed=True, engine="openai", model="m")
        inquiry.analyses.update(claimed_confidence=claim)
        return inquiry

    return make


def outcome(inquiry: Inquiry | None, held: str, said: str = "Soporte Técnico") -> Outcome:
    return Outcome.objects.create(
        inquiry=inquiry,
        engine="openai",
        model="m",
        ai_category=said,
        category=held,
        claimed_confidence=0.95,
        draft_use="none",
    )


def pairs() -> int:
    calibration.refit()
    row = Calibration.objects.filter(engine="openai", model="m").first()
    return row.pairs if row else 0


def test_without_labels_a_claim_is_believed_as_it_is():
    assert calibration.refit() == 0
    assert calibration.believed("openai", "m", 0.8) == pytest.approx(0.8)


def test_corrections_teach_without_a_reply(read_by, categories, agent):
    for _ in range(40):
        services.correct_category(read_by(), actor=agent, category=categories["Reclamo"])
    assert pairs() == 40
    assert calibration.believed("openai", "m", 0.95) < 0.6


def test_a_confirmed_category_speaks_for_the_claim(read_by, categories, agent):
    for number in range(40):
        right = "Soporte Técnico" if number % 4 else "Reclamo"
        services.correct_category(read_by(), actor=agent, category=categories[right])
    calibration.refit()
    assert 0.7 < calibration.believed("openai", "m", 0.95) < 0.95


def test_an_inquiry_that_was_corrected_and_answered_speaks_once(read_by, categories, agent):
    inquiry = services.correct_category(read_by(), actor=agent, category=categories["Reclamo"])
    outcome(inquiry, "Reclamo")
    outcome(None, "Soporte Técnico")
    assert calibration._corrected("openai", "m") == [(0.95, False)]
    assert calibration._sent("openai", "m") == [(0.95, True)]


def test_a_correction_taken_back_says_nothing(read_by, categories, agent):
    inquiry = services.correct_category(read_by(), actor=agent, category=categories["Reclamo"])
    services.undo_correction(inquiry, actor=agent, field="category")
    assert calibration._corrected("openai", "m") == []


def test_engines_and_models_are_fitted_apart(read_by, categories, agent):
    services.correct_category(read_by(), actor=agent, category=categories["Reclamo"])
    outcome(None, "Ventas")
    Outcome.objects.filter(inquiry=None).update(engine="embedded", model="e")
    assert calibration.refit() == 2
    assert set(Calibration.objects.values_list("engine", "model")) == {("openai", "m"), ("embedded", "e")}
