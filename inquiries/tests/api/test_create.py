"""POST /api/inquiries/create."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from inquiries import services
from inquiries.models import Analysis, Inquiry
from inquiries.states import AnalysisState, Source, Status
from inquiries.tests.api.conftest import BODY, CREATE

PUBLIC = ["id", "customer_name", "email", "message", "status", "created_at", "status_url"]
WHOLE = [
    "id", "customer_name", "email", "message", "category", "sentiment", "suggested_reply", "reply", "status",
    "ai_state", "ai_error", "engine", "confidence", "needs_review", "provisional", "language", "source",
    "assignee", "created_at", "analysed_at", "answered_at", "status_url",
]  # fmt: skip
pytestmark = pytest.mark.django_db


def test_anyone_gets_what_a_customer_may_see(post):
    response = post()
    assert response.status_code == 201
    assert list(response.json()) == PUBLIC
    assert {name: response.json()[name] for name in BODY} == BODY
    assert response.json()["status"] == "new"


def test_a_key_gets_the_whole_inquiry(post, key):
    response = post(key=key)
    assert response.status_code == 201
    assert list(response.json()) == WHOLE
    data = response.json()
    assert (data["category"], data["sentiment"], data["suggested_reply"], data["reply"]) == (None,) * 4
    assert (data["ai_state"], data["ai_error"], data["source"], data["assignee"]) == ("queued", None, "api", None)
    assert (data["needs_review"], data["provisional"]) == (False, False)


def test_the_inquiry_and_its_analysis_are_stored(post):
    number = post().json()["id"]
    inquiry = Inquiry.objects.get(pk=number)
    assert (inquiry.customer_name, inquiry.email, inquiry.message) == tuple(BODY.values())
    assert (inquiry.source, inquiry.status) == (Source.API, Status.NEW)
    assert Analysis.objects.get().state == AnalysisState.QUEUED


def test_the_status_link_is_ours_whatever_host_was_called(post, settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.BASE_URL = "https://atencion.example.com"
    response = post(Host="malo.example.net")
    token = Inquiry.objects.get().public_token
    assert response.json()["status_url"] == f"https://atencion.example.com/consulta/{token}/"
    assert response["Location"] == response.json()["status_url"]


def test_with_a_key_the_location_is_the_api(post, key, settings):
    response = post(key=key)
    assert response["Location"] == f"{settings.BASE_URL}/api/inquiries/{response.json()['id']}/"


def test_times_are_iso_8601_in_utc(post, settings):
    settings.TIME_ZONE = "America/Bogota"
    assert post().json()["created_at"].endswith("Z")


def test_texts_are_cleaned_as_in_the_form(post):
    data = post(
        {"customer_name": "  Ana \t  Díaz ", "email": " ana@example.com\n", "message": "Hola\r\nadiós\r\n"}
    ).json()
    assert (data["customer_name"], data["email"], data["message"]) == ("Ana Díaz", "ana@example.com", "Hola\nadiós")


def test_a_trailing_slash_does_no_harm(client):
    assert client.post(CREATE + "/", BODY, content_type="application/json").status_code == 201


def test_a_signed_in_agent_is_a_caller_like_any_other(agent):
    client = Client(enforce_csrf_checks=True)
    client.force_login(agent)
    response = client.post(CREATE, BODY, content_type="application/json")
    assert response.status_code == 201
    assert list(response.json()) == PUBLIC


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_other_methods_are_refused(client, method):
    response = getattr(client, method)(CREATE)
    assert response.status_code == 405
    assert response["Allow"] == "POST, OPTIONS"
    assert method == "head" or "detail" in response.json()


def test_options_names_the_methods(client):
    response = client.options(CREATE)
    assert (response.status_code, response["Allow"]) == (204, "POST, OPTIONS")


def test_answers_are_not_kept_and_not_indexed(post):
    response = post()
    assert (response["Cache-Control"], response["X-Robots-Tag"]) == ("no-store", "noindex")


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("path", ["/api/", "/api/nada", "/api/inquiries/x/", "/api/inquiries/create/1", "/api/%00"])
def test_unknown_addresses_answer_in_json(path, method):
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert response.status_code == 404
    assert list(response.json()) == ["detail"]


def test_a_mistake_of_ours_is_a_500_in_json_without_a_trace(post, monkeypatch, settings):
    def fail(**_fields: object) -> None:
        raise RuntimeError("secreto interno")

    settings.DEBUG = True  # even then
    monkeypatch.setattr(services, "submit", fail)
    response = post()
    assert response.status_code == 500
    assert list(response.json()) == ["detail"]
    assert "secreto" not in response.text


def test_a_database_that_is_away_is_a_503(post, monkeypatch):
    def fail(**_fields: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(services, "submit", fail)
    response = post()
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert list(response.json()) == ["detail"]


def test_with_the_ai_switched_off_it_is_taken_in_all_the_same(post, key, settings):
    settings.AI_ENGINE = "off"
    data = post(key=key).json()
    assert (data["ai_state"], data["category"]) == ("skipped", None)
    assert data["ai_error"]
