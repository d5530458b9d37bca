from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connections
from django.db.models.functions import Now
from django.urls import reverse
from prometheus_client.parser import text_string_to_metric_families

from inquiries import breaker, budget
from inquiries.models import Analysis, Delivery, Heartbeat, SiteSettings
from inquiries.states import AIReason, AnalysisState, DeliveryKind, DeliveryState

TOKEN = "una-clave-de-medidas-ñ"
URL = "/metrics"
Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


@pytest.fixture
def token(settings) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def _headers(token: str, scheme: str = "Bearer") -> dict[str, str]:
    # As a web server hands it over: bytes, read as Latin-1.
    return {"HTTP_AUTHORIZATION": f"{scheme} {token}".encode(errors="surrogateescape").decode("latin-1")}


def _scraped(client) -> Samples:
    response = client.get(URL, **_headers(TOKEN))
    assert response.status_code == 200
    found: Samples = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def _value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get(name, {}).get(tuple(sorted(labels.items())), 0.0)


# --- Who may ask ---------------------------------------------------------------------------------
def test_without_the_variable_there_is_no_such_address(client, db, settings):
    settings.METRICS_TOKEN = ""
    for header in ({}, _headers(""), _headers("x")):
        assert client.get(URL, **header).status_code == 404


@pytest.mark.parametrize(
    "header",
    [{}, _headers(""), _headers("otra"), _headers(TOKEN + "x"), _headers(TOKEN, "Basic"), _headers("\udcff")],
    ids=["none", "empty", "wrong", "longer", "other scheme", "no text"],
)
def test_another_token_is_refused(client, token, header):
    response = client.get(URL, **header)  # and no database is asked: this test has none
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert b"pok_" not in response.content


def test_no_role_takes_the_place_of_the_token(client, token, supervisor, agent, outsider):
    for person in (supervisor, agent, outsider):
        client.force_login(person)
        assert client.get(URL).status_code == 401


def test_it_is_read_only_without_a_session_and_never_stored(client, token, db):
    response = client.get(URL, **_headers(TOKEN))
    assert response["Content-Type"].startswith("text/plain; version=")
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    assert not Session.objects.exists()
    assert client.post(URL, **_headers(TOKEN)).status_code == 405
    assert reverse("metrics") == URL


# --- What this process counts --------------------------------------------------------------------
def test_requests_are_counted_by_route_method_and_kind_of_answer(client, token, inquiry):
    before = _scraped(client)
    client.get(reverse("status", args=[inquiry.public_token]))
    client.get(reverse("status", args=[inquiry.public_token]))
    client.get(reverse("status", args=["otro"]))
    client.get("/nada/secreta")
    client.generic("BREW", "/")
    after = _scraped(client)

    def rise(**labels: str) -> float:
        name = "pok_http_requests_total"
        return _value(after, name, **labels) - _value(before, name, **labels)

    assert rise(route="status", method="GET", code="2xx") == 2
    assert rise(route="status", method="GET", code="4xx") == 1
    assert rise(route="", method="GET", code="4xx") == 1
    assert rise(route="home", method="other", code="4xx") == 1
    assert rise(route="metrics", method="GET", code="2xx") == 1
    took = "pok_http_request_seconds_count"
    assert _value(after, took, route="status") - _value(before, took, route="status") == 3


def test_no_label_carries_a_path_or_a_token(client, token, inquiry):
    client.get(reverse("status", args=[inquiry.public_token]))
    client.get("/nada/secreta")
    text = client.get(URL, **_headers(TOKEN)).content.decode()
    for planted in (inquiry.public_token, "secreta", inquiry.email, inquiry.customer_name, TOKEN):
        assert planted not in text


