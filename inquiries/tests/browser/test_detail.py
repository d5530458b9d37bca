from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from inquiries import services
from inquiries.models import Category, Inquiry
from inquiries.states import AnalysisState, Sentiment, Status

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DRAFT = "Hola Juana, lamentamos lo ocurrido."


def fresh(inquiry: Inquiry) -> Inquiry:
    return Inquiry.objects.get(pk=inquiry.pk)


def saved(page: Page) -> None:
    expect(page.locator("#save-state")).to_contain_text(":")  # "Saved at 10:32:05"


def test_a_late_draft_appears_in_an_untouched_editor(agent_page: Page, make_inquiry, categories, analyse):
    inquiry = make_inquiry()
    agent_page.goto(inquiry.get_absolute_url())
    expect(agent_page.locator("#reply")).to_have_value("")
    expect(agent_page.locator("#ai .ai-queued")).to_be_visible()
    analyse(inquiry, reply="Hola, esto propone la IA.", category="Ventas")
    expect(agent_page.locator("#reply")).to_have_value("Hola, esto propone la IA.")
    expect(agent_page.locator("#category-form [aria-pressed=true]")).to_have_text("Ventas")
    expect(agent_page.locator("#ai .ai-done")).to_be_visible()
    expect(agent_page.locator("#poller")).not_to_have_attribute("hx-trigger", "every 2s, wake")


def test_polling_keeps_focus_and_text_and_offers_the_late_draft(agent_page: Page, make_inquiry, categories, analyse):
    page, inquiry = agent_page, make_inquiry()
    page.goto(inquiry.get_absolute_url())
    reply = page.locator("#reply")
    reply.press_sequentially("Estimada Juana, ya ")
    page.evaluate("document.getElementById('reply').setSelectionRange(3, 3)")
    analyse(inquiry, reply="Hola, esto propone la IA.")
    expect(page.locator("#ai .ai-done")).to_be_visible()
    expect(reply).to_be_focused()
    expect(reply).to_have_value("Estimada Juana, ya ")
    assert page.evaluate("document.getElementById('reply').selectionStart") == 3
    page.locator("#draft-button").click()
    expect(reply).to_have_value("Hola, esto propone la IA.")
    expect(page.locator("#local-copy-text")).to_have_text("Estimada Juana, ya ")
    page.locator("[data-copy=use]").click()
    expect(reply).to_have_value("Estimada Juana, ya ")


def test_what_is_typed_is_saved_by_itself(agent_page: Page, inquiry):
    agent_page.goto(inquiry.get_absolute_url())
    reply = agent_page.locator("#reply")
    expect(reply).to_have_value(DRAFT)
    reply.fill("Hola Juana:\n\nya está.")
    saved(agent_page)
    reply.press("End")
    reply.press_sequentially(" Saludos.")
    saved(agent_page)
    assert agent_page.evaluate("localStorage.length") == 0
    assert fresh(inquiry).reply == "Hola Juana:\n\nya está. Saludos."
    agent_page.reload()
    expect(reply).to_have_value("Hola Juana:\n\nya está. Saludos.")
    agent_page.locator("#draft-button").click()
    expect(reply).to_have_value(DRAFT)
    assert fresh(inquiry).reply is None


def test_leaving_the_page_saves(agent_page: Page, inquiry):
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.fill("#reply", "A medio escribir")
    agent_page.locator("a.back").click()
    agent_page.wait_for_url("**/bandeja/")
    agent_page.goto(inquiry.get_absolute_url())
    expect(agent_page.locator("#reply")).to_have_value("A medio escribir")


@pytest.mark.parametrize("choice", ["mine", "theirs", "edit"])
def test_two_agents_and_one_reply(open_context, agent, other_agent, inquiry, watch, choice):
    watch.expected = {409}
    mine, theirs = open_context(agent).new_page(), open_context(other_agent).new_page()
    for page in (mine, theirs):
        page.goto(inquiry.get_absolute_url())
    theirs.fill("#reply", "Texto de la colega")
    saved(theirs)
    mine.fill("#reply", "Texto mío")
    expect(mine.locator("#conflict-theirs")).to_have_value("Texto de la colega")
    expect(mine.locator("#conflict-mine")).to_have_value("Texto mío")
    expect(mine.locator("#conflict")).to_contain_text("colega")
    assert fresh(inquiry).reply == "Texto de la colega"
    mine.locator(f"[data-choose={choice}]").click()
    expect(mine.locator(".conflict")).to_have_count(0)
    if choice == "edit":
        mine.locator("#reply").press("End")
        mine.locator("#reply").press_sequentially(", seguido")
    if choice != "theirs":
        saved(mine)
    expected = {"mine": "Texto mío", "theirs": "Texto de la colega", "edit": "Texto mío, seguido"}[choice]
    expect(mine.locator("#reply")).to_have_value(expected)
    assert fresh(inquiry).reply == expected


