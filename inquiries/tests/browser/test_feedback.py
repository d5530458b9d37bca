"""What an agent is told, and where the focus goes, after each action."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from inquiries import services
from inquiries.models import Inquiry, Message
from inquiries.states import AnalysisState, EventKind
from inquiries.tables import PER_PAGE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 740}


def test_on_a_phone_each_action_is_answered_within_sight(open_context, agent, make_inquiry, categories, watch):
    watch.expected = {422}
    inquiry = make_inquiry(analysed=True, suggested_reply="", message="Palabras. " * 200)
    page = open_context(agent, viewport=PHONE).new_page()
    page.goto(inquiry.get_absolute_url())
    page.locator("#send-button").click()
    expect(page.locator("#reply-error .message-error")).to_be_in_viewport()
    page.locator("#category-form button", has_text="Reclamo").click()
    expect(page.locator("#messages .message-success")).to_be_in_viewport(ratio=1)
    expect(page.locator("#reply-error .message-error")).to_have_count(0)
    page.locator("#messages [data-dismiss]").click()
    expect(page.locator("#messages .message")).to_have_count(0)
    page.fill("#reply", "Listo.")
    page.locator("#send-button").click()
    expect(page.locator("#messages .message-success")).to_be_in_viewport(ratio=1)


def test_the_first_save_shows_the_inquiry_as_open(agent_page: Page, inquiry):
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.fill("#reply", "Hola")
    expect(agent_page.locator("#head .status-open")).to_be_visible()
    assert inquiry.events.filter(kind=EventKind.REPLY).exists()
    expect(agent_page.locator("#history li")).to_have_count(2 + inquiry.events.count())
    expect(agent_page.locator("#reply")).to_be_focused()
    agent_page.locator("#spam-form button").click()  # what was swapped in still speaks htmx
    expect(agent_page.locator("#head .status-spam")).to_be_visible()


def test_a_text_that_is_too_long_is_not_cut_and_says_why(agent_page: Page, inquiry, watch):
    watch.expected = {422}
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.fill("#reply", "x" * 20_001)
    expect(agent_page.locator("#reply-error")).to_contain_text(re.compile(r"20\W000"))
    assert len(agent_page.input_value("#reply")) == 20_001
    agent_page.fill("#reply", "corto")
    expect(agent_page.locator("#reply-error .message")).to_have_count(0)


@pytest.mark.parametrize("action", ["type", "send", "close"])
def test_an_inquiry_that_somebody_ended_says_who_and_keeps_the_text(
    agent_page: Page, inquiry, other_agent, watch, action
):
    watch.expected = {409}
    page = agent_page
    page.goto(inquiry.get_absolute_url())
    services.close(inquiry, actor=other_agent)
    if action == "type":
        page.fill("#reply", "Texto mío")
    elif action == "send":
        page.locator("#send-button").click()
    else:
        page.locator("#close-menu summary").click()
        page.locator("#close-menu button").click()
    expect(page.locator("#conflict")).to_contain_text("colega")
    expect(page.locator("#head .status-closed")).to_be_visible()
    expect(page.locator("#save-state")).to_have_text(page.locator("#reply-form").get_attribute("data-over") or "?")
    expect(page.locator("#reply")).not_to_be_editable()
    expect(page.locator(".editor-bar")).to_be_hidden()
    assert not Message.objects.exists()
    page.locator("#conflict [data-choose=theirs]").click()
    expect(page.locator("#reopen-form")).to_be_visible()
    expect(page.locator("#reply")).to_have_count(0)


def test_sending_during_a_conflict_leads_to_the_choice(agent_page: Page, inquiry, other_agent, watch):
    watch.expected = {409}
    page = agent_page
    page.goto(inquiry.get_absolute_url())
    services.save_reply(inquiry, actor=other_agent, text="Texto de la colega", version=0)
    page.fill("#reply", "Texto mío")
    expect(page.locator(".differences mark")).to_have_text(["Texto mío", "Texto de la colega"])
    expect(page.locator("#reply")).to_be_focused()
    page.locator("#send-button").click()
    expect(page.locator('#notices [data-key="conflict"]')).to_be_visible()
    expect(page.locator(".conflict")).to_be_focused()
    assert not Message.objects.exists()


def test_a_menu_that_is_shut_gives_the_focus_back(agent_page: Page, inquiry):
    agent_page.goto(inquiry.get_absolute_url())
    summary = agent_page.locator("#close-menu summary")
    summary.click()
    agent_page.locator("#close-menu button").focus()
    agent_page.keyboard.press("Escape")
    expect(agent_page.locator("#close-menu button")).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_focus_stays_in_the_region_when_its_element_goes(agent_page: Page, make_inquiry, inquiry, agent):
    page = agent_page
    services.correct_category(inquiry, actor=agent, category=inquiry.category)
    page.goto(inquiry.get_absolute_url())
    page.locator("#undo-category button").press("Enter")
    expect(page.locator("#undo-category")).to_have_count(0)
    expect(page.locator("#ai-title")).to_be_focused()
    for _ in range(PER_PAGE):
        make_inquiry()
    page.goto("/bandeja/?q=cuenta")
    page.locator("a[rel=next]").press("Enter")
    expect(page.locator("a[rel=prev]")).to_be_visible()
    expect(page.locator(".inbox-table")).to_be_focused()
    page.locator("#filters .btn-text").press("Enter")
    expect(page.locator("#filters .btn-text")).to_have_count(0)
    expect(page.locator(".inbox-table")).to_be_focused()
    new = make_inquiry()
    page.locator("#new-bar a").press("Enter")
    expect(page.locator(f"#inquiry-{new.pk}")).to_be_visible()
    expect(page.locator(".inbox-table")).to_be_focused()


def test_a_retry_in_the_monitor_leaves_the_focus_with_the_errors(open_context, supervisor, make_inquiry):
    failed: Inquiry = make_inquiry(ai_state=AnalysisState.FAILED, ai_error="quota")
    page = open_context(supervisor).new_page()
    page.goto("/monitor/")
    page.locator(f"#retry-{failed.pk}").press("Enter")
    expect(page.locator(f"#retry-{failed.pk}")).to_have_count(0)
    expect(page.locator("#errors-title")).to_be_focused()
