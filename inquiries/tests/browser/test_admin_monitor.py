from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from playwright.sync_api import Page, expect

from inquiries import services
from inquiries.models import Analysis, ApiKey, Category, Delivery, Heartbeat, Inquiry, ServiceState, SiteSettings
from inquiries.states import AIReason, AnalysisState, Sentiment

# Transactional, because the server runs in a thread of its own.
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SMALL = {"width": 360, "height": 740}


@pytest.fixture
def supervisor_page(open_context, supervisor) -> Page:
    return open_context(supervisor).new_page()


@pytest.fixture
def failed(make_inquiry) -> Inquiry:
    inquiry = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    inquiry.analyses.update(error_detail="insufficient_quota " + "x" * 120)
    return inquiry


def _fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_the_monitor_follows_what_happens_without_a_reload(supervisor_page, categories, make_inquiry, check_axe):
    page = supervisor_page
    page.goto(reverse("monitor"))
    expect(page.get_by_role("alert")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    Heartbeat.objects.create(worker="caja:7", version="0.1.0", threads=8)
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    expect(page.get_by_text("caja:7")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_text(str(AIReason.QUOTA.label))).to_be_visible()
    assert page.evaluate("window.sameDocument")
    check_axe(page)


def test_a_poll_leaves_the_focus_where_it_is(supervisor_page, failed, make_inquiry):
    page = supervisor_page
    page.goto(reverse("monitor"))
    page.locator(f"#retry-{failed.pk}").focus()
    other = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.TIMEOUT)
    expect(page.locator(f"#retry-{other.pk}")).to_be_visible()
    expect(page.locator(f"#retry-{failed.pk}")).to_be_focused()


def test_retrying_in_place(supervisor_page, failed, make_inquiry):
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.TIMEOUT)
    page = supervisor_page
    page.goto(reverse("monitor"))
    page.evaluate("window.sameDocument = true")
    page.locator(f"#retry-{failed.pk}").click()
    expect(page.locator("#messages .message-success")).to_contain_text(f"#{failed.pk}")
    expect(page.locator(f"#retry-{failed.pk}")).to_have_count(0)
    page.locator("#retry-all").click()
    expect(page.locator("#retry-all")).to_have_count(0)
    assert page.evaluate("window.sameDocument")
    assert Analysis.objects.live().count() == 2


def test_retrying_without_javascript(open_context, supervisor, failed):
    page = open_context(supervisor, java_script_enabled=False).new_page()
    page.goto(reverse("monitor"))
    page.locator(f"#retry-{failed.pk}").click()
    expect(page).to_have_url(re.compile(reverse("monitor") + "$"))
    expect(page.locator("#messages .message-success")).to_be_visible()
    assert failed.analyses.live().exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_monitor_on_a_small_screen(open_context, supervisor, failed, check_axe, scheme):
    Heartbeat.objects.create(
        worker="una-caja-con-un-nombre-muy-largo.example.internal:12345", version="0.1.0", threads=8
    )
    waiting = Inquiry.objects.create(customer_name="Eva", email="eva@example.com", message="Hola")
    Analysis.objects.create(inquiry=waiting, error=AIReason.TIMEOUT, error_detail="y" * 150, attempts=2)
    Analysis.objects.filter(inquiry=waiting).update(due_at=Now() + timedelta(minutes=5))
    page = open_context(supervisor, viewport=SMALL, color_scheme=scheme).new_page()
    page.goto(reverse("monitor"))
    expect(page.locator(f"#failure-{failed.analyses.get().pk}")).to_be_visible()
    assert _fits(page)
    check_axe(page)


@pytest.fixture
def busy_hour(make_inquiry, settings) -> None:
    """An hour in which things were read, a worker of another version, mail that needs a person."""
    settings.HAS_MAIL = True
    for number in range(30):
        row = make_inquiry(analysed=True).analyses.get()
        end = Now() - timedelta(minutes=2 * number)
        Analysis.objects.filter(pk=row.pk).update(
            finished_at=end,
            started_at=end - timedelta(seconds=2),
            created_at=end - timedelta(minutes=2),
            duration_ms=1_234,
        )
    Heartbeat.objects.create(worker="otra-caja-con-un-nombre-largo:9", version="0.0.9-rc.1", threads=16)
    ServiceState.objects.create(
        name="mail", failures=3, last_error="timeout", last_detail="z" * 150, last_failure_at=Now()
    )
    Delivery.objects.create(
        inquiry=make_inquiry(analysed=True), kind="answer", recipient="a@example.com", state="unknown", error="dropped"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [SMALL, {"width": 1280, "height": 800}], ids=["small", "large"])
def test_all_that_the_monitor_can_show(open_context, supervisor, failed, busy_hour, check_axe, size, scheme):
    SiteSettings.objects.update_or_create(pk=1, defaults={"is_analysis_paused": True})
    page = open_context(supervisor, viewport=size, color_scheme=scheme).new_page()
    page.goto(reverse("monitor"))
    expect(page.locator("svg.bars")).to_have_count(3)
    page.locator("details.numbers summary").click()
    expect(page.locator(".numbers-table tbody tr")).to_have_count(12)
    assert _fits(page)
    check_axe(page)
    # A poll that brings news leaves the table open.
    Heartbeat.objects.create(worker="nueva:1", version="0.1.0", threads=8)
    expect(page.get_by_text("nueva:1")).to_be_visible()
    expect(page.locator(".numbers-table")).to_be_visible()


