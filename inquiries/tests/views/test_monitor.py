from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from inquiries import breaker, budget
from inquiries.models import Analysis, Delivery, Heartbeat, InquiryEvent, ServiceState, SiteSettings
from inquiries.states import AIReason, AnalysisState, DeliveryKind, DeliveryState, EventKind

HTMX = {"hx-request": "true"}


@pytest.fixture
def site(client, supervisor, categories):
    client.force_login(supervisor)
    return client


@pytest.fixture
def failed(make_inquiry):
    inquiry = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    inquiry.analyses.update(error_detail="insufficient_quota", attempts=1)
    return inquiry


def _html(response) -> str:
    return response.content.decode()


def _digest(response) -> str:
    found = re.search(r"\?seen=(\w+)", _html(response))
    assert found is not None
    return found.group(1)


def _beat(age: timedelta = timedelta(0)) -> None:
    Heartbeat.objects.create(worker="caja:7", version="0.1.0", threads=8)
    Heartbeat.objects.update(seen_at=Now() - age)


def test_it_shows_what_waits_who_works_and_what_failed(site, failed, make_inquiry):
    _beat()
    make_inquiry()
    html = _html(site.get(reverse("monitor")))
    assert "caja:7" in html
    assert "worker-alive" in html
    assert 'role="alert"' not in html
    assert str(AIReason.QUOTA.label) in html
    assert "insufficient_quota" in html
    assert reverse("detail", args=[failed.pk]) in html
    assert failed.public_token not in html


@pytest.mark.parametrize("age", [None, timedelta(minutes=5)])
def test_without_a_live_worker_it_says_so_in_plain_words(site, age):
    if age:
        _beat(age)
    html = _html(site.get(reverse("monitor")))
    assert 'role="alert"' in html
    assert "make run" in html


def test_it_names_the_engine_and_who_switched_it_off(site, settings):
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.OPENAI_MODEL = "openai", "sk-secreta", "gpt-x"
    html = _html(site.get(reverse("monitor")))
    assert "gpt-x" in html
    assert "sk-secreta" not in html
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "off"})
    SiteSettings.current().save()
    assert reverse("admin:inquiries_sitesettings_change") in _html(site.get(reverse("monitor"))).split("<main")[1]


@pytest.mark.parametrize("name", ["retry_failed", "dismiss_failed", "pause_analysis", "resume_analysis"])
def test_only_supervisors_come_in(client, agent, outsider, failed, name):
    for url, method, data in (
        (reverse("monitor"), client.get, {}),
        (reverse(name), client.post, {"inquiry": failed.pk}),
    ):
        client.logout()
        # The way back is a page: the verb's own address answers no GET.
        assert method(url, data)["Location"] == f"{reverse('login')}?next={reverse('monitor')}"
        for person in (agent, outsider):
            client.force_login(person)
            response = method(url, data)
            assert response.status_code == 403
            assert "insufficient_quota" not in _html(response)
    failed.refresh_from_db()
    assert failed.ai_state == AnalysisState.FAILED
    assert not SiteSettings.get_solo().is_analysis_paused
    assert not LogEntry.objects.exists()


def test_a_poll_without_a_session_is_sent_to_the_sign_in(client, db):
    response = client.get(reverse("monitor"), headers=HTMX | {"hx-current-url": "http://testserver/monitor/"})
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"{reverse('login')}?next=/monitor/"


def test_each_view_takes_its_own_method(site):
    assert site.post(reverse("monitor")).status_code == 405
    for name in ("retry_failed", "dismiss_failed", "pause_analysis", "resume_analysis"):
        assert site.get(reverse(name))["Location"] == reverse("monitor")
        assert site.put(reverse(name)).status_code == 405


def test_a_poll_gets_the_region_or_nothing_when_nothing_changed(site, failed):
    _beat()
    page = site.get(reverse("monitor"))
    assert "<html" in _html(page)
    assert "HX-Request" in page["Vary"]
    assert "no-store" in page["Cache-Control"]
    quiet = site.get(reverse("monitor"), {"seen": _digest(page)}, headers=HTMX)
    assert (quiet.status_code, quiet.content) == (204, b"")
    Analysis.objects.update(state=AnalysisState.DONE)
    news = site.get(reverse("monitor"), {"seen": _digest(page)}, headers=HTMX)
    assert news.status_code == 200
    assert "<html" not in _html(news)
    assert _html(news).lstrip().startswith('<div id="monitor"')
    assert _digest(news) != _digest(page)


