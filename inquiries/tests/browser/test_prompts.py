from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from playwright.sync_api import Page, expect

from inquiries import analysis, learning
from inquiries.models import Analysis, Comparison, Heartbeat, PromptVersion
from inquiries.services import comparisons, prompts
from inquiries.states import Purpose
from inquiries.tests.fakes import FakeEngine, result

# Transactional, because the server runs in a thread of its own.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SMALL = {"width": 360, "height": 740}
FACTS = "Abrimos de lunes a viernes de 9 a 18.\nDevoluciones: 30 días con la factura."


@pytest.fixture
def supervisor_page(open_context, supervisor) -> Page:
    return open_context(supervisor).new_page()


@pytest.fixture
def corrected(make_inquiry, categories) -> list:
    Heartbeat.objects.create(worker="caja:7", version="0.1.0", threads=8)
    return [make_inquiry(analysed=True, category_by_person=True, sentiment_by_person=True) for _ in range(7)]


@pytest.fixture
def version(supervisor, categories) -> PromptVersion:
    return prompts.save_version(
        actor=supervisor,
        base=None,
        note="Horario, devoluciones y voseo",
        facts=FACTS,
        tone="vos",
        style="Cálido y breve",
        signature="El equipo de Acme",
        forbidden="reembolso total\nenvío gratis",
    )


@pytest.fixture
def work(monkeypatch) -> Callable[..., None]:
    """Do what waits of a trial now, as a worker would: new instructions read right, the others wrong."""

    def read(request):
        is_candidate = bool(request.company.facts)
        reply = (
            f"Hola, {'¿cómo estás? Abrimos a las 9' if is_candidate else 'con gusto le contamos'}. {'Gracias. ' * 30}"
        )
        name = "Soporte Técnico" if is_candidate else "Ventas"
        return result(category=name, sentiment="Negativo", reply=reply, engine="embedded", model="use-m3")

    def run(limit: int = 1_000) -> None:
        monkeypatch.setattr(learning, "vector_of", lambda text: None)
        monkeypatch.setattr(analysis, "engine_called", lambda name, model="": FakeEngine(*[read] * 3))
        waiting = Analysis.objects.live().filter(purpose=Purpose.COMPARE)
        waiting.update(due_at=Now())
        for row in waiting.order_by("pk")[:limit]:
            analysis.run(row.pk)

    return run


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_from_a_new_version_to_its_use(supervisor_page, corrected, work, check_axe):
    page = supervisor_page
    page.goto(reverse("prompts"))
    page.locator(f"a[href='{reverse('prompt_new')}']").click()
    page.locator("#id_facts").fill(FACTS)
    page.locator("#id_tone").select_option("vos")
    page.locator("#id_note").fill("Horario")
    check_axe(page)
    page.locator(".prompt-form [type=submit]").click()
    expect(page.locator("#messages .message-success")).to_be_visible()
    version = PromptVersion.objects.get(facts=FACTS)
    check_axe(page)

    page.locator("button[name=number]").click()
    expect(page.locator("[data-poll]")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    work()
    expect(page.locator(".pair")).to_have_count(comparisons.PREVIEW_SIZE)
    expect(page.locator(".pair").first).to_contain_text("Abrimos a las 9")
    assert page.evaluate("window.sameDocument")
    check_axe(page)

    page.goto(reverse("prompt", args=[version.pk]))
    page.locator(f"form[action='{reverse('comparison_start')}'] [type=submit]").click()
    expect(page.locator("progress")).to_have_attribute("value", "0")
    work(4)
    expect(page.locator("progress")).to_have_attribute("value", "4")
    work()
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("[data-poll]")).to_have_count(0)
    expect(page.locator("section .pair .is-right")).to_have_count(7)
    check_axe(page)

    page.locator("#activate summary").click()
    page.locator("#activate [type=submit]").click()
    expect(page).to_have_url(re.compile(reverse("prompt", args=[version.pk]) + "$"))
    expect(page.locator("#messages .message-success")).to_be_visible()
    assert prompts.active() == version


def test_a_poll_leaves_the_focus_on_the_way_out(supervisor_page, supervisor, version, corrected, work):
    trial = comparisons.start(
        actor=supervisor, kind=Comparison.Kind.COMPARE, prompt=version, engine="embedded", model="", size=10
    )
    page = supervisor_page
    page.goto(reverse("comparison", args=[trial.pk]))
    page.locator("#cancel").focus()
    work(2)
    expect(page.locator("progress")).to_have_attribute("value", "2")
    expect(page.locator("#cancel")).to_be_focused()
    page.locator("#cancel").click()
    expect(page.locator("#messages .message-success")).to_be_visible()
    expect(page.locator("[data-poll]")).to_have_count(0)


def test_the_estimate_follows_the_form(supervisor_page, version, corrected, settings):
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    page = supervisor_page
    page.goto(reverse("comparisons"))
    before = page.locator("#estimate").inner_text()
    settings.AI_ENGINE = "embedded"
    page.locator("#id_engine").select_option("embedded")
    expect(page.locator("#estimate")).not_to_have_text(before)


def test_without_javascript(open_context, supervisor, version, corrected, work):
    page = open_context(supervisor, java_script_enabled=False).new_page()
    page.goto(reverse("prompt", args=[version.pk]))
    page.locator(f"form[action='{reverse('comparison_start')}'] [type=submit]").click()
    work()
    page.locator("a.no-js, .no-js a").last.click()
    expect(page.locator("#verdict")).to_be_visible()
    page.locator("#activate summary").click()
    page.locator("#activate [type=submit]").click()
    expect(page.locator("#messages .message-success")).to_be_visible()
    assert prompts.active() == version


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_on_a_small_screen(open_context, supervisor, version, corrected, work, check_axe, scheme):
    page = open_context(supervisor, viewport=SMALL, color_scheme=scheme).new_page()
    start = {"actor": supervisor, "prompt": version, "engine": "embedded", "model": "", "size": 10}
    running = comparisons.start(kind=Comparison.Kind.COMPARE, **start)
    page.goto(reverse("comparison", args=[running.pk]))
    assert _fits(page)
    check_axe(page)
    work()
    preview = comparisons.start(kind=Comparison.Kind.PREVIEW, **(start | {"size": 3}))
    work()
    urls = [reverse(name) for name in ("prompts", "prompt_new", "comparisons")]
    urls += [
        reverse("prompt", args=[version.pk]),
        *(reverse("comparison", args=[row.pk]) for row in (running, preview)),
    ]
    for url in urls:
        page.goto(url)
        for box in page.locator("main details").all():
            box.evaluate("box => box.open = true")
        assert _fits(page), url
        check_axe(page)