def test_a_crash_counts_too(client, token, inquiry, monkeypatch):
    def crash(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    before = _scraped(client)
    client.raise_request_exception = False
    monkeypatch.setattr("inquiries.views.status.render", crash)
    client.get(reverse("status", args=[inquiry.public_token]))
    labels = {"route": "status", "method": "GET", "code": "5xx"}
    name = "pok_http_requests_total"
    assert _value(_scraped(client), name, **labels) == _value(before, name, **labels) + 1


def test_without_a_token_nothing_is_counted(client, db, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/").status_code == 200
    names = [middleware.__self__.__class__.__name__ for middleware in client.handler._view_middleware]
    assert "RequestCountMiddleware" not in names


# --- What the tables know ------------------------------------------------------------------------
def test_the_machine_s_figures(client, token, make_inquiry, categories):
    Heartbeat.objects.create(worker="caja:7", version="0.1.0", threads=8)
    waiting = make_inquiry()
    Analysis.objects.filter(inquiry=waiting).update(created_at=Now() - timedelta(minutes=5))
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.TIMEOUT)
    done = make_inquiry(analysed=True, engine="openai")
    Analysis.objects.filter(inquiry=done).update(
        started_at=Now(), created_at=Now() - timedelta(seconds=3), duration_ms=1_500, attempts=2
    )
    samples = _scraped(client)
    for state, count in (("queued", 1), ("running", 0), ("done", 1), ("failed", 1), ("skipped", 0)):
        assert _value(samples, "pok_inquiries", ai_state=state) == count
    assert _value(samples, "pok_analyses_last_hour", outcome="done", engine="openai", reason="") == 1
    assert _value(samples, "pok_analyses_last_hour", outcome="failed", engine="", reason="timeout") == 1
    assert _value(samples, "pok_analyses_repeated_last_hour") == 1
    assert _value(samples, "pok_analysis_reading_seconds_last_hour", quantile="0.95") == 1.5
    assert _value(samples, "pok_analysis_waiting_seconds_last_hour", quantile="0.5") == pytest.approx(3.0, abs=0.1)
    assert 300 <= _value(samples, "pok_oldest_waiting_seconds") < 310
    assert (_value(samples, "pok_workers_alive"), _value(samples, "pok_worker_threads")) == (1, 8)
    assert (_value(samples, "pok_database_up"), _value(samples, "pok_queue_up")) == (1, 1)
    assert _value(samples, "pok_analysis_paused") == 0
    assert [dict(labels)["version"] for labels in samples["pok_build_info"]] == ["0.1.0"]


def test_usage_is_a_counter_over_all_days(client, token, db):
    booked = {"engine": "openai", "model": "gpt-x", "cost": Decimal("0.25"), "milliseconds": 1_500}
    for _time in range(2):
        budget.book(tokens_in=100, tokens_out=20, **booked)
    samples = _scraped(client)
    labels = {"engine": "openai", "model": "gpt-x"}
    assert _value(samples, "pok_ai_calls_total", **labels) == 2
    assert _value(samples, "pok_ai_tokens_total", direction="in", **labels) == 200
    assert _value(samples, "pok_ai_tokens_total", direction="out", **labels) == 40
    assert _value(samples, "pok_ai_cost_total", **labels) == 0.5
    assert _value(samples, "pok_ai_seconds_total", **labels) == 3.0


def test_emails_by_state(client, token, inquiry):
    states = (DeliveryState.QUEUED, DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.UNKNOWN)
    for number, state in enumerate((*states, DeliveryState.SENT)):
        row = Delivery.objects.create(
            inquiry=inquiry, kind=DeliveryKind.RECEIPT, recipient="a@example.com", state=state, mail_id=f"<{number}@x>"
        )
        if state != DeliveryState.QUEUED:
            Delivery.objects.filter(pk=row.pk).update(due_at=None, finished_at=Now())
    samples = _scraped(client)
    assert [_value(samples, "pok_emails", state=state) for state in ("queued", "failed", "unknown")] == [1, 1, 2]
    assert _value(samples, "pok_emails_sent_last_hour") == 1


def test_services_that_are_set_up_are_up_or_not(client, token, settings, db):
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.HAS_MAIL = "auto", "k", False
    samples = _scraped(client)
    assert samples["pok_service_up"] == {(("service", "openai"),): 1.0}
    breaker.failed("quota", "", is_permanent=True)
    settings.HAS_MAIL = True
    assert _scraped(client)["pok_service_up"] == {(("service", "openai"),): 0.0, (("service", "mail"),): 1.0}


def test_a_pause_is_a_figure(client, token, db):
    SiteSettings.objects.update_or_create(pk=1, defaults={"is_analysis_paused": True})
    assert _value(_scraped(client), "pok_analysis_paused") == 1


def test_without_the_database_the_process_s_own_figures_remain(client, token, db, monkeypatch):
    client.get(URL, **_headers(TOKEN))

    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("could not connect to server")

    with monkeypatch.context() as patch:
        patch.setattr(type(connections["default"]), "cursor", refuse)
        samples = _scraped(client)
    assert _value(samples, "pok_http_requests_total", route="metrics", method="GET", code="2xx") >= 1
    assert samples["pok_database_up"] == {(): 0.0}
    assert "pok_inquiries" not in samples
    assert "process_resident_memory_bytes" in samples


def test_a_queue_out_of_reach_is_a_figure(client, token, db, monkeypatch):
    def refuse() -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("inquiries.metrics.waiting.HUEY.storage.ping", refuse)
    samples = _scraped(client)
    assert _value(samples, "pok_queue_up") == 0
    assert "pok_queue_entries" not in samples


def test_it_costs_the_same_however_much_there_is(client, token, make_inquiry, django_assert_num_queries):
    def fill(number: int) -> None:
        for index in range(number):
            make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
            make_inquiry(analysed=True)
            Heartbeat.objects.create(worker=f"{number}:{index}", version="0.1.0", threads=8)

    fill(2)
    _scraped(client)
    with django_assert_num_queries(20):
        _scraped(client)
    fill(10)
    with django_assert_num_queries(20):
        _scraped(client)
