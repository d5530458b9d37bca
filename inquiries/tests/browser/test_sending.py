"""An answer that is sent: the seconds in which it can be taken back, and what becomes of it afterwards."""

from __future__ import annotations

import re

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from inquiries import services
from inquiries.models import Delivery, Inquiry, Message
from inquiries.services import reply
from inquiries.states import DeliveryKind, DeliveryState, Status
from inquiries.tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def short_window(monkeypatch) -> None:
    monkeypatch.setattr(reply, "UNDO_SECONDS", 2.0)


def fresh(inquiry: Inquiry) -> Inquiry:
    return Inquiry.objects.get(pk=inquiry.pk)


def status_page(inquiry: Inquiry) -> str:
    return f"/consulta/{inquiry.public_token}/"


def email_of(inquiry: Inquiry, **fields: object) -> Delivery:
    """The email of an answer that has left."""
    message = Message.objects.get(inquiry=inquiry)
    Delivery.objects.filter(message=message).delete()
    values = {"kind": DeliveryKind.ANSWER, "recipient": inquiry.email, "mail_id": f"<{message.pk}@pok>"} | fields
    return Delivery.objects.create(inquiry=inquiry, message=message, **values)


def test_sending_counts_down_happens_once_and_is_undone_with_the_text_back(agent_page: Page, page: Page, inquiry):
    customer, page = page, agent_page
    page.goto(inquiry.get_absolute_url())
    page.fill("#reply", "Listo, Juana.")
    page.locator("#send-button").dblclick()
    expect(page.locator("#undo-button")).to_be_focused()
    expect(page.locator(".answer.is-pending")).to_contain_text("Listo, Juana.")
    expect(page.locator("#head .status-answered")).to_be_visible()
    expect(page.locator("#editor .over")).to_be_hidden()
    assert Message.objects.count() == 1
    first = int(page.locator("#countdown").inner_text())
    assert 0 < first <= 10
    expect(page.locator("#countdown")).not_to_have_text(str(first))
    assert int(page.locator("#countdown").inner_text()) < first
    customer.goto(status_page(inquiry))
    expect(customer.locator(".own-message")).to_be_visible()
    expect(customer.locator(".answer")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("#reply")).to_have_value("Listo, Juana.")
    expect(page.locator("#reply")).to_be_focused()
    expect(page.locator("#messages .message-success")).to_be_visible()
    expect(page.locator(".answer")).to_have_count(0)
    expect(page.locator("#undo-form")).to_have_count(0)
    assert not Message.objects.exists()
    assert fresh(inquiry).status == Status.OPEN
    page.fill("#reply", "Listo, Juana. Saludos.")
    expect(page.locator("#save-state")).to_contain_text(":")
    assert fresh(inquiry).reply == "Listo, Juana. Saludos."


def test_the_answer_leaves_when_the_window_is_over(agent_page: Page, page: Page, inquiry, short_window):
    customer, page = page, agent_page
    page.goto(inquiry.get_absolute_url())
    page.locator("#send-button").click()
    customer.goto(status_page(inquiry))
    expect(customer.locator(".answer")).to_have_count(0)
    expect(page.locator("#undo-form")).to_have_count(0)
    expect(page.locator('#notices [data-key="left"]')).to_be_visible()
    expect(page.locator(".answer")).not_to_have_class(re.compile("is-pending"))
    expect(page.locator("#editor .over")).to_be_visible()
    expect(page.locator("#editor-title")).to_be_focused()
    expect(page.locator("#poller")).not_to_have_attribute("hx-trigger", re.compile("."))
    customer.reload()
    expect(customer.locator(".answer")).to_contain_text("lamentamos lo ocurrido")


def test_the_keyboard_sends_from_the_text(agent_page: Page, inquiry):
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.fill("#reply", "Listo.")
    agent_page.locator("#reply").press("Control+Enter")
    expect(agent_page.locator("#undo-button")).to_be_focused()
    assert Message.objects.get().body == "Listo."
    agent_page.wait_for_load_state("networkidle")
    assert agent_page.evaluate("localStorage.length") == 0


def test_a_sending_that_fails_keeps_the_text_and_saves_on(agent_page: Page, inquiry, watch):
    watch.expected = {503}
    agent_page.route("**/enviar/", lambda route: route.fulfill(status=503, body=""))
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.fill("#reply", "Listo.")
    agent_page.locator("#reply").press("Control+Enter")
    expect(agent_page.locator("#notices .notice").first).to_be_visible()
    expect(agent_page.locator("#save-state")).to_contain_text(":")
    expect(agent_page.locator("#reply")).to_have_value("Listo.")
    assert fresh(inquiry).reply == "Listo."
    assert not Message.objects.exists()


