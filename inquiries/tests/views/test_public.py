from __future__ import annotations

import re
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from inquiries import services
from inquiries.forms import new_ticket, read_ticket
from inquiries.models import Inquiry, Message, SiteSettings
from inquiries.states import AnalysisState, MessageKind, SpamReason, Status
from inquiries.tests import factories

pytestmark = pytest.mark.django_db
GOOD = {"customer_name": "Ana López", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta."}
TYPED = "Un texto <único> & largo que nadie quiere escribir dos veces"
TYPED_ON_PAGE = "Un texto &lt;único&gt; &amp; largo que nadie quiere escribir dos veces"


@pytest.fixture(autouse=True)
def _unthrottled(settings):
    settings.THROTTLE = "off"


def filled(**changes):
    return {**GOOD, "web": "", "ticket": new_ticket(age=60), **changes}


def send(client, **changes):
    return client.post("/", filled(**changes))


def ticket_on(response):
    return re.search(r'name="ticket" value="([^"]+)"', response.content.decode())[1]


# --- The form ----------------------------------------------------------------------------------
def test_the_form_is_shown(client):
    response = client.get("/")

    assert response.status_code == 200
    assert read_ticket(ticket_on(response))
    assert response["Cache-Control"] == "private, no-cache"
    assert 'lang="es"' in response.content.decode()


def test_the_form_speaks_the_chosen_language(client):
    client.post("/idioma/", {"language": "en", "next": "/"})

    assert "How can we help you?" in client.get("/").content.decode()


def test_company_and_notice_are_shown_and_escaped(client):
    desk = SiteSettings.current()
    desk.company_name, desk.notice = "Café & Cía", "Cerrado el lunes <b>"
    desk.save()

    page = client.get("/").content.decode()

    assert "Café &amp; Cía" in page
    assert "Cerrado el lunes &lt;b&gt;" in page


def test_an_inquiry_is_taken_in_and_the_browser_sent_on(client):
    response = send(client, customer_name="  Ana  López ", message="uno\r\ndos tres")

    inquiry = Inquiry.objects.get()
    assert response.status_code == 302
    assert response["Location"] == reverse("receipt", args=[inquiry.public_token])
    assert (inquiry.customer_name, inquiry.message) == ("Ana López", "uno\ndos tres")
    assert (inquiry.status, inquiry.source, inquiry.ai_state) == (Status.NEW, "form", AnalysisState.QUEUED)
    assert inquiry.analyses.count() == 1


def test_a_page_that_was_open_for_two_days_works(client):
    assert send(client, ticket=new_ticket(age=172_800)).status_code == 302
    assert Inquiry.objects.get().status == Status.NEW


@pytest.mark.parametrize(
    ("field", "value"),
    [("customer_name", ""), ("email", "ana@"), ("message", ""), ("message", "¡¡!!"), ("message", "hola\x00 hola")],
)
def test_bad_input_is_refused_and_named_beside_its_field(client, field, value):
    response = send(client, **{field: value})

    page = response.content.decode()
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in page
    assert f'href="#id_{field}"' in page
    assert page.count("aria-invalid") == 1
    assert not Inquiry.objects.exists()


def test_a_too_long_message_is_refused_with_the_limit_and_kept(client):
    text = "a" * 10_001

    response = send(client, message=text)

    page = response.content.decode()
    assert response.status_code == 422
    assert "10\xa0000" in page
    assert text in page


def test_the_largest_message_is_taken(client):
    assert send(client, message="😀" * 9_998 + "ok").status_code == 302


def test_nothing_typed_is_lost_and_the_key_stays_when_a_field_is_bad(client):
    ticket = new_ticket(age=1)

    response = send(client, email="ana@", message=TYPED, ticket=ticket)

    assert TYPED_ON_PAGE in response.content.decode()
    assert 'value="ana@"' in response.content.decode()
    assert ticket_on(response) == ticket


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)("/").status_code == 405


# --- The guard ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"web": "http://spam.example"}, SpamReason.HONEYPOT), ({"ticket": "now"}, SpamReason.TOO_FAST)],
)
def test_what_only_a_script_does_is_set_aside_with_a_normal_receipt(client, agent, changes, reason):
    if changes.get("ticket"):
        changes = {"ticket": new_ticket()}

    response = client.post("/", filled(**changes), follow=True)

    inquiry = Inquiry.objects.get()
    assert response.status_code == 200
    assert response.redirect_chain[0][0] == reverse("receipt", args=[inquiry.public_token])
    assert (inquiry.status, inquiry.spam_reason) == (Status.SPAM, reason)
    assert inquiry.ai_state == AnalysisState.SKIPPED
    assert not inquiry.analyses.exists()

    services.unmark_spam(inquiry, actor=agent)  # a person whose browser filled the trap in is brought back
    inquiry.refresh_from_db()
    assert (inquiry.status, inquiry.ai_state) == (Status.OPEN, AnalysisState.QUEUED)


