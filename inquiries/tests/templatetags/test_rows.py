"""Rows out of a pattern and badges that are kept: they say what the inquiry says, whoever asked before."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import get_template
from django.utils import timezone, translation

from inquiries import services
from inquiries.models import Inquiry, SiteSettings
from inquiries.states import AIReason, AnalysisState, Sentiment, Status
from inquiries.templatetags import rows
from inquiries.tests import factories

pytestmark = pytest.mark.django_db


def drawn(inquiry: Inquiry) -> str:
    return rows.inbox_rows([Inquiry.objects.for_queue().get(pk=inquiry.pk)])


def test_what_a_customer_wrote_is_text_and_never_a_place_of_the_pattern(make_inquiry):
    inquiry = make_inquiry(
        customer_name="{pk} %(ai)s <b>\ue000status\ue001",
        email="{status}@example.com",
        message='{age}{} {{ row.ai }} <script>"x"</script>',
    )
    html = drawn(inquiry)
    assert "{pk} %(ai)s &lt;b&gt;\ue000status\ue001" in html
    assert "{status}@example.com" in html
    assert "{age}{} {{ row.ai }} &lt;script&gt;&quot;x&quot;&lt;/script&gt;" in html


def test_every_place_of_the_pattern_is_filled(inquiry):
    html = drawn(inquiry)
    assert not re.search("[{}\ue000\ue001]", html)
    assert f'id="inquiry-{inquiry.pk}"' in html
    assert f'href="{inquiry.get_absolute_url()}"' in html
    assert f"#{inquiry.pk}<" in html


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ai_state": AnalysisState.QUEUED, "ai_error": AIReason.TIMEOUT},
        {"ai_state": AnalysisState.RUNNING, "ai_started_at": datetime(2026, 5, 1, 10, 20, 30, tzinfo=UTC)},
        {"ai_state": AnalysisState.FAILED, "ai_error": AIReason.QUOTA},
        {"ai_state": AnalysisState.SKIPPED, "ai_error": AIReason.DISABLED},
        {"is_provisional": True, "ai_error": AIReason.UNREACHABLE},
        {"engine": "openai", "model": "gpt-5-mini", "confidence": 0.4962},
        {"engine": "openai", "model": "", "confidence": None},
        {"category": None},
        {"category_by_person": True, "sentiment_by_person": True, "sentiment": Sentiment.POSITIVE},
        {"sentiment": None, "status": Status.CLOSED},
    ],
)
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_badge_is_what_its_template_draws_for_the_inquiry_itself(make_inquiry, categories, fields, language):
    fields = dict(fields)
    inquiry = make_inquiry(analysed=True, **fields)
    with translation.override(language):
        html = drawn(inquiry)
        for name in ("category", "sentiment", "ai", "status"):
            whole = get_template(f"inquiries/_{name}_badge.html").render({"inquiry": inquiry}).strip()
            assert whole in html, name


def test_a_badge_follows_the_threshold_the_language_and_the_zone(make_inquiry):
    read = make_inquiry(analysed=True, confidence=0.6)
    running = make_inquiry(ai_state=AnalysisState.RUNNING, ai_started_at=datetime(2026, 5, 1, 10, 20, 30, tzinfo=UTC))
    assert "ai-done-medium" in drawn(read)
    settings = SiteSettings.current()
    settings.review_threshold = 0.7
    settings.save()
    assert "ai-done-low" in drawn(read)
    assert "10:20:30" in drawn(running)
    with timezone.override("America/Bogota"):
        assert "05:20:30" in drawn(running)
    with translation.override("en"):
        assert "since 05" not in drawn(running)
        assert "since 10:20:30" in drawn(running)


def test_a_renamed_category_shows_at_once(inquiry):
    assert "Soporte Técnico" in drawn(inquiry)
    inquiry.category.name, inquiry.category.colour = "Ayuda", "rosa"
    inquiry.category.save()
    html = drawn(inquiry)
    assert "Ayuda" in html
    assert "cat-rosa" in html
    assert "Soporte Técnico" not in html


@pytest.mark.parametrize(
    ("confidence", "level"), [(0.4962, "low"), (0.5, "medium"), (0.7449, "medium"), (0.75, "high")]
)
def test_a_level_is_never_rounded_up(make_inquiry, confidence, level):
    html = drawn(make_inquiry(analysed=True, confidence=confidence))
    assert f"ai-done-{level}" in html
    assert f"{round(confidence * 100)} %" in html


def test_marks_are_for_doubt_while_it_waits_and_for_suspicion(make_inquiry):
    marked = drawn(make_inquiry(analysed=True, needs_review=True, flags=["suspicious"]))
    assert "Por revisar" in marked
    assert "Sospechosa" in marked
    over = drawn(make_inquiry(analysed=True, needs_review=True, status=Status.ANSWERED))
    assert "Por revisar" not in over
    assert "Sospechosa" not in over


def test_badges_are_drawn_once_and_hold_nothing_of_a_customer(make_inquiry):
    first, second = (make_inquiry(analysed=True, customer_name=name) for name in ("Ana", "Bruno"))
    drawn(first)
    known = rows._badge.cache_info().misses
    assert "Bruno" in drawn(second)
    assert rows._badge.cache_info().misses == known


def test_a_row_for_an_open_page_replaces_the_one_there(inquiry):
    there, gone = rows.inbox_row(inquiry), rows.inbox_row(inquiry, is_gone=True)
    for html in (there, gone):
        assert 'hx-swap-oob="morph"' in html
    assert "is-gone" not in there
    assert "is-gone" in gone
    assert "ya no está en esta lista" in gone


def test_ages_and_dates_are_those_of_the_reader(make_inquiry):
    inquiry = make_inquiry(created_at=datetime(2026, 5, 1, 3, 4, 5, tzinfo=UTC))
    assert 'datetime="2026-05-01T03:04:05+00:00"' in drawn(inquiry)
    assert "1 de mayo de 2026" in drawn(inquiry)
    with translation.override("en"), timezone.override("America/Bogota"):
        assert "April 30, 2026, 10:04 p.m." in drawn(inquiry)
    young = make_inquiry(created_at=timezone.now() - timedelta(hours=3))
    assert ">3 h</time>" in drawn(young)


# --- a customer who wrote again ---
def wrote_again(inquiry: Inquiry) -> bool:
    with translation.override("en"):
        return "Wrote again" in drawn(inquiry)


def test_a_customer_who_wrote_again_is_marked_until_somebody_answers(inquiry, agent):
    assert not wrote_again(inquiry)
    services.follow_up(inquiry, text="Sigue igual.", key="k1")
    assert wrote_again(inquiry)
    factories.answer(Inquiry.objects.get(pk=inquiry.pk), actor=agent, text="Listo.")
    assert not wrote_again(inquiry)
    services.reopen(Inquiry.objects.get(pk=inquiry.pk), actor=agent)
    assert not wrote_again(inquiry)
    services.follow_up(inquiry, text="Otra vez.", key="k2")
    assert wrote_again(inquiry)


def test_what_came_while_an_answer_could_be_taken_back_is_marked(inquiry, agent):
    """It is younger than the click on “send”, although the answer left later."""
    services.send_answer(inquiry, actor=agent, text="Listo.", version=0)
    services.follow_up(inquiry, text="Sigue igual.", key="k1")
    assert wrote_again(inquiry)


@pytest.mark.parametrize("status", [Status.SPAM, Status.CLOSED])
def test_what_waits_for_nobody_is_not_marked(make_inquiry, status):
    assert not wrote_again(make_inquiry(status=status, followed_up_at=timezone.now()))
