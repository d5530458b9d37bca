from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from inquiries import services
from inquiries.models import Inquiry
from inquiries.states import AnalysisState, Sentiment, Source, Status

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def submit(name: str = "Nadia Ruiz") -> Inquiry:
    return services.submit(
        customer_name=name, email="nadia@example.com", message="¿Cuánto cuesta el plan anual?", source=Source.FORM
    ).inquiry


def test_an_inquiry_appears_by_polling_and_gets_its_badges_in_place(agent_page: Page, inquiry, analyse, check_axe):
    page = agent_page
    page.goto("/bandeja/")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.evaluate("window.stillTheSamePage = true")
    arrived = submit()
    bar = page.locator("#new-bar a")
    expect(bar).to_contain_text("1")
    another = submit("Otra Persona")
    expect(bar).to_contain_text("2")
    check_axe(page)
    bar.click()
    expect(page.locator(f"#inquiry-{another.pk}")).to_be_visible()
    row = page.locator(f"#inquiry-{arrived.pk}")
    expect(row).to_contain_text("Nadia Ruiz")
    expect(row.locator(".ai-queued")).to_be_visible()
    expect(bar).to_have_count(0)
    row.evaluate("(row) => { row.dataset.mark = 'kept'; }")
    analyse(arrived)
    expect(row.locator(".tag", has_text="Ventas")).to_be_visible()
    expect(row.locator(".sentiment-neutral")).to_be_visible()
    expect(row.locator(".ai-done-high")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(3)
    check_axe(page)
    assert page.evaluate("window.stillTheSamePage")


def test_a_row_that_no_longer_matches_stays_until_the_list_is_loaded_again(agent_page: Page, make_inquiry, agent):
    first, second = make_inquiry(analysed=True), make_inquiry(analysed=True)
    agent_page.goto("/bandeja/")
    services.close(first, actor=agent)
    row = agent_page.locator(f"#inquiry-{first.pk}")
    expect(row).to_have_class(re.compile("is-gone"))
    expect(agent_page.locator("tbody tr").first).to_have_attribute("id", f"inquiry-{first.pk}")
    expect(agent_page.locator("#tab-closed .count")).to_have_text("1")
    agent_page.reload()
    expect(row).to_have_count(0)
    expect(agent_page.locator(f"#inquiry-{second.pk}")).to_be_visible()


def test_filter_sort_and_the_way_back(agent_page: Page, make_inquiry):
    page = agent_page
    make_inquiry(analysed=True, customer_name="Ana", sentiment=Sentiment.NEGATIVE)
    make_inquiry(analysed=True, customer_name="Bruno", sentiment=Sentiment.POSITIVE)
    make_inquiry(analysed=True, customer_name="Clara", sentiment=Sentiment.NEGATIVE)
    page.goto("/bandeja/")
    names = page.locator("tbody .row-link")
    expect(names).to_have_text(["Ana", "Bruno", "Clara"])
    page.evaluate("window.stillTheSamePage = true")
    page.select_option("#filter-sentiment", "Negativo")
    expect(names).to_have_text(["Ana", "Clara"])
    expect(page).to_have_url(re.compile(r"/bandeja/\?sentiment=Negativo$"))
    page.locator("th.col-received a").click()
    expect(names).to_have_text(["Clara", "Ana"])
    expect(page.locator("th.col-received")).to_have_attribute("aria-sort", "descending")
    assert page.evaluate("window.stillTheSamePage")
    page.go_back()
    expect(names).to_have_text(["Ana", "Clara"])
    expect(page.locator("#filter-sentiment")).to_have_value("Negativo")
    expect(page.locator(".topbar")).to_be_visible()
    page.go_back()
    expect(names).to_have_text(["Ana", "Bruno", "Clara"])
    expect(page.locator("#filter-sentiment")).to_have_value("")


def test_typing_in_the_search_keeps_the_focus(agent_page: Page, make_inquiry):
    make_inquiry(customer_name="Ana", message="El avión no salió")
    make_inquiry(customer_name="Bruno", message="Quiero una factura")
    agent_page.goto("/bandeja/")
    search = agent_page.locator("#filter-q")
    search.press_sequentially("avion", delay=60)
    expect(agent_page.locator("tbody .row-link")).to_have_text(["Ana"])
    expect(search).to_be_focused()
    expect(search).to_have_value("avion")
    agent_page.locator("tbody .row-link").click()
    agent_page.locator("[data-back]").click()
    expect(agent_page).to_have_url(re.compile(r"\?q=avion$"))
    expect(agent_page.locator("tbody .row-link")).to_have_text(["Ana"])


def test_the_list_works_without_javascript(open_context, agent, make_inquiry):
    make_inquiry(customer_name="Ana", status=Status.NEW)
    make_inquiry(customer_name="Bruno", status=Status.CLOSED)
    page = open_context(agent, java_script_enabled=False).new_page()
    page.goto("/bandeja/")
    page.fill("#filter-q", "cuenta")
    page.locator("#filters button[type=submit]").click()
    expect(page.locator("tbody .row-link")).to_have_text(["Ana"])
    page.locator("#tab-all").click()
    expect(page.locator("tbody .row-link")).to_have_text(["Ana", "Bruno"])
    page.locator("th.col-received a").click()
    expect(page.locator("tbody .row-link")).to_have_text(["Bruno", "Ana"])


def test_a_lost_connection_is_said_and_ends_by_itself(agent_page: Page, inquiry, agent, watch):
    watch.is_offline = True
    agent_page.goto("/bandeja/")
    agent_page.context.set_offline(True)
    expect(agent_page.locator('#notices [data-key="connection"]')).to_be_visible()
    agent_page.context.set_offline(False)
    expect(agent_page.locator('#notices [data-key="connection"]')).to_have_count(0)
    services.correct_sentiment(inquiry, actor=agent, sentiment=Sentiment.POSITIVE)
    expect(agent_page.locator(".sentiment-positive")).to_be_visible()


def test_a_hidden_tab_rests_and_asks_at_once_when_it_comes_back(agent_page: Page, inquiry):
    polls: list[str] = []
    agent_page.on("request", lambda request: polls.append(request.url) if "novedades" in request.url else None)
    agent_page.goto("/bandeja/")
    hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s});"
    agent_page.evaluate(hide % "true")
    agent_page.wait_for_timeout(500)
    polls.clear()
    agent_page.wait_for_timeout(3500)
    assert polls == []
    with agent_page.expect_request("**/novedades/**", timeout=1500):
        agent_page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'));")