def test_going_back_in_history_gets_the_whole_page(site):
    response = site.get(reverse("monitor"), headers=HTMX | {"hx-history-restore-request": "true"})
    assert "<html" in _html(response)


def test_one_failed_analysis_is_asked_for_again(site, supervisor, failed, make_inquiry):
    other = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    response = site.post(reverse("retry_failed"), {"inquiry": failed.pk})
    assert response["Location"] == reverse("monitor")
    failed.refresh_from_db()
    other.refresh_from_db()
    assert (failed.ai_state, other.ai_state) == (AnalysisState.QUEUED, AnalysisState.FAILED)
    assert InquiryEvent.objects.get(kind=EventKind.RETRIED).actor == supervisor


def test_all_failed_analyses_are_asked_for_again(site, failed, make_inquiry):
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.TIMEOUT)
    response = site.post(reverse("retry_failed"), {"inquiry": "all"}, headers=HTMX)
    html = _html(response)
    assert Analysis.objects.live().count() == 2
    assert 'id="monitor"' in html
    assert "hx-swap-oob=" in html
    assert "2 " in html.split('id="messages"')[1]


def test_a_second_retry_is_told_that_the_first_is_under_way(site, failed):
    site.post(reverse("retry_failed"), {"inquiry": failed.pk}, follow=True)
    response = site.post(reverse("retry_failed"), {"inquiry": failed.pk}, follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]
    assert failed.analyses.live().count() == 1


@pytest.mark.parametrize("name", ["retry_failed", "dismiss_failed"])
@pytest.mark.parametrize("which", ["987654", "abc", "", "1" * 30, "²", "-1", "1;drop"])
def test_what_is_no_inquiry_is_not_found(site, failed, which, name):
    assert site.post(reverse(name), {"inquiry": which}).status_code == 404
    failed.refresh_from_db()
    assert failed.ai_state == AnalysisState.FAILED


def test_one_button_an_inquiry_however_often_it_failed(site, failed):
    Analysis.objects.create(inquiry=failed, state=AnalysisState.FAILED, due_at=None, finished_at=Now())
    html = _html(site.get(reverse("monitor")))
    assert html.count(f'id="retry-{failed.pk}"') == html.count(f'id="dismiss-{failed.pk}"') == 1


def test_what_was_mended_meanwhile_is_no_error_any_more(site, failed):
    type(failed).objects.filter(pk=failed.pk).update(ai_state=AnalysisState.DONE)
    html = _html(site.get(reverse("monitor")))
    assert "insufficient_quota" not in html
    assert 'id="retry-all"' not in html


def test_what_came_in_while_the_ai_was_off_is_counted_and_can_be_asked_for(site, settings, make_inquiry):
    make_inquiry(ai_state=AnalysisState.SKIPPED, ai_error=AIReason.DISABLED)
    settings.AI_ENGINE = "off"
    html = _html(site.get(reverse("monitor")))
    assert "tile-warn" in html
    assert 'id="retry-all"' not in html  # nothing would read them
    settings.AI_ENGINE = "embedded"
    assert 'id="retry-all"' in _html(site.get(reverse("monitor")))
    site.post(reverse("retry_failed"), {"inquiry": "all"})
    assert Analysis.objects.live().count() == 1


