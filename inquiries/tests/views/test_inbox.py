from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import caches
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inquiries import services
from inquiries.models import Inquiry, SiteSettings
from inquiries.states import AnalysisState, Sentiment, Status
from inquiries.tables import PER_PAGE
from inquiries.views.listing import Listing

pytestmark = pytest.mark.django_db
URL = "/bandeja/"
CHANGES = "/bandeja/novedades/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


@pytest.fixture
def fresh_counters(monkeypatch) -> None:
    """The counters are up to a second old; here they are not."""
    monkeypatch.setattr("inquiries.models.inquiry.COUNTS_SECONDS", 0)


def body(response) -> str:
    return response.content.decode()


def digest(html: str) -> dict[str, str]:
    """What the page's poller sends back."""
    return dict(re.findall(r'name="(_\w+)" value="([^"]*)"', html))


# --- The list --------------------------------------------------------------------------------
def test_it_opens_on_what_waits_oldest_first(signed_in, make_inquiry):
    for status in Status:
        make_inquiry(customer_name=f"is-{status}", status=status)
    make_inquiry(customer_name="is-newer")
    html = body(signed_in.get(URL))
    assert html.index("is-new") < html.index("is-open") < html.index("is-newer")
    for hidden in ("is-answered", "is-closed", "is-spam"):
        assert hidden not in html


def test_a_row_says_everything_in_words(signed_in, inquiry):
    html = body(signed_in.get(URL))
    for words in ("Juana Pérez", "juana@example.com", "no puedo entrar", "Soporte Técnico", "Nueva", f"#{inquiry.pk}"):
        assert words in html
    assert f'href="{reverse("detail", args=[inquiry.pk])}"' in html
    assert 'title="' in html
    assert "83 %" in html


@pytest.mark.parametrize(
    ("fields", "mark"),
    [
        ({"ai_state": AnalysisState.QUEUED}, "ai-queued"),
        ({"ai_state": AnalysisState.RUNNING, "ai_started_at": timezone.now()}, "ai-running"),
        ({"ai_state": AnalysisState.FAILED, "ai_error": "quota"}, "ai-failed"),
        ({"ai_state": AnalysisState.SKIPPED, "ai_error": "disabled"}, "ai-skipped"),
        ({"ai_state": AnalysisState.DONE, "confidence": 0.9}, "ai-done-high"),
        ({"ai_state": AnalysisState.DONE, "confidence": 0.6}, "ai-done-medium"),
        ({"ai_state": AnalysisState.DONE, "confidence": 0.2}, "ai-done-low"),
        ({"ai_state": AnalysisState.DONE, "confidence": 0.2, "is_provisional": True}, "ai-provisional"),
    ],
)
def test_each_state_of_the_ai_has_its_badge(signed_in, make_inquiry, fields, mark):
    inquiry = make_inquiry(**fields)
    html = body(signed_in.get(URL))
    assert mark in html
    assert inquiry.get_ai_error_display() in html


def test_markup_of_customers_is_text(signed_in, make_inquiry):
    make_inquiry(customer_name="<b>Ana</b>", message="<script>alert(1)</script> hola", email="a&b@example.com")
    html = body(signed_in.get(URL))
    assert "<b>Ana" not in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?status=all", {"Ana", "Bruno"}),
        ("?status=closed", {"Bruno"}),
        ("?sentiment=Negativo", {"Ana"}),
        ("?q=entrar", {"Ana"}),
        ("?q=entrar&status=closed", set()),
        ("?review=1", {"Ana"}),
        ("?status=", {"Ana"}),
    ],
)
def test_the_address_narrows_the_list(signed_in, make_inquiry, query, expected):
    make_inquiry(analysed=True, customer_name="Ana", needs_review=True)
    make_inquiry(customer_name="Bruno", message="Quiero otra cosa", status=Status.CLOSED)
    html = body(signed_in.get(URL + query))
    assert {name for name in ("Ana", "Bruno") if name in html} == expected


def test_a_mistake_in_the_filter_is_named_and_shows_no_rows(signed_in, inquiry):
    response = signed_in.get(URL + "?created_after=ayer")
    assert response.status_code == 422
    assert "2026-01-31" in body(response)
    assert "Juana" not in body(response)


def test_tabs_count_and_keep_the_other_filters(signed_in, make_inquiry):
    make_inquiry()
    make_inquiry(status=Status.CLOSED, needs_review=True)
    listing = signed_in.get(URL + "?q=cuenta&page=3").context["listing"]
    tabs = {tab.name: tab for tab in listing.tabs}
    assert (tabs["waiting"].count, tabs["closed"].count, tabs["review"].count) == (1, 1, 0)
    assert tabs["closed"].url == URL + "?q=cuenta&status=closed"
    assert tabs["waiting"].is_current
    assert not tabs["closed"].is_current