def test_a_lost_session_loses_no_text(open_context, live_server, agent, inquiry, watch):
    watch.expected = {401}
    page = open_context(agent).new_page()
    page.goto(inquiry.get_absolute_url())
    cookies = page.context.cookies()
    page.context.clear_cookies(name="sessionid")
    page.fill("#reply", "Escrito sin sesión")
    expect(page.locator("#save-state a")).to_have_attribute("href", f"/entrar/?next=/bandeja/{inquiry.pk}/")
    page.context.add_cookies(cookies)
    page.reload()
    expect(page.locator("#reply")).to_have_value(DRAFT)
    expect(page.locator("#local-copy-text")).to_have_text("Escrito sin sesión")
    page.locator("[data-copy=use]").click()
    saved(page)
    assert fresh(inquiry).reply == "Escrito sin sesión"


def test_an_outage_is_said_and_the_text_saved_afterwards(agent_page: Page, inquiry, watch):
    watch.is_offline = True
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.context.set_offline(True)
    agent_page.fill("#reply", "Escrito sin conexión")
    agent_page.wait_for_timeout(1300)
    state = agent_page.locator("#save-state")
    expect(state).to_have_text(agent_page.locator("#reply-form").get_attribute("data-retrying") or "?")
    agent_page.context.set_offline(False)
    saved(agent_page)
    assert fresh(inquiry).reply == "Escrito sin conexión"


def test_labels_are_corrected_in_one_click_and_taken_back(agent_page: Page, inquiry, check_axe):
    page = agent_page
    page.goto(inquiry.get_absolute_url())
    page.fill("#reply", "Texto a medias")
    page.locator("#category-form button", has_text="Reclamo").click()
    expect(page.locator("#category-form [aria-pressed=true]")).to_have_text("Reclamo")
    expect(page.locator("#messages")).to_contain_text("Reclamo")
    expect(page.locator("#history")).to_contain_text("agente")
    page.locator("#sentiment-form button", has_text="Positivo").click()
    expect(page.locator("#sentiment-form [aria-pressed=true]")).to_have_text("Positivo")
    expect(page.locator("#reply")).to_have_value("Texto a medias")
    page.locator("#undo-category button").click()
    expect(page.locator("#category-form [aria-pressed=true]")).to_have_text("Soporte Técnico")
    check_axe(page)
    now = fresh(inquiry)
    assert (now.category, now.sentiment) == (Category.objects.get(name="Soporte Técnico"), Sentiment.POSITIVE)


def test_an_empty_reply_is_refused_with_words(agent_page: Page, make_inquiry, watch):
    watch.expected = {422}
    inquiry = make_inquiry(ai_state=AnalysisState.FAILED, ai_error="quota")
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.locator("#send-button").click()
    expect(agent_page.locator("#reply-error .message-error")).to_be_in_viewport()
    assert fresh(inquiry).status == Status.NEW


def test_the_focus_of_a_button_can_be_seen(agent_page: Page, inquiry):
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.keyboard.press("Tab")  # what takes the focus after a key is :focus-visible
    buttons = agent_page.locator("#head .btn:visible").all()
    assert buttons
    for button in buttons:
        button.focus()
        assert button.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_a_retry_wakes_the_poller(agent_page: Page, make_inquiry, categories, analyse):
    inquiry = make_inquiry(ai_state=AnalysisState.FAILED, ai_error="quota")
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.locator("#retry-form button").click()
    expect(agent_page.locator("#ai .ai-queued")).to_be_visible()
    analyse(inquiry)
    expect(agent_page.locator("#ai .ai-done")).to_be_visible()
    expect(agent_page.locator("#reply")).to_have_value("Hola, con gusto le contamos.")


