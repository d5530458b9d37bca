from __future__ import annotations

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import Page, expect

from inquiries.models import HeadVersion

# Transactional, because the server runs in a thread of its own. The `watch` fixture behind every page fails on any
# violation of the content policy and on any script error.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SMALL = {"width": 360, "height": 740}
CHARTS = 8


@pytest.fixture
def history(categories):
    call_command("seed_quality", "400", verbosity=0)
    HeadVersion.objects.create(fingerprint="f", encoder="use", data=b"", examples=300, labels=20, ece=0.04)


@pytest.fixture
def url() -> str:
    return reverse("quality") + "?dias=90"


def _drawn(page: Page) -> list[bool]:
    """Whether each canvas holds a dot of colour."""
    expect(page.locator("html")).to_have_attribute("data-charts", str(CHARTS))
    return page.locator("canvas").evaluate_all(
        "all => all.map(one => one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(Boolean))"
    )


def _colour(page: Page, name: str) -> str:
    return page.locator(f"canvas[data-chart={name}]").evaluate(
        "one => Chart.getChart(one).data.datasets[0].borderColor"
    )


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, SMALL], ids=["wide", "small"])
def test_the_page_is_accessible_in_each_size_and_colour(
    open_context, supervisor, history, url, check_axe, scheme, size
):
    page = open_context(supervisor, viewport=size, color_scheme=scheme).new_page()
    page.goto(url)
    assert _drawn(page) == [True] * CHARTS
    assert _fits(page)
    check_axe(page)
    for summary in page.locator("details.numbers > summary").all():
        summary.click()
    assert _fits(page)
    check_axe(page)


def test_the_numbers_of_a_chart_are_reached_by_keyboard(open_context, supervisor, history, url):
    page = open_context(supervisor).new_page()
    page.goto(url)
    assert _drawn(page) == [True] * CHARTS
    panel = page.locator("section[aria-labelledby=agreement-title]")
    expect(panel.get_by_role("table")).to_be_hidden()
    panel.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("table")).to_be_visible()
    page.keyboard.press("Tab")
    expect(panel.get_by_role("group").locator("table").locator("..")).to_be_focused()
    expect(panel.get_by_role("img")).to_have_accessible_name(
        panel.locator("h2").inner_text() + ". " + panel.locator(".essence").inner_text()
    )


def test_charts_take_the_colours_of_the_theme(open_context, supervisor, history, url):
    page = open_context(supervisor, color_scheme="light").new_page()
    page.goto(url)
    assert _drawn(page) == [True] * CHARTS
    light = _colour(page, "agreement")
    page.locator("#theme").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.wait_for_function(
        "light => Chart.getChart(document.querySelector('canvas')).data.datasets[0].borderColor !== light", arg=light
    )
    assert _colour(page, "agreement") == page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--chart-acento').trim()"
    )


def test_without_javascript_every_table_is_open(open_context, supervisor, history, url):
    page = open_context(supervisor, java_script_enabled=False).new_page()
    page.goto(url)
    assert page.locator("canvas").count() == CHARTS
    expect(page.locator("canvas >> visible=true")).to_have_count(0)
    tables = page.get_by_role("table")
    assert tables.count() >= 8
    for table in tables.all():
        expect(table).to_be_visible()


def test_a_filter_is_chosen_and_taken_away(open_context, supervisor, history, url):
    page = open_context(supervisor).new_page()
    page.goto(url)
    page.locator("#filter-motor").select_option("openai")
    page.locator(".quality-filters button[type=submit]").click()
    expect(page.locator("#filter-motor")).to_have_value("openai")
    page.locator(".spans a").first.click()
    expect(page.locator("#filter-motor")).to_have_value("openai")
    page.locator(".quality-filters a").click()
    expect(page.locator("#filter-motor")).to_have_value("")
    assert _drawn(page) == [True] * CHARTS


def test_an_empty_page_needs_no_charts(open_context, supervisor, categories, check_axe):
    page = open_context(supervisor, viewport=SMALL).new_page()
    page.goto(reverse("quality"))
    expect(page.locator(".empty")).to_be_visible()
    expect(page.locator("canvas")).to_have_count(0)
    check_axe(page)