def test_counters_stop_at_the_cap(signed_in, make_inquiry, monkeypatch):
    counts = dict.fromkeys([*Status.values, "review"], 10_001)
    monkeypatch.setattr("inquiries.models.inquiry.InquiryQuerySet.counted", lambda self: counts)
    assert "10\N{NO-BREAK SPACE}000+" in body(signed_in.get(URL))


@pytest.mark.parametrize("query", ["", "?review=1", "?status=closed", "?q=zzz", "?q=zzz&status=all"])
def test_an_empty_list_says_why(signed_in, query):
    html = body(signed_in.get(URL + query))
    assert 'class="panel empty"' in html
    assert "<table" not in html


def test_pages_follow_one_another(signed_in, make_inquiry):
    for _ in range(PER_PAGE + 1):
        make_inquiry()
    assert 'rel="next" href="/bandeja/?status=all&amp;page=2"' in body(signed_in.get(URL + "?status=all"))
    second = body(signed_in.get(URL + "?status=all&page=2"))
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second


# --- Who may see it --------------------------------------------------------------------------
@pytest.mark.parametrize("url", [URL, CHANGES])
def test_strangers_are_sent_to_the_sign_in(client, inquiry, url):
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/entrar/?next=")


def test_an_account_without_a_role_sees_no_data(client, outsider, inquiry):
    client.force_login(outsider)
    page = client.get(URL)
    assert page.status_code == 403
    assert "Juana" not in body(page)
    assert client.get(CHANGES).status_code == 404


@pytest.mark.parametrize("who", ["agent", "other_agent", "supervisor"])
def test_the_team_sees_the_list(client, request, inquiry, who):
    client.force_login(request.getfixturevalue(who))
    html = body(client.get(URL))
    assert "Juana" in html
    assert ("/monitor/" in html) is (who == "supervisor")


@pytest.mark.parametrize("url", [URL, CHANGES])
def test_only_reading_is_allowed(signed_in, url):
    assert signed_in.post(url).status_code == 405


