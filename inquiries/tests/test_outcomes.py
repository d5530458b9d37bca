from __future__ import annotations

import pytest

from inquiries import outcomes, services
from inquiries.models import Outcome
from inquiries.states import DraftUse, Sentiment

DRAFT = "Hola Juana, lamentamos lo ocurrido."


@pytest.mark.parametrize(
    ("draft", "sent", "use"),
    [
        (DRAFT, DRAFT, DraftUse.UNCHANGED),
        (DRAFT, f"{DRAFT}\n", DraftUse.UNCHANGED),
        (DRAFT, "Hola Juana, lamentamos mucho lo ocurrido.", DraftUse.EDITED),
        (DRAFT, "Buenos días: su técnico pasa mañana entre las 9 y las 12.", DraftUse.DISCARDED),
        ("", "Hola", DraftUse.NONE),
    ],
)
def test_what_became_of_the_draft(draft, sent, use):
    assert outcomes.use_of_draft(draft, sent)[0] == use


def test_the_distance_is_the_share_of_changed_letters():
    assert outcomes.edit_distance("hola", "holas") == pytest.approx(0.2)
    assert outcomes.edit_distance("abcd", "wxyz") == 1.0


@pytest.mark.django_db
def test_a_sent_reply_leaves_one_label(inquiry, agent):
    services.send_answer(inquiry, actor=agent, text=DRAFT, version=0)
    row = Outcome.objects.get()
    assert (row.ai_category, row.category, row.category_touched) == ("Soporte Técnico", "Soporte Técnico", False)
    assert (row.engine, row.draft_use, row.edit_distance) == ("embedded", DraftUse.UNCHANGED, 0.0)
    assert (row.actor, row.inquiry, row.confidence) == (agent, inquiry, 0.83)


@pytest.mark.django_db
def test_a_corrected_inquiry_leaves_both_values(inquiry, agent, categories):
    inquiry = services.correct_category(inquiry, actor=agent, category=categories["Reclamo"])
    inquiry = services.correct_sentiment(inquiry, actor=agent, sentiment=Sentiment.NEUTRAL)
    services.send_answer(inquiry, actor=agent, text=DRAFT, version=0)
    row = Outcome.objects.get()
    assert (row.ai_category, row.category, row.category_touched) == ("Soporte Técnico", "Reclamo", True)
    assert (row.ai_sentiment, row.sentiment, row.sentiment_touched) == ("Negativo", "Neutral", True)


@pytest.mark.django_db
def test_a_reply_without_any_analysis_is_a_label_too(make_inquiry, agent):
    inquiry = make_inquiry()
    services.send_answer(inquiry, actor=agent, text="Hola", version=0)
    row = Outcome.objects.get()
    assert (row.ai_category, row.engine, row.draft_use) == ("", "", DraftUse.NONE)


@pytest.mark.django_db
def test_the_label_outlives_the_inquiry(inquiry, agent):
    services.send_answer(inquiry, actor=agent, text=DRAFT, version=0)
    inquiry.delete()
    assert Outcome.objects.get().inquiry is None