def test_closing_spam_and_back(agent_page: Page, inquiry):
    page = agent_page
    page.goto(inquiry.get_absolute_url())
    page.locator("#close-menu summary").click()
    page.fill("#close-reason", "Ya lo resolvió por teléfono")
    page.locator("#close-menu button").click()
    expect(page.locator("#head .status-closed")).to_be_visible()
    expect(page.locator("#history")).to_contain_text("Ya lo resolvió por teléfono")
    page.locator("#reopen-form button").click()
    expect(page.locator("#head .status-open")).to_be_visible()
    page.locator("#spam-form button").click()
    expect(page.locator("#head .status-spam")).to_be_visible()
    page.locator("#spam-form button").click()
    expect(page.locator("#reply")).to_have_value(DRAFT)


def test_a_stale_page_is_told_so(agent_page: Page, inquiry, other_agent, watch):
    watch.expected = {409}
    agent_page.goto(inquiry.get_absolute_url())
    services.close(inquiry, actor=other_agent)
    agent_page.locator("#close-menu summary").click()
    agent_page.locator("#close-menu button").click()
    expect(agent_page.locator("#messages .message-error")).to_be_visible()
    expect(agent_page.locator("#head .status-closed")).to_be_visible()


def test_it_works_without_javascript(open_context, agent, inquiry):
    page = open_context(agent, java_script_enabled=False).new_page()
    page.goto(inquiry.get_absolute_url())
    page.locator("#category-form button", has_text="Reclamo").click()
    expect(page.locator("#category-form [aria-pressed=true]")).to_have_text("Reclamo")
    page.fill("#reply", "Primera versión")
    page.locator("#reply-form button.no-js").click()
    expect(page.locator("#messages .message-success")).to_be_visible()
    page.fill("#reply", "Listo, Juana.")
    page.locator("#send-button").click()
    expect(page.locator(".answer")).to_contain_text("Listo, Juana.")
    assert fresh(inquiry).status == Status.ANSWERED


def test_a_conflict_without_javascript(open_context, agent, other_agent, inquiry, watch):
    watch.expected = {409}
    page = open_context(agent, java_script_enabled=False).new_page()
    page.goto(inquiry.get_absolute_url())
    services.save_reply(inquiry, actor=other_agent, text="Texto de la colega", version=0)
    page.fill("#reply", "Texto mío")
    page.locator("#reply-form button.no-js").click()
    expect(page.locator("#conflict-theirs")).to_have_value("Texto de la colega")
    page.locator("#keep-mine button").first.click()
    expect(page.locator("#reply")).to_have_value("Texto mío")
    assert fresh(inquiry).reply == "Texto mío"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_it_is_accessible_and_fits_a_phone(
    open_context, live_server, agent, other_agent, make_inquiry, check_axe, watch, theme, language
):
    watch.expected = {409}
    inquiry = make_inquiry(
        analysed=True,
        customer_name="X" * 120,
        message="No funciona. https://example.com/" + "y" * 400 + "\n" + "Palabras. " * 900,
        needs_review=True,
        is_provisional=True,
        ai_error="timeout",
    )
    services.correct_sentiment(inquiry, actor=agent, sentiment=Sentiment.NEUTRAL)
    context = open_context(agent, color_scheme=theme)
    context.add_cookies([{"name": "pok_language", "value": language, "url": live_server.url}])
    page = context.new_page()
    page.goto(inquiry.get_absolute_url())
    check_axe(page)
    page.locator("#close-menu summary").click()
    check_axe(page)
    services.save_reply(inquiry, actor=other_agent, text="Texto de la colega", version=0)
    page.keyboard.press("Escape")
    page.fill("#reply", "Texto mío")
    expect(page.locator(".conflict")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    check_axe(page)
    answered = make_inquiry(analysed=True, status=Status.OPEN)
    services.send_answer(answered, actor=agent, text="Listo.", version=0)
    page.goto(answered.get_absolute_url())
    expect(page.locator("#undo-button")).to_be_visible()
    check_axe(page)


def test_an_answer_from_before_the_save_does_not_bring_the_draft_over_the_text(agent_page: Page, inquiry):
    page = agent_page
    page.goto(inquiry.get_absolute_url())
    page.fill("#reply", "Texto a medias")
    saved(page)
    stale = (
        f'<div id="draft" data-stands data-version="0" hx-swap-oob="outerHTML"><textarea id="draft-text" hidden>{DRAFT}'
        '</textarea><button type="submit" id="draft-button" data-late="x" hidden>Usar</button></div>'
    )
    page.route("**/sentimiento/", lambda route: route.fulfill(status=200, body=stale, content_type="text/html"))
    page.locator("#sentiment-form button", has_text="Positivo").click()
    expect(page.locator("#draft-button")).to_be_visible()
    expect(page.locator("#reply")).to_have_value("Texto a medias")