# --- Page and region -------------------------------------------------------------------------
def test_htmx_gets_the_region_and_history_the_page(signed_in, inquiry):
    region = signed_in.get(URL, headers=HTMX)
    assert "<html" not in body(region)
    assert "HX-Request" in region["Vary"]
    assert "no-store" in region["Cache-Control"]
    restored = signed_in.get(URL, headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert "<html" in body(restored)


@pytest.mark.parametrize("rows", [1, PER_PAGE + 1])
def test_a_page_asks_one_question_beyond_who_is_there_and_four_in_a_new_process(
    signed_in, make_inquiry, django_assert_num_queries, monkeypatch, rows
):
    monkeypatch.setattr("inquiries.models.inquiry.COUNTS_SECONDS", 60)
    SiteSettings.get_solo()  # made by the first who asks
    for _ in range(rows):
        make_inquiry(analysed=True)
    with django_assert_num_queries(4 + 4):  # session, person, two for the permissions; rows, counters, names, settings
        signed_in.get(URL)
    with django_assert_num_queries(4 + 1) as captured:
        signed_in.get(URL)
    sql = captured.captured_queries[-1]["sql"]
    for long in ("suggested_reply", '"reply"', '"examples"', '"keywords"'):
        assert long not in sql


def test_a_filtered_page_asks_for_its_category_too(
    signed_in, make_inquiry, categories, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr("inquiries.models.inquiry.COUNTS_SECONDS", 60)
    make_inquiry(analysed=True)
    signed_in.get(URL)
    with django_assert_num_queries(4 + 2):
        signed_in.get(URL + "?category=Soporte+T%C3%A9cnico&sentiment=Negativo&status=all")


def test_a_new_category_can_be_asked_for_at_once_and_is_listed_soon(signed_in, make_inquiry, categories):
    signed_in.get(URL)
    renamed = categories["Ventas"]
    renamed.name = "Comercial"
    renamed.save()
    make_inquiry(category=renamed, customer_name="Ana")
    assert "Ana" in body(signed_in.get(URL + "?category=Comercial"))
    caches["local"].clear()
    assert '<option value="Comercial" selected>' in body(signed_in.get(URL + "?category=Comercial"))


def test_counters_are_shared_for_a_second_and_ones_own_work_shows_at_once(signed_in, make_inquiry, agent, monkeypatch):
    monkeypatch.setattr("inquiries.models.inquiry.COUNTS_SECONDS", 60)
    inquiry = make_inquiry()
    assert signed_in.get(URL).context["listing"].counters["waiting"] == 1
    make_inquiry()
    assert signed_in.get(URL).context["listing"].counters["waiting"] == 1
    services.close(inquiry, actor=agent)
    counters = signed_in.get(URL).context["listing"].counters
    assert (counters["waiting"], counters["closed"]) == (1, 1)


def test_counters_of_others_are_not_for_who_may_see_nothing(signed_in, inquiry, outsider):
    signed_in.get(URL)
    assert set(Listing(outsider, QueryDict()).counters.values()) == {0}
    assert Listing(outsider, QueryDict()).rows == []
    assert Listing(outsider, QueryDict()).newest == 0


# --- The poller ------------------------------------------------------------------------------
def poll(client: Client, state: dict[str, str], query: str = ""):
    return client.get(f"{CHANGES}{query or '?'}&{urlencode(state)}", headers=HTMX)


def test_nothing_new_is_204(signed_in, inquiry):
    state = digest(body(signed_in.get(URL)))
    assert state["_shown"] == f"{inquiry.pk}.{inquiry.row_version}"
    assert poll(signed_in, state).status_code == 204


def test_a_changed_row_comes_alone_and_in_place(signed_in, make_inquiry, agent, categories):
    first, second = make_inquiry(analysed=True), make_inquiry(customer_name="Otra")
    state = digest(body(signed_in.get(URL)))
    services.correct_sentiment(first, actor=agent, sentiment=Sentiment.POSITIVE)
    response = poll(signed_in, state)
    html = body(response)
    assert f'<tr role="row" id="inquiry-{first.pk}"' in html
    assert 'hx-swap-oob="morph"' in html
    assert f'id="inquiry-{second.pk}"' not in html
    assert poll(signed_in, digest(html)).status_code == 204


def test_a_row_that_left_the_filter_stays_and_says_so(signed_in, inquiry, agent):
    state = digest(body(signed_in.get(URL)))
    services.close(inquiry, actor=agent)
    html = body(poll(signed_in, state))
    assert "is-gone" in html
    assert f'id="inquiry-{inquiry.pk}"' in html


def test_new_inquiries_are_counted_for_this_filter_only(signed_in, make_inquiry, categories, fresh_counters):
    make_inquiry(analysed=True)
    query = "?sentiment=Negativo"
    state = digest(body(signed_in.get(URL + query)))
    make_inquiry(sentiment=Sentiment.POSITIVE)
    unrelated = poll(signed_in, state, query)
    assert digest(body(unrelated))["_news"] == "0"
    make_inquiry(analysed=True)
    html = body(poll(signed_in, digest(body(unrelated)), query))
    assert digest(html)["_news"] == "1"
    assert 'href="/bandeja/?sentiment=Negativo"' in html


def test_new_inquiries_show_even_where_the_oldest_come_first(signed_in, make_inquiry):
    for _ in range(PER_PAGE + 3):
        make_inquiry()
    state = digest(body(signed_in.get(URL)))
    make_inquiry()
    assert digest(body(poll(signed_in, state)))["_news"] == "1"


@pytest.mark.parametrize("shown", ["", "x", "1", "1.2.3", "999999999999999999.1", "-1.1", ",,,", "1.1," * 5000])
def test_a_broken_digest_is_harmless(signed_in, inquiry, shown):
    response = poll(signed_in, {"_shown": shown, "_newest": "²", "_news": "", "_counters": ""})
    assert response.status_code == 200


def test_polling_asks_one_question_and_reads_no_texts(signed_in, make_inquiry, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr("inquiries.models.inquiry.COUNTS_SECONDS", 60)
    for _ in range(3):
        make_inquiry()
    state = digest(body(signed_in.get(URL + "?sentiment=&status=all")))
    with django_assert_num_queries(4 + 1) as captured:
        assert poll(signed_in, state, "?status=all").status_code == 204
    assert not any('"message"' in query["sql"] for query in captured.captured_queries)


def test_a_poll_without_a_session_leads_back_to_the_page(client, inquiry):
    headers = HTMX | {"HX-Current-URL": "http://testserver/bandeja/?q=x"}
    response = client.get(CHANGES, headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/entrar/?next=/bandeja/%3Fq%3Dx"


def test_ages_are_short(signed_in, make_inquiry):
    for minutes, text in ((5, "5 min"), (180, "3 h"), (60 * 24 * 5, "5 d")):
        make_inquiry(created_at=timezone.now() - timedelta(minutes=minutes))
        assert f">{text}</time>" in body(signed_in.get(URL))
    assert Inquiry.objects.count() == 3


def test_new_ones_beyond_the_page_are_shown_newest_first(signed_in, make_inquiry):
    for _ in range(PER_PAGE + 1):
        make_inquiry()
    state = digest(body(signed_in.get(URL)))
    new = make_inquiry(customer_name="La nueva")
    html = body(signed_in.get(CHANGES, state, headers=HTMX))
    link = re.search(r'id="new-bar".*?href="([^"]*)"', html, re.DOTALL)
    assert link is not None
    assert f"/bandeja/{new.pk}/" in body(signed_in.get(link[1].replace("&amp;", "&")))
