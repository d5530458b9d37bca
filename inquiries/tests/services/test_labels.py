from __future__ import annotations

import pytest

from inquiries import services
from inquiries.models import (
    Category,
    Correction,
    Inquiry,
    StaleInquiry,
)
from inquiries.states import (
    EventKind,
    Purpose,
    Sentiment,
    Status,
)
from inquiries.tests.services.helpers import kinds

pytestmark = pytest.mark.django_db


def test_a_corrected_category_is_kept_as_a_label(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    label = Correction.objects.get()
    assert (fresh.category.name, fresh.category_by_person, fresh.status) == ("Ventas", True, Status.OPEN)
    assert (label.ai_value, label.human_value, label.actor) == ("Soporte Técnico", "Ventas", agent)
    assert (label.engine, label.model, label.prompt_version) == ("embedded", "use-m3", "1")
    assert kinds(inquiry) == [EventKind.CATEGORY, EventKind.STATUS]


def test_the_ais_own_value_is_confirmed(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Soporte Técnico"])
    assert fresh.category_by_person
    assert kinds(inquiry)[0] == EventKind.CONFIRMED
    assert Correction.objects.get().ai_value == Correction.objects.get().human_value


def test_the_same_correction_twice_is_one_label(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    services.correct_category(fresh, actor=agent, category=categories["Ventas"])
    assert Correction.objects.count() == 1


def test_two_people_who_correct_at_once_do_not_overwrite_each_other(inquiry, agent, other_agent, categories):
    stale = Inquiry.objects.get(pk=inquiry.pk)
    services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    with pytest.raises(StaleInquiry):
        services.correct_category(stale, actor=other_agent, category=categories["Reclamo"])
    inquiry.refresh_from_db()
    assert inquiry.category.name == "Ventas"
    assert Correction.objects.count() == 1


def test_a_category_can_be_set_before_the_analysis(make_inquiry, agent, categories):
    fresh = services.correct_category(make_inquiry(), actor=agent, category=categories["Ventas"])
    assert fresh.category.name == "Ventas"
    assert Correction.objects.get().ai_value == ""


def test_a_corrected_sentiment_can_be_undone(inquiry, agent):
    fresh = services.correct_sentiment(inquiry, actor=agent, sentiment=Sentiment.POSITIVE)
    assert (fresh.sentiment, fresh.sentiment_by_person) == ("Positivo", True)
    fresh = services.undo_correction(fresh, actor=agent, field="sentiment")
    assert (fresh.sentiment, fresh.sentiment_by_person) == ("Negativo", False)
    with pytest.raises(services.NothingToUndo):
        services.undo_correction(fresh, actor=agent, field="sentiment")


def test_undoing_goes_back_one_correction_at_a_time(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    fresh = services.correct_category(fresh, actor=agent, category=categories["Reclamo"])
    fresh = services.undo_correction(fresh, actor=agent, field="category")
    assert (fresh.category.name, fresh.category_by_person) == ("Ventas", True)
    fresh = services.undo_correction(fresh, actor=agent, field="category")
    assert (fresh.category.name, fresh.category_by_person) == ("Soporte Técnico", False)


def test_undoing_gives_what_the_ai_says_by_now(inquiry, agent, categories):
    from inquiries.tests.factories import make_analysis

    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    make_analysis(inquiry, category="Reclamo", category_row=categories["Reclamo"], purpose=Purpose.REDO)
    fresh = services.undo_correction(fresh, actor=agent, field="category")
    assert (fresh.category.name, fresh.category_by_person) == ("Reclamo", False)


def test_undoing_survives_a_renamed_category(inquiry, agent, categories):
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    Category.objects.filter(name="Soporte Técnico").update(name="Soporte")
    assert services.undo_correction(fresh, actor=agent, field="category").category.name == "Soporte"


def test_undoing_to_a_category_that_is_gone_is_refused(make_inquiry, agent, categories):
    gone = Category.objects.create(name="Pasajera")
    inquiry = make_inquiry(analysed=True, category=gone)
    fresh = services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    gone.delete()
    with pytest.raises(services.NothingToUndo):
        services.undo_correction(fresh, actor=agent, field="category")
    assert Inquiry.objects.get().category.name == "Ventas"


def test_undoing_brings_the_doubt_back(make_inquiry, agent, categories):
    doubtful = make_inquiry(analysed=True, confidence=0.2, needs_review=True)
    fresh = services.correct_category(doubtful, actor=agent, category=categories["Ventas"])
    assert not fresh.needs_review
    assert services.undo_correction(fresh, actor=agent, field="category").needs_review
