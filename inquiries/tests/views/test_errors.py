from __future__ import annotations

import json
from unittest import mock

import pytest
from django.contrib.staticfiles import finders
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import InterfaceError, OperationalError
from django.test import Client

from inquiries.tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
HOME = "inquiries.views.public.InquiryForm.fresh"


@pytest.fixture
def visitor():
    """A client that gets the answer to a crash instead of the crash."""
    return Client(raise_request_exception=False)


def failing(error):
    return mock.patch(HOME, side_effect=error)


# --- Pages -------------------------------------------------------------------------------------
def test_an_unknown_address_gives_a_page(client):
    response = client.get("/nada/")

    assert response.status_code == 404
    assert "<h1>" in response.content.decode()
    assert 'href="/"' in response.content.decode()


@pytest.mark.parametrize(("error", "status"), [(BadRequest("x"), 400), (PermissionDenied("x"), 403)])
def test_a_refusal_gives_a_page(visitor, error, status):
    with failing(error):
        response = visitor.get("/")

    assert response.status_code == status
    assert "<h1>" in response.content.decode()


def test_an_agent_is_led_back_to_the_inbox(client, agent):
    client.force_login(agent)

    assert 'href="/bandeja/"' in client.get("/nada/").content.decode()


def test_a_crash_gives_a_page_that_needs_nothing(visitor, django_assert_num_queries):
    visitor.get("/")
    with failing(RuntimeError("secreto")), django_assert_num_queries(0):
        response = visitor.get("/")

    page = response.content.decode()
    assert response.status_code == 500
    assert "<h1>" in page
    assert "secreto" not in page
    assert "Traceback" not in page


def test_the_crash_page_names_a_style_sheet_that_exists(visitor):
    with failing(RuntimeError):
        page = visitor.get("/").content.decode()

    assert 'href="/static/css/error.css"' in page
    assert finders.find("css/error.css")


def test_the_crash_page_does_without_collected_files(visitor):
    with failing(RuntimeError), mock.patch("inquiries.views.errors.static", side_effect=ValueError("no entry")):
        response = visitor.get("/")

    assert response.status_code == 500
    assert "<h1>" in response.content.decode()


# --- The API -----------------------------------------------------------------------------------
def test_an_unknown_address_of_the_api_gives_json(client):
    response = client.get("/api/nada/")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert set(response.json()) == {"detail"}


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("gone")])
def test_a_database_that_is_down_gives_the_api_a_503_in_json(visitor, error):
    with mock.patch("inquiries.services.intake.insert", side_effect=error):
        response = visitor.post(
            "/api/inquiries/create",
            {"customer_name": "Ana", "email": "ana@example.com", "message": "Hola, buenas."},
            "application/json",
        )

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert set(json.loads(response.content)) == {"detail"}
    assert "gone" not in response.content.decode()


# --- The database is down ------------------------------------------------------------------------
@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("gone")])
def test_a_database_that_is_down_gives_a_503(client, error):
    with failing(error):
        response = client.get("/")

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "no-store" in response["Cache-Control"]
    assert "<h1>" in response.content.decode()


def test_the_503_page_asks_the_database_nothing(client, agent, django_assert_num_queries):
    with failing(OperationalError), django_assert_num_queries(0):
        client.get("/")


def test_a_database_that_fails_before_the_view_gives_a_503_too(visitor, agent):
    """The session and the person are read by middleware, where `process_exception` does not reach."""
    visitor.force_login(agent)

    with mock.patch("django.contrib.sessions.backends.db.SessionStore.load", side_effect=OperationalError):
        response = visitor.get("/bandeja/")

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


# --- CSRF --------------------------------------------------------------------------------------
def test_a_form_without_token_gets_a_page_that_says_what_to_do():
    browser = Client(enforce_csrf_checks=True)

    response = browser.post("/entrar/", {"username": "x", "password": PASSWORD})

    assert response.status_code == 403
    assert "<h1>" in response.content.decode()
    assert PASSWORD not in response.content.decode()


def test_the_api_never_answers_with_a_page():
    from django.test import RequestFactory

    from inquiries.views.errors import csrf_failure

    response = csrf_failure(RequestFactory().post("/api/inquiries/create"))

    assert response.status_code == 403
    assert set(json.loads(response.content)) == {"detail"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("a=1&" * 1_100, "application/x-www-form-urlencoded"),
        ("customer_name=x", "application/x-www-form-urlencoded; charset=utf-16"),
        ("broken", "multipart/form-data"),
        ("broken", "multipart/form-data; boundary=x"),
        ("{}", "application/json"),
        ("%ff%fe=%00", "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_without_a_crash(body, content_type):
    for enforce in (False, True):
        response = Client(enforce_csrf_checks=enforce).post("/", body, content_type=content_type)

        assert 400 <= response.status_code < 500
        assert "<h1>" in response.content.decode()