@pytest.mark.parametrize("ticket", ["", "forged", new_ticket()[:-2]])
def test_a_ticket_that_is_not_ours_costs_one_more_click_and_no_text(client, ticket):
    response = send(client, message=TYPED, ticket=ticket)

    assert response.status_code == 422
    assert TYPED_ON_PAGE in response.content.decode()
    assert not Inquiry.objects.exists()

    assert send(client, message=TYPED, ticket=ticket_on(response)).status_code == 302
    assert Inquiry.objects.get().status == Status.NEW


# --- Twins -------------------------------------------------------------------------------------
def test_a_double_click_or_a_reload_makes_one_inquiry(client):
    twin = filled()

    first, second = client.post("/", twin), client.post("/", twin)

    assert Inquiry.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_going_back_with_changed_text_asks_and_keeps_the_text(client):
    ticket = new_ticket(age=60)
    send(client, ticket=ticket)
    earlier = Inquiry.objects.get()

    response = send(client, ticket=ticket, message=TYPED)

    page = response.content.decode()
    assert response.status_code == 409
    assert TYPED_ON_PAGE in page
    assert reverse("receipt", args=[earlier.public_token]) in page
    assert Inquiry.objects.count() == 1

    assert send(client, ticket=ticket_on(response), message=TYPED).status_code == 302
    assert Inquiry.objects.count() == 2
    assert Inquiry.objects.filter(status=Status.NEW).count() == 2


# --- What goes wrong on our side -----------------------------------------------------------------
def test_too_many_are_told_to_wait_and_keep_their_text(client):
    with mock.patch("inquiries.views.public.public_limit", return_value=41.2):
        response = send(client, message=TYPED)

    assert response.status_code == 429
    assert response["Retry-After"] == "42"
    assert "42" in response.content.decode()
    assert TYPED_ON_PAGE in response.content.decode()
    assert not Inquiry.objects.exists()


def test_the_form_and_the_api_share_one_limit(client, settings):
    settings.THROTTLE = "on"
    allowed = int(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["public"].split("/")[0])

    codes = [send(client).status_code for _ in range(allowed + 1)]

    assert codes == [302] * allowed + [429]
    assert client.post("/api/inquiries/create", GOOD, "application/json").status_code == 429


def test_mistakes_do_not_count_against_the_limit(client):
    with mock.patch("inquiries.views.public.public_limit") as limit:
        send(client, email="ana@")

    limit.assert_not_called()


def test_a_database_that_is_down_costs_no_text(client):
    client.get("/")
    with mock.patch("inquiries.services.intake.insert", side_effect=OperationalError("gone")):
        response = send(client, message=TYPED)

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert TYPED_ON_PAGE in response.content.decode()


def test_a_failed_csrf_check_keeps_the_text_and_the_next_try_works():
    browser = Client(enforce_csrf_checks=True)

    refused = send(browser, message=TYPED)

    page = refused.content.decode()
    assert refused.status_code == 403
    assert TYPED_ON_PAGE in page
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]
    again = send(browser, message=TYPED, ticket=ticket_on(refused), csrfmiddlewaretoken=token)
    assert again.status_code == 302
    assert Inquiry.objects.get().status == Status.NEW


# --- The receipt -------------------------------------------------------------------------------
def test_the_receipt_has_the_number_and_the_private_link(client, make_inquiry):
    inquiry = make_inquiry()

    response = client.get(reverse("receipt", args=[inquiry.public_token]))

    page = response.content.decode()
    assert response.status_code == 200
    assert f"<strong>{inquiry.pk}</strong>" in page
    assert inquiry.status_url in page


@pytest.mark.parametrize("name", ["receipt", "status"])
def test_private_pages_stay_private(client, make_inquiry, name):
    response = client.get(reverse(name, args=[make_inquiry().public_token]))

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]


@pytest.mark.parametrize("path", ["/recibida/{}/", "/consulta/{}/"])
@pytest.mark.parametrize("token", ["x", "a" * 32, "a" * 5_000, "%00", "1", "..%2f"])
def test_an_unknown_token_is_nothing(client, make_inquiry, path, token):
    make_inquiry()

    assert client.get(path.format(token)).status_code == 404