def test_an_undo_that_comes_too_late_is_told_so(agent_page: Page, inquiry, watch):
    watch.expected = {409}
    agent_page.goto(inquiry.get_absolute_url())
    agent_page.locator("#send-button").click()
    expect(agent_page.locator("#undo-button")).to_be_focused()
    factories.let_leave(inquiry)
    agent_page.locator("#undo-button").click()
    expect(agent_page.locator("#messages .message-error")).to_be_visible()
    expect(agent_page.locator("#undo-form")).to_have_count(0)
    assert Message.objects.published().count() == 1


def test_what_a_colleague_undoes_comes_back_as_an_editor(open_context, agent, other_agent, inquiry):
    mine, hers = open_context(agent).new_page(), open_context(other_agent).new_page()
    mine.goto(inquiry.get_absolute_url())
    mine.fill("#reply", "Listo.")
    mine.locator("#send-button").click()
    expect(mine.locator("#undo-button")).to_be_focused()
    hers.goto(inquiry.get_absolute_url())
    hers.locator("#undo-button").click()
    expect(hers.locator("#reply")).to_have_value("Listo.")
    expect(mine.locator("#reply")).to_have_value("Listo.")
    expect(mine.locator("#head .status-open")).to_be_visible()
    expect(mine.locator('#notices [data-key="left"]')).to_have_count(0)


def test_who_writes_on_while_the_answer_is_on_its_way_keeps_that_text(agent_page: Page, inquiry):
    page = agent_page
    page.goto(inquiry.get_absolute_url())
    page.locator("#send-button").click()
    page.locator("#reopen-form button").click()
    page.fill("#reply", "Otra cosa")
    expect(page.locator("#undo-button")).to_be_visible()
    page.locator("#undo-button").click()
    expect(page.locator("#undo-form")).to_have_count(0)
    expect(page.locator("#reply")).to_have_value("Otra cosa")
    assert not Message.objects.exists()


def test_without_javascript_it_says_when_and_undoes(open_context, agent, inquiry):
    page = open_context(agent, java_script_enabled=False).new_page()
    page.goto(inquiry.get_absolute_url())
    page.fill("#reply", "Listo, Juana.")
    page.locator("#send-button").click()
    expect(page.locator("#undo-form .no-js")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    page.go_back()
    page.reload()
    page.locator("#undo-button").click()
    expect(page.locator("#reply")).to_have_value("Listo, Juana.")
    expect(page.locator("#messages .message-success")).to_be_visible()
    assert not Message.objects.exists()


def test_the_state_of_the_email_is_followed(agent_page: Page, inquiry, agent, settings):
    settings.HAS_MAIL = True
    inquiry = factories.answer(inquiry, actor=agent, text="Listo.")
    email = email_of(inquiry)
    agent_page.goto(inquiry.get_absolute_url())
    expect(agent_page.locator(".mail-queued")).to_be_visible()
    Delivery.objects.filter(pk=email.pk).update(state=DeliveryState.SENT, due_at=None, finished_at=Now())
    expect(agent_page.locator(".mail-sent")).to_be_visible()
    expect(agent_page.locator("#poller")).not_to_have_attribute("hx-trigger", re.compile("."))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_state_is_accessible_and_fits_a_phone(
    open_context, live_server, agent, make_inquiry, categories, settings, check_axe, theme, language
):
    settings.HAS_MAIL = True
    context = open_context(agent, color_scheme=theme, viewport=PHONE)
    context.add_cookies([{"name": "pok_language", "value": language, "url": live_server.url}])
    page = context.new_page()
    states = {"queued": "unreachable", "sent": "", "failed": "bad_address", "unknown": "dropped", "cancelled": ""}
    for state, error in states.items():
        inquiry = make_inquiry(analysed=True, status=Status.OPEN, email="x" * 60 + "@example.com")
        factories.answer(inquiry, actor=agent, text="Listo. https://example.com/" + "y" * 300)
        email_of(inquiry, state=state, error=error)
        page.goto(inquiry.get_absolute_url())
        expect(page.locator(f".mail-{state}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        check_axe(page)
    pending = make_inquiry(analysed=True, status=Status.OPEN)
    services.send_answer(pending, actor=agent, text="Listo.", version=0)
    page.goto(pending.get_absolute_url())
    expect(page.locator("#countdown")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