def test_details_are_text_and_never_markup(site, failed):
    failed.analyses.update(error_detail="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in _html(site.get(reverse("monitor")))


def test_it_costs_the_same_however_much_there_is(site, make_inquiry, django_assert_num_queries):
    def fill(number: int) -> None:
        for index in range(number):
            make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
            waiting = make_inquiry()
            waiting.analyses.update(error=AIReason.TIMEOUT, due_at=Now() + timedelta(minutes=5))
            make_inquiry(analysed=True, is_provisional=True, ai_error=AIReason.TIMEOUT)
            Heartbeat.objects.create(worker=f"{number}:{index}", version="0.1.0", threads=8)

    fill(3)
    site.get(reverse("monitor"))  # the desk's settings are in the cache now
    # session, person, two for permissions; seven counts, their oldest and reason; workers, failures, retries; two for
    # the counts of emails, one for their list, two for the backup. The last hour is in the cache for ten seconds.
    with django_assert_num_queries(20):
        site.get(reverse("monitor"))
    fill(15)
    with django_assert_num_queries(20):
        site.get(reverse("monitor"))


def test_a_paused_service_and_what_was_spent_are_shown(client, supervisor, settings):
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    breaker.failed("quota", "HTTP 429", is_permanent=True)
    budget.book(engine="openai", model="m", tokens_in=1200, tokens_out=34, cost=Decimal("0.5"), milliseconds=9)
    client.force_login(supervisor)
    page = client.get(reverse("monitor")).content.decode()
    assert "HTTP 429" in page
    assert "1234" in page.replace("\xa0", "").replace(".", "").replace(",", "")


def test_a_service_in_order_is_not_mentioned(client, supervisor, settings):
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    client.force_login(supervisor)
    assert "HTTP" not in client.get(reverse("monitor")).content.decode()


# --- Skip ----------------------------------------------------------------------------------------
def test_a_failed_analysis_is_set_aside_and_listed_no_more(site, supervisor, failed, make_inquiry):
    other = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.TIMEOUT)
    response = site.post(reverse("dismiss_failed"), {"inquiry": failed.pk}, headers=HTMX)
    html = _html(response)
    assert f"#{failed.pk}" in html.split('id="messages"')[1]
    assert f'id="retry-{failed.pk}"' not in html
    assert f'id="retry-{other.pk}"' in html
    assert InquiryEvent.objects.get().kind == EventKind.DISMISSED
    again = site.post(reverse("dismiss_failed"), {"inquiry": failed.pk}, follow=True)
    assert [message.level_tag for message in again.context["messages"]] == ["error"]


def test_skipping_says_which(site, failed):
    assert site.post(reverse("dismiss_failed")).status_code == 404