@pytest.mark.parametrize("name", ["receipt", "status"])
def test_private_pages_take_no_post(client, make_inquiry, name):
    assert client.post(reverse(name, args=[make_inquiry().public_token])).status_code == 405


# --- The status page -----------------------------------------------------------------------------
def status_page(client, inquiry, **headers):
    return client.get(reverse("status", args=[inquiry.public_token]), headers=headers)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Status.NEW, "received"),
        (Status.SPAM, "received"),
        (Status.OPEN, "in-progress"),
        (Status.ANSWERED, "answered"),
        (Status.CLOSED, "closed"),
    ],
)
def test_the_state_is_told_in_the_customers_words(client, make_inquiry, status, shown):
    page = status_page(client, make_inquiry(status=status)).content.decode()

    assert f"status-{shown}" in page
    assert "spam" not in page.lower()


def test_published_answers_are_shown_and_nothing_internal(client, make_inquiry, agent):
    inquiry = make_inquiry(analysed=True, message="Mi mensaje <b>", suggested_reply="Borrador secreto")
    Message.objects.create(inquiry=inquiry, kind=MessageKind.NOTE, body="Nota interna", author=agent)
    assert "Borrador secreto" not in status_page(client, inquiry).content.decode()

    factories.answer(inquiry, actor=agent, text="Hola Juana:\n<i>listo</i>", version=0)

    page = status_page(client, inquiry).content.decode()
    assert "Hola Juana:\n&lt;i&gt;listo&lt;/i&gt;" in page
    assert "Mi mensaje &lt;b&gt;" in page
    for hidden in ("Nota interna", "Borrador", "Soporte Técnico", "Negativo", agent.username, inquiry.email):
        assert hidden not in page


def test_an_answer_stays_after_the_team_files_it_as_spam(client, make_inquiry, agent):
    inquiry = make_inquiry(analysed=True)
    inquiry = factories.answer(inquiry, actor=agent, text="Listo", version=0)
    services.mark_spam(inquiry, actor=agent)

    assert "status-answered" in status_page(client, inquiry).content.decode()


def test_the_poller_gets_the_region_only_when_something_changed(client, make_inquiry, agent):
    inquiry = make_inquiry(analysed=True)
    page = status_page(client, inquiry)
    address = re.search(r'hx-get="([^"]+)"', page.content.decode())[1]
    headers = {"HX-Request": "true"}
    assert client.get(address, headers=headers).status_code == 204

    inquiry.move_to(Status.OPEN, actor=agent)
    changed = client.get(address, headers=headers)
    assert changed.status_code == 200
    assert "<html" not in changed.content.decode()
    assert "hx-trigger" in changed.content.decode()

    factories.answer(inquiry, actor=agent, text="Listo", version=0)
    last = client.get(address, headers=headers)
    assert last.status_code == 286
    assert "hx-trigger" not in last.content.decode()
    assert "Listo" in last.content.decode()


def test_page_and_region_are_told_apart_by_caches(client, make_inquiry):
    response = status_page(client, make_inquiry())

    assert "HX-Request" in response["Vary"]
    assert "<html" in response.content.decode()


def test_a_finished_page_does_not_poll(client, make_inquiry):
    assert "hx-trigger" not in status_page(client, make_inquiry(status=Status.CLOSED)).content.decode()


def test_the_status_page_costs_two_queries(client, make_inquiry, django_assert_num_queries):
    inquiry = make_inquiry()
    client.get("/")  # the desk's settings are read once in five seconds

    with django_assert_num_queries(2):
        status_page(client, inquiry)


def test_the_form_costs_no_query(client, django_assert_num_queries):
    client.get("/")

    with django_assert_num_queries(0):
        client.get("/")


def test_the_language_can_be_changed_on_a_page_without_referrer(make_inquiry):
    path = reverse("status", args=[make_inquiry().public_token])
    browser = Client(enforce_csrf_checks=True, headers={"Origin": "null"})

    response = browser.post("/idioma/", {"language": "en", "next": path}, follow=True)

    assert response.redirect_chain[0][0] == path
    assert 'lang="en"' in response.content.decode()


# --- Machines ------------------------------------------------------------------------------------
def test_crawlers_are_kept_out_of_private_pages(client):
    response = client.get("/robots.txt")

    assert response["Content-Type"].startswith("text/plain")
    lines = response.content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert {f"Disallow: {path}" for path in ("/consulta/", "/recibida/", "/bandeja/", "/admin/")} <= set(lines)
    assert "Disallow: /" not in lines


def test_the_icon_is_found(client):
    assert client.get("/favicon.ico")["Location"].endswith("/img/pok.svg")
