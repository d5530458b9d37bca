from __future__ import annotations

import pytest
from django.conf import settings
from django.db import OperationalError
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse
from django.utils.formats import get_format

from pok.body import MOST_DISCARDED
from pok.middleware import BodyLimitMiddleware, DatabaseDownMiddleware, HtmxLoginMiddleware

TOO_LARGE = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1


# --- The size of a body ------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_huge_form_gets_a_page_that_names_the_limit(client):
    response = client.post("/", {"message": "a" * TOO_LARGE})

    assert response.status_code == 413
    assert "256" in response.content.decode()
    assert "10,000" not in response.content.decode()  # not as Spanish writes it
    assert f"10{get_format('THOUSAND_SEPARATOR', 'es')}000" in response.content.decode()
    assert "<form" not in response.content.decode()
    assert "Content-Security-Policy" in response


def test_a_huge_call_gets_json(client):
    response = client.post("/api/inquiries/create", "x" * TOO_LARGE, "application/json")

    assert response.status_code == 413
    assert "256" in response.json()["detail"]


@pytest.mark.parametrize("length", ["", "0", "262144", "abc", "-1"])
def test_other_bodies_pass(length):
    request = RequestFactory().post("/")
    request.META["CONTENT_LENGTH"] = length

    assert BodyLimitMiddleware(lambda _: HttpResponse("in"))(request).content == b"in"


@pytest.mark.parametrize(
    ("length", "headers", "rest"),
    [(TOO_LARGE, {}, 0), (TOO_LARGE, {"expect": "100-continue"}, TOO_LARGE), (MOST_DISCARDED + 1, {}, TOO_LARGE)],
    ids=["read", "nothing comes before our answer", "too much to read"],
)
def test_a_refused_body_is_read_where_the_client_would_not_see_the_answer(length, headers, rest):
    request = RequestFactory().post("/api/x", "x" * TOO_LARGE, "text/plain", headers=headers)
    request.META["CONTENT_LENGTH"] = length

    assert BodyLimitMiddleware(lambda _: HttpResponse("in"))(request).status_code == 413
    assert len(request.read()) == rest


# --- Language and time -------------------------------------------------------------------------
def language_of(client, **headers):
    return client.get("/entrar/", headers=headers)["Content-Language"]


@pytest.mark.django_db
def test_spanish_unless_chosen_whatever_the_browser_asks_for(client):
    assert language_of(client, accept_language="en-US,en;q=0.9") == "es"


@pytest.mark.django_db
@pytest.mark.parametrize(("cookie", "language"), [("en", "en"), ("es", "es"), ("fr", "es"), ("../x", "es"), ("", "es")])
def test_the_cookie_chooses(client, cookie, language):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = cookie

    assert language_of(client) == language


def test_the_profile_chooses_where_no_cookie_does(client, agent):
    agent.language = "en"
    agent.save()
    client.force_login(agent)

    assert client.get("/clave/")["Content-Language"] == "en"


@pytest.mark.parametrize("zone", ["America/Bogota", "", "Marte/Olympus", "/etc/passwd"])
def test_no_time_zone_of_a_profile_breaks_a_page(client, agent, zone):
    agent.time_zone = zone
    agent.save()
    client.force_login(agent)

    assert client.get("/clave/").status_code == 200


@pytest.mark.django_db
def test_the_api_speaks_spanish(client):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    assert client.get("/api/nada/")["Content-Language"] == "es"


# --- Fragments without a session -----------------------------------------------------------------
def fragment(path="/bandeja/", **headers):
    return RequestFactory().get(path, headers={"HX-Request": "true", **headers})


def to_login(_request):
    return HttpResponse(status=302, headers={"Location": reverse("login") + "?next=/fragmento/"})


def test_a_fragment_never_holds_the_sign_in():
    request = fragment(hx_current_url="https://desk.example/bandeja/?q=a+b")

    response = HtmxLoginMiddleware(to_login)(request)

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/entrar/?next=/bandeja/%3Fq%3Da%2Bb"


@pytest.mark.parametrize(
    ("request_", "inner"),
    [
        (RequestFactory().get("/bandeja/"), to_login),
        (fragment(), lambda _: HttpResponse("ok")),
        (fragment(), lambda _: HttpResponse(status=302, headers={"Location": "/bandeja/"})),
    ],
    ids=["page", "fragment", "other redirect"],
)
def test_everything_else_passes(request_, inner):
    response = HtmxLoginMiddleware(inner)(request_)

    assert response.status_code == inner(request_).status_code
    assert "HX-Redirect" not in response


# --- The database is down ------------------------------------------------------------------------
def test_only_an_outage_is_answered():
    middleware = DatabaseDownMiddleware(to_login)
    request = RequestFactory().get("/")
    request.resolver_match = None

    assert middleware.process_exception(request, ValueError("a bug")) is None
    assert middleware.process_exception(request, OperationalError("gone")).status_code == 503
