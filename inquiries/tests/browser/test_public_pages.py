from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from inquiries import forms
from inquiries.models import Inquiry
from inquiries.states import Status
from inquiries.tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TEXT = "Hola, el taladro llegó sin la batería.\nPedido 4471."


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch, settings):
    """The browser types faster than a person."""
    monkeypatch.setattr(forms, "MIN_FILL_SECONDS", 0.0)
    settings.THROTTLE = "off"


def fill_in(page: Page, message: str = TEXT) -> None:
    page.goto("/")
    page.get_by_label("Su nombre").fill("Ana López")
    page.get_by_label("Su correo electrónico").fill("ana@example.com")
    page.get_by_label("Su mensaje").fill(message)


def send(page: Page) -> None:
    page.locator("#inquiry-form button[type=submit]").click()


def receipt_of(page: Page) -> Inquiry:
    page.wait_for_url("**/recibida/**")
    inquiry = Inquiry.objects.get(public_token=page.url.rstrip("/").rsplit("/", 1)[-1])
    expect(page.locator(".receipt-number strong")).to_have_text(str(inquiry.pk))
    return inquiry


# --- The way of an inquiry -----------------------------------------------------------------------
def test_form_receipt_and_a_status_page_that_shows_the_answer_by_itself(page: Page, agent):
    fill_in(page)
    send(page)
    inquiry = receipt_of(page)
    assert inquiry.message == TEXT
    assert inquiry.status == Status.NEW

    page.locator(".receipt-action a").click()
    expect(page.locator(".status-received")).to_be_visible()
    expect(page.locator(".own-message")).to_contain_text("taladro")
    page.evaluate("window.stillTheSamePage = true")

    factories.answer(inquiry, actor=agent, text="Hola, Ana:\nSale mañana.", version=0)
    expect(page.locator(".answer")).to_contain_text("Sale mañana.")
    expect(page.locator(".status-answered")).to_be_visible()
    expect(page.locator("#inquiry-status")).not_to_have_attribute("hx-trigger", re.compile(".*"))
    assert page.evaluate("window.stillTheSamePage")


def test_a_double_click_makes_one_inquiry(page: Page):
    fill_in(page)
    page.locator("#inquiry-form button[type=submit]").dblclick()

    receipt_of(page)
    assert Inquiry.objects.count() == 1


def test_going_back_with_changed_text_offers_a_new_inquiry(page: Page, watch):
    watch.expected = {409}
    fill_in(page)
    send(page)
    first = receipt_of(page)
    page.go_back()
    changed = TEXT + "\nPerdón: era el pedido 4472."
    page.get_by_label("Su mensaje").fill(changed)
    send(page)

    warning = page.get_by_role("alert")
    expect(warning).to_contain_text(str(first.pk))
    expect(page.get_by_label("Su mensaje")).to_have_value(changed)
    assert Inquiry.objects.count() == 1

    page.get_by_role("button", name="Enviar como consulta nueva").click()
    second = receipt_of(page)
    assert second.message == changed
    assert second.pk != first.pk


def test_going_back_and_sending_the_same_again_shows_the_same_receipt(page: Page):
    fill_in(page)
    send(page)
    first = receipt_of(page)
    page.go_back()
    page.get_by_label("Su mensaje").fill(TEXT)
    send(page)

    assert receipt_of(page).pk == first.pk
    assert Inquiry.objects.count() == 1