def test_a_session_that_ended_leads_to_the_sign_in(agent_page: Page, inquiry, watch):
    watch.expected = {401}
    agent_page.goto("/bandeja/?sentiment=Negativo")
    agent_page.context.clear_cookies()
    agent_page.wait_for_url("**/entrar/?next=/bandeja/%3Fsentiment%3DNegativo")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_it_is_accessible_and_fits_a_phone(
    open_context, live_server, agent, make_inquiry, check_axe, watch, theme, language
):
    watch.expected = {422}
    for confidence in (0.9, 0.6, 0.2):
        make_inquiry(analysed=True, confidence=confidence, needs_review=confidence < 0.5)
    make_inquiry(analysed=True, is_provisional=True, ai_error="timeout", category_id=None)
    for state in (AnalysisState.FAILED, AnalysisState.SKIPPED, AnalysisState.RUNNING, AnalysisState.QUEUED):
        make_inquiry(ai_state=state, ai_error="quota", customer_name="x" * 120, message="y" * 300)
    context = open_context(agent, color_scheme=theme)
    context.add_cookies([{"name": "pok_language", "value": language, "url": live_server.url}])
    page = context.new_page()
    page.goto("/bandeja/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
    check_axe(page)
    page.locator(".more-filters summary").click()
    check_axe(page)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    check_axe(page)
    page.goto("/bandeja/?created_after=x&status=all")
    check_axe(page)


def test_the_theme_is_chosen_and_kept(agent_page: Page):
    agent_page.goto("/bandeja/")
    agent_page.select_option("#theme", "dark")
    expect(agent_page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    agent_page.reload()
    expect(agent_page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(agent_page.locator("#theme")).to_have_value("dark")


def test_the_language_is_chosen_in_the_footer(agent_page: Page):
    agent_page.goto("/bandeja/?status=all")
    agent_page.get_by_role("button", name="English").click()
    expect(agent_page.locator("html")).to_have_attribute("lang", "en")
    expect(agent_page).to_have_url(re.compile(r"/bandeja/\?status=all$"))
