from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from inquiries.models import Inquiry
from inquiries.tests.test_erasing import lived

# Transactional, because the server runs in a thread of its own.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EMAIL = "juana@example.com"
ERASE = re.compile(r"^(Borrar los datos de esta persona|Erase this person's data)$")
FOR_GOOD = re.compile(r"^(Borrar definitivamente|Erase for good)$")


@pytest.fixture
def page(open_context, supervisor, other_agent, make_inquiry, categories) -> Page:
    lived(make_inquiry, other_agent, email=EMAIL)
    make_inquiry(email="otra@example.com")
    return open_context(supervisor).new_page()


def _choose(page: Page, label: re.Pattern[str]) -> None:
    page.goto(reverse("admin:inquiries_inquiry_changelist"))
    number = Inquiry.objects.from_address(EMAIL).get().pk
    page.locator(f"input.action-select[value='{number}']").check()
    option = page.locator("select[name=action] option").filter(has_text=label)
    page.locator("select[name=action]").select_option(value=option.get_attribute("value"))
    page.locator("button[name=index]").click()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)])
def test_a_person_is_erased_after_their_address_was_typed(page, check_axe, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 740})
    _choose(page, ERASE)
    address = page.locator("input[name=address]")
    expect(address).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    check_axe(page)
    address.fill("otra@example.com")
    page.get_by_role("button", name=FOR_GOOD).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert Inquiry.objects.count() == 2
    page.locator("input[name=address]").fill(EMAIL.upper())
    page.get_by_role("button", name=FOR_GOOD).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert Inquiry.objects.get().email == "otra@example.com"


def test_an_export_is_downloaded(page):
    with page.expect_download() as download:
        _choose(page, re.compile(r"^(Exportar los datos de esta persona|Export this person's data)$"))
    assert download.value.suggested_filename.endswith(".json")