# --- The pause -----------------------------------------------------------------------------------
def test_the_analysis_is_paused_and_resumed(site, supervisor, agent, client, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert site.post(reverse("pause_analysis"))["Location"] == reverse("monitor")
    html = _html(site.get(reverse("monitor")))
    assert 'id="resume"' in html
    assert 'id="pause-analysis"' not in html
    assert supervisor.username in html.split('id="pause"')[1].split("</div>")[0]
    with django_capture_on_commit_callbacks(execute=True):
        response = site.post(reverse("resume_analysis"), headers=HTMX)
    assert not SiteSettings.get_solo().is_analysis_paused
    assert response.status_code == 200


def test_every_page_of_the_desk_says_that_it_is_paused(client, agent, outsider, inquiry):
    SiteSettings.objects.update_or_create(pk=1, defaults={"is_analysis_paused": True})
    client.force_login(agent)
    for url in (reverse("inbox"), reverse("detail", args=[inquiry.pk])):
        assert 'class="container-xxl ai-notice"' in _html(client.get(url))
    client.logout()
    assert "ai-notice" not in _html(client.get(reverse("status", args=[inquiry.public_token])))
    client.force_login(outsider)
    assert "ai-notice" not in _html(client.get(reverse("password_change")))


def test_a_second_pause_is_told_of_the_first(site):
    SiteSettings.objects.update_or_create(pk=1, defaults={"is_analysis_paused": True})
    response = site.post(reverse("pause_analysis"), follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]


# --- What else is to be seen ---------------------------------------------------------------------
def test_what_is_stuck_is_marked(site, make_inquiry):
    _beat()
    inquiry = make_inquiry()
    Analysis.objects.filter(inquiry=inquiry).update(due_at=Now() - timedelta(minutes=2))
    assert "tile-bad" in _html(site.get(reverse("monitor")))


def test_a_queue_out_of_reach_is_an_alarm(site, monkeypatch):
    _beat()
    monkeypatch.setattr("inquiries.metrics.waiting.HUEY.storage.ping", _refuse)
    assert _html(site.get(reverse("monitor"))).count('role="alert"') == 1


def _refuse() -> int:
    raise ConnectionRefusedError


def test_a_worker_of_another_version_is_marked(site):
    _beat()
    assert "worker-other" not in _html(site.get(reverse("monitor")))
    Heartbeat.objects.update(version="0.0.9")
    html = _html(site.get(reverse("monitor")))
    assert "worker-other" in html
    assert "0.0.9" in html


def test_the_last_hour_is_drawn_and_written_out(site, make_inquiry):
    for _index in range(3):
        Analysis.objects.filter(inquiry=make_inquiry(analysed=True)).update(started_at=Now(), duration_ms=22)
    html = _html(site.get(reverse("monitor")))
    assert html.count("<svg") == 3
    rows = re.findall(r'<tr><th scope="row">.*?</tr>', html)
    assert len(rows) == 12
    assert "<td>3</td>" in "".join(rows)
    assert re.search(r'x="\d+,', html) is None  # numbers of an SVG are no Spanish


@pytest.mark.parametrize(
    ("state", "light"),
    [
        (None, "light-green"),
        ({"failures": 1}, "light-amber"),
        ({"failures": 3, "last_error": "timeout", "open_until": timezone.now()}, "light-red"),
    ],
)
def test_the_mail_server_s_state_and_the_emails_that_need_a_person(site, settings, inquiry, state, light):
    settings.HAS_MAIL = True
    if state:
        ServiceState.objects.create(name="mail", **state)
    lost = Delivery.objects.create(
        inquiry=inquiry, kind=DeliveryKind.ANSWER, recipient="cliente@example.com", state=DeliveryState.UNKNOWN
    )
    html = _html(site.get(reverse("monitor")))
    section = html.split('<section id="mail"')[1].split("</section>")[0]
    assert light in section
    assert f'id="mail-{lost.pk}"' in section
    assert reverse("detail", args=[inquiry.pk]) in section
    assert "cliente@example.com" not in html


def test_without_a_mail_server_it_says_what_to_do(site, settings):
    settings.HAS_MAIL = False
    section = _html(site.get(reverse("monitor"))).split('<section id="mail"')[1].split("</section>")[0]
    assert "light-off" in section
    assert "EMAIL_URL" in section


@pytest.fixture
def lost(inquiry) -> Delivery:
    """An answer of which nobody knows whether it arrived."""
    row = Delivery.objects.create(
        inquiry=inquiry, kind=DeliveryKind.ANSWER, recipient=inquiry.email, state=DeliveryState.UNKNOWN, mail_id="<1@x>"
    )
    Delivery.objects.filter(pk=row.pk).update(due_at=None, finished_at=Now())
    return row


@pytest.mark.parametrize(
    ("name", "state"), [("resend_mail", DeliveryState.QUEUED), ("settle_mail", DeliveryState.SENT)]
)
def test_a_person_decides_about_an_email(site, lost, name, state):
    response = site.post(reverse(name), {"delivery": lost.pk}, headers=HTMX)
    assert response.status_code == 200
    lost.refresh_from_db()
    assert lost.state == state
    assert f'id="mail-{lost.pk}"' not in _html(response)
    again = site.post(reverse(name), {"delivery": lost.pk}, follow=True)
    assert [message.level_tag for message in again.context["messages"]] == ["error"]


@pytest.mark.parametrize("name", ["resend_mail", "settle_mail"])
def test_only_supervisors_decide_about_emails_here(client, agent, outsider, supervisor, lost, name):
    for person, code in ((None, 302), (agent, 403), (outsider, 403)):
        if person:
            client.force_login(person)
        assert client.post(reverse(name), {"delivery": lost.pk}).status_code == code
    lost.refresh_from_db()
    assert lost.state == DeliveryState.UNKNOWN
    client.force_login(supervisor)
    for which in ("987654", "abc", "", "²"):
        assert client.post(reverse(name), {"delivery": which}).status_code == 404


@pytest.mark.parametrize(
    ("state", "light"),
    [
        (None, "light-amber"),
        ({"last_success_at": timezone.now()}, "light-green"),
        ({"last_success_at": timezone.now() - timedelta(hours=27)}, "light-amber"),
    ],
)
def test_the_age_of_the_backup_is_shown(site, settings, state, light):
    settings.BACKUP_DAYS = 14
    if state:
        ServiceState.objects.create(name="backup", **state)
    section = _html(site.get(reverse("monitor"))).split('aria-labelledby="backup-title"')[1].split("</section>")[0]
    assert light in section
