"""What an agent sees of the AI's doubts, of what left the machine, and of inquiries like the one at hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from inquiries import similar
from inquiries.models import Analysis, Example, Inquiry, InquiryVector, SentPrompt
from inquiries.states import Status

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MODES = [("light", 1280), ("dark", 360)]


def meaning() -> bytes:
    vector = np.zeros(similar.DIMENSIONS, dtype=np.float32)
    vector[0] = 1.0
    return similar.pack(vector)


@pytest.fixture(autouse=True)
def _fresh_index():
    similar.forget()
    yield
    similar.forget()


@pytest.fixture
def past(make_inquiry, categories) -> Inquiry:
    past = make_inquiry(analysed=True, status=Status.ANSWERED, customer_name="Otra Persona")
    Example.objects.create(
        inquiry=past,
        category=categories["Soporte Técnico"],
        text="No puedo entrar, soy [nombre]",
        answer="Hola [nombre]:\n\nrestablezca la clave y avísenos a este mismo enlace.",
        encoder=similar.ENCODER,
        vector=meaning(),
    )
    return past


@pytest.fixture
def read(inquiry) -> Inquiry:
    InquiryVector.objects.create(inquiry=inquiry, encoder=similar.ENCODER, vector=meaning())
    return inquiry


def test_an_answer_of_the_past_is_one_click_away(agent_page: Page, read, past):
    page = agent_page
    page.goto(read.get_absolute_url())
    page.locator("#similar summary").click()
    page.locator("#similar .replaces-reply").click()
    expect(page.locator("#reply")).to_have_value("Hola Juana:\n\nrestablezca la clave y avísenos a este mismo enlace.")
    expect(page.locator("#reply")).to_be_focused()
    # The draft that stood there is not lost.
    page.locator("#draft-button").click()
    expect(page.locator("#reply")).to_have_value("Hola Juana, lamentamos lo ocurrido.")


def test_what_was_typed_before_is_offered_again(agent_page: Page, read, past):
    page = agent_page
    page.goto(read.get_absolute_url())
    page.fill("#reply", "Lo que yo escribía")
    page.locator("#similar summary").click()
    page.locator("#similar .replaces-reply").click()
    expect(page.locator("#local-copy-text")).to_have_text("Lo que yo escribía")


def test_a_save_on_its_way_does_not_take_along_what_was_typed(agent_page: Page, read, past):
    page, held = agent_page, []

    def hold(route: Route) -> None:
        held.append(route)

    page.goto(read.get_absolute_url())
    page.route("**/respuesta/", hold)
    page.fill("#reply", "Lo que yo escribía")
    page.locator("#similar summary").click()
    page.locator("#similar .replaces-reply").click()
    expect(page.locator("#save-state")).not_to_be_empty()
    held[0].continue_()
    expect(page.locator("#local-copy-text")).to_have_text("Lo que yo escribía")


def test_an_editor_that_was_drawn_larger_stays_so(agent_page: Page, read, past):
    page = agent_page
    page.goto(read.get_absolute_url())
    box = page.locator("#reply").bounding_box()
    assert box is not None
    right, bottom = box["x"] + box["width"] - 4, box["y"] + box["height"] - 4
    page.mouse.move(right, bottom)
    page.mouse.down()
    page.mouse.move(right, bottom + 90)
    page.mouse.up()
    drawn = page.locator("#reply").evaluate("(area) => area.offsetHeight")
    assert drawn > box["height"]
    page.locator("#similar summary").click()
    page.locator("#similar .replaces-reply").click()
    expect(page.locator("#reply")).to_have_value(re.compile("restablezca la clave"))
    assert page.locator("#reply").evaluate("(area) => area.offsetHeight") == drawn


def test_without_javascript_the_list_is_a_page_and_the_button_works(open_context, agent, read, past):
    page = open_context(agent, java_script_enabled=False).new_page()
    page.goto(read.get_absolute_url())
    page.locator("#similar a").click()
    page.locator(".similar-answer summary").click()
    page.locator(".replaces-reply").click()
    page.wait_for_url(f"**{read.get_absolute_url()}")
    assert "restablezca la clave" in page.locator("#reply").input_value()


@pytest.mark.parametrize(("scheme", "width"), MODES)
def test_the_pages_are_accessible_and_fit(open_context, agent, read, past, check_axe, scheme, width):
    Inquiry.objects.filter(pk=read.pk).update(flags=["suspicious", "link_cut"], needs_review=True)
    system = SentPrompt.objects.create(digest="0" * 64, text="Trabajas en el equipo de Acme.\n" * 30)
    Analysis.objects.filter(inquiry=read).update(
        sent_text="<mensaje_del_cliente>\nhola [CORREO_1]\n</mensaje_del_cliente>",
        sent_system=system,
        masked={"correo": 1, "nombre": 2},
        engine="openai",
        tokens_in=900,
        tokens_out=120,
    )
    context = open_context(agent, color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    for path in (read.get_absolute_url(), f"{read.get_absolute_url()}similares/", f"{read.get_absolute_url()}enviado/"):
        page.goto(path)
        expect(page.locator("main")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        check_axe(page)


def test_a_text_that_gives_orders_is_announced(agent_page: Page, inquiry):
    Inquiry.objects.filter(pk=inquiry.pk).update(flags=["suspicious"])
    agent_page.goto(inquiry.get_absolute_url())
    expect(agent_page.locator("#ai .message-warning")).to_be_visible()