# --- Typed text ----------------------------------------------------------------------------------
def test_a_too_long_text_is_counted_refused_and_kept(page: Page, watch):
    watch.expected = {422}
    text = "á" * 10_007
    fill_in(page, text)
    expect(page.locator(".counter")).to_have_class(re.compile("is-over"))
    expect(page.locator(".counter")).to_contain_text("7")
    send(page)

    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Su mensaje")).to_have_value(text)
    expect(page.get_by_label("Su mensaje")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("alert").get_by_role("link", name="Su mensaje").click()
    expect(page.get_by_label("Su mensaje")).to_be_focused()


def test_typed_text_outlives_a_reload_and_a_change_of_language_and_ends_with_the_receipt(page: Page):
    fill_in(page)
    page.reload()
    expect(page.get_by_label("Su mensaje")).to_have_value(TEXT)
    page.get_by_role("button", name="English").click()
    expect(page.get_by_label("Your message")).to_have_value(TEXT)
    send(page)
    receipt_of(page)
    page.goto("/")
    expect(page.get_by_label("Your message")).to_have_value("")


def test_the_trap_is_out_of_sight_and_out_of_reach(page: Page):
    fill_in(page)

    expect(page.locator("[name=web]")).not_to_be_in_viewport()
    page.get_by_label("Su mensaje").press("Tab")
    expect(page.locator("#inquiry-form button[type=submit]")).to_be_focused()


def test_a_trap_that_was_filled_in_gives_a_normal_receipt(page: Page):
    fill_in(page)
    page.evaluate("document.querySelector('[name=web]').value = 'http://spam.example'")
    send(page)

    assert receipt_of(page).status == Status.SPAM


# --- The private link ----------------------------------------------------------------------------
def test_the_link_is_copied(open_context):
    context = open_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    fill_in(page)
    send(page)
    inquiry = receipt_of(page)

    page.get_by_role("button", name="Copiar").click()

    expect(page.get_by_role("button", name="Copiado")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == inquiry.status_url


def test_the_language_changes_on_a_page_that_sends_no_referrer(page: Page, make_inquiry):
    page.goto(f"/consulta/{make_inquiry().public_token}/")

    page.get_by_role("button", name="English").click()

    expect(page.get_by_role("heading", name="Received")).to_be_visible()


# --- Without JavaScript --------------------------------------------------------------------------
def test_without_javascript_the_form_works(open_context, watch, agent):
    watch.expected = {422}
    page = open_context(java_script_enabled=False).new_page()
    fill_in(page)
    page.get_by_label("Su correo electrónico").fill("ana@")
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Su mensaje")).to_have_value(TEXT)
    page.get_by_label("Su correo electrónico").fill("ana@example.com")
    send(page)
    inquiry = receipt_of(page)
    page.locator(".receipt-action a").click()
    expect(page.locator(".status-received")).to_be_visible()

    factories.answer(inquiry, actor=agent, text="Sale mañana.", version=0)
    page.locator("a.look-again").click()
    expect(page.locator(".answer")).to_contain_text("Sale mañana.")


# --- Sign-in -------------------------------------------------------------------------------------
def test_sign_in_leads_back_and_sign_out_ends_it(page: Page, agent):
    from inquiries.tests.factories import PASSWORD

    page.goto("/clave/")
    page.wait_for_url("**/entrar/?next=/clave/")
    page.locator("#id_username").fill(agent.username)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/clave/")
    page.goto("/salir/")
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/entrar/")
    expect(page.locator(".message-success")).to_be_visible()


# --- Everybody can use it ------------------------------------------------------------------------
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(
    open_context, watch, check_axe, make_inquiry, agent, outsider, scheme
):
    watch.expected = {403, 404, 409, 422}
    page = open_context(color_scheme=scheme, viewport={"width": 360, "height": 740}).new_page()

    def check() -> None:
        check_axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360

    page.goto("/")
    check()
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()
    check()
    fill_in(page)
    send(page)
    receipt_of(page)
    check()
    page.go_back()
    page.get_by_label("Su mensaje").fill("Otro texto.")
    send(page)
    expect(page.get_by_role("button", name="Enviar como consulta nueva")).to_be_visible()
    check()
    answered = make_inquiry(analysed=True, message="x" * 500)
    factories.answer(answered, actor=agent, text="https://example.com/" + "y" * 300, version=0)
    for inquiry in (make_inquiry(), make_inquiry(status=Status.OPEN), make_inquiry(status=Status.CLOSED), answered):
        page.goto(f"/consulta/{inquiry.public_token}/")
        check()
    for path in ("/entrar/", "/consulta/nada/"):
        page.goto(path)
        check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_the_pages_of_an_account(open_context, watch, check_axe, agent, scheme):
    watch.expected = {404}
    page = open_context(agent, color_scheme=scheme).new_page()

    for path in ("/clave/", "/salir/", "/nada/"):
        page.goto(path)
        check_axe(page)
    page.goto("/clave/")
    page.locator(".account-form button").click()
    expect(page.locator("#id_old_password_error")).to_be_visible()
    check_axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("template", "code"), [("400", 400), ("413", 413), ("429", 429), ("500", 500), ("503", 503)])
def test_axe_finds_nothing_serious_on_error_pages(
    open_context, watch, check_axe, settings, live_server, scheme, template, code
):
    from django.template.loader import render_to_string

    page = open_context(color_scheme=scheme).new_page()
    html = render_to_string(f"{template}.html", {"text": "Espere 15 minutos.", "style": "/static/css/error.css"})
    watch.expected = {code}
    page.route("**/fallo/", lambda route: route.fulfill(status=code, content_type="text/html", body=html))

    page.goto("/fallo/")

    expect(page.locator("h1")).to_be_visible()
    check_axe(page)