def test_pausing_and_resuming_by_click(supervisor_page, open_context, agent, categories):
    page = supervisor_page
    page.goto(reverse("monitor"))
    page.evaluate("window.sameDocument = true")
    page.locator("#pause-analysis").click()
    expect(page.locator("#resume")).to_be_visible()
    expect(page.locator("#pause")).to_contain_text("supervisora")
    assert SiteSettings.get_solo().is_analysis_paused
    inbox = open_context(agent).new_page()
    inbox.goto(reverse("inbox"))
    expect(inbox.locator(".ai-notice")).to_be_visible()
    page.locator("#resume").click()
    expect(page.locator("#pause-analysis")).to_be_visible()
    assert page.evaluate("window.sameDocument")
    assert not SiteSettings.get_solo().is_analysis_paused
    inbox.reload()
    expect(inbox.locator(".ai-notice")).to_have_count(0)


def test_skipping_one_keeps_the_place(supervisor_page, failed, make_inquiry):
    other = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.TIMEOUT)
    page = supervisor_page
    page.goto(reverse("monitor"))
    page.locator(f"#dismiss-{failed.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#messages .message-success")).to_contain_text(f"#{failed.pk}")
    expect(page.locator(f"#dismiss-{failed.pk}")).to_have_count(0)
    expect(page.locator(f"#dismiss-{other.pk}")).to_be_visible()
    expect(page.locator("#errors-title")).to_be_focused()
    failed.refresh_from_db()
    assert (failed.ai_state, failed.ai_error) == (AnalysisState.SKIPPED, AIReason.DISMISSED)


def test_pausing_without_javascript(open_context, supervisor):
    page = open_context(supervisor, java_script_enabled=False).new_page()
    page.goto(reverse("monitor"))
    page.locator("#pause-analysis").click()
    expect(page).to_have_url(re.compile(reverse("monitor") + "$"))
    page.locator("#resume").click()
    expect(page.locator("#pause-analysis")).to_be_visible()
    assert not SiteSettings.get_solo().is_analysis_paused


def test_a_supervisor_edits_a_category(supervisor_page, categories):
    page = supervisor_page
    page.goto(reverse("admin:inquiries_category_changelist"))
    page.get_by_role("link", name="Ventas").click()
    page.locator("#id_examples").fill("Quiero comprar\nCuánto cuesta\nHacen envíos\nTienen stock\nHay descuento")
    page.get_by_label("Violeta").check()
    page.locator("[name=_save]").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    ventas = Category.objects.get(name="Ventas")
    assert (ventas.colour, len(ventas.example_lines())) == ("violeta", 5)


def test_a_key_is_there_to_be_copied_once(supervisor_page):
    page = supervisor_page
    page.goto(reverse("admin:inquiries_apikey_add"))
    page.locator("#id_name").fill("Tienda")
    page.locator("[name=_save]").click()
    key = page.locator(".new-key").inner_text()
    assert ApiKey.objects.matching(key) is not None
    page.reload()
    expect(page.locator(".new-key")).to_have_count(0)


def test_pages_of_the_admin_keep_to_the_content_policy(supervisor_page, supervisor, inquiry):
    """Each page is visited at both sizes; the `watch` fixture fails on any violation or script error."""
    services.correct_sentiment(inquiry, actor=supervisor, sentiment=Sentiment.POSITIVE)
    key, _text = ApiKey.issue("Tienda", owner=supervisor)
    changes = {
        "category": inquiry.category_id,
        "inquiry": inquiry.pk,
        "analysis": inquiry.analyses.get().pk,
        "correction": inquiry.corrections.get().pk,
        "apikey": key.pk,
        "user": supervisor.pk,
    }
    urls = [reverse("admin:index"), reverse("admin:inquiries_sitesettings_change")]
    urls.append(reverse("admin:axes_accessattempt_changelist"))
    for name, pk in changes.items():
        urls.append(reverse(f"admin:inquiries_{name}_changelist"))
        urls.append(reverse(f"admin:inquiries_{name}_change", args=[pk]))
    urls += [reverse(f"admin:inquiries_{name}_add") for name in ("category", "apikey", "user")]
    urls.append(reverse("admin:auth_user_password_change", args=[supervisor.pk]))
    urls.append(reverse("admin:inquiries_category_history", args=[inquiry.category_id]))
    for size in ({"width": 1280, "height": 800}, SMALL):
        supervisor_page.set_viewport_size(size)
        for url in urls:
            response = supervisor_page.goto(url)
            assert response is not None
            assert response.status == 200, url
            expect(supervisor_page.locator("#content")).to_be_visible()
            assert _fits(supervisor_page), f"{url} at {size['width']}"


@pytest.mark.parametrize("name", ["inquiry", "analysis"])
def test_one_long_word_pushes_no_column_off_the_list(supervisor_page, make_inquiry, categories, name):
    make_inquiry(analysed=True, customer_name="W" * 120)
    supervisor_page.set_viewport_size({"width": 1280, "height": 800})
    supervisor_page.goto(reverse(f"admin:inquiries_{name}_changelist"))
    table = supervisor_page.locator("#changelist .results")
    expect(table).to_be_visible()
    assert table.evaluate("box => box.scrollWidth - box.clientWidth") <= 1
