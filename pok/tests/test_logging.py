"""Nothing that is a customer's, and no secret, may reach a log line: planted here by real requests, then looked for."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings as django_settings
from django.db import DataError, IntegrityError, OperationalError
from django.test import Client
from django.urls import reverse

from inquiries import analysis
from inquiries.ai.engine import AIError, ErrorKind
from inquiries.forms import new_ticket
from inquiries.models import Analysis, ApiKey, Inquiry
from inquiries.tests import factories
from pok.logging import OnceAMinute, describe_error, get_logger, logging_config

SECRET = "palabra-secreta-del-cliente"
API_CREATE = "/api/inquiries/create"


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that the process would print, in the format of production."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(_formatter())
    loggers = [logging.getLogger(), logging.getLogger("huey")]
    for logger in loggers:
        logger.addHandler(handler)
    yield Lines(handler)
    for logger in loggers:
        logger.removeHandler(handler)


class Lines:
    def __init__(self, handler: logging.StreamHandler[io.StringIO]) -> None:
        self.handler = handler

    @property
    def text(self) -> str:
        return self.handler.stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def named(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.all() if line["event"] == event]


def _formatter() -> logging.Formatter:
    options = dict(django_settings.LOGGING["formatters"]["pok"])
    return options.pop("()")(**options)


def test_a_request_gives_one_line_with_route_code_person_and_duration(client, agent, lines):
    client.force_login(agent)
    response = client.get(reverse("inbox"))
    (line,) = lines.all()
    assert line["event"] == "request_finished"
    assert (line["method"], line["route"], line["code"], line["user_id"]) == ("GET", "inbox", 200, agent.pk)
    assert line["request_id"] == response["X-Request-ID"]
    assert isinstance(line["duration_ms"], int)
    assert line.keys() == {
        "event",
        "method",
        "route",
        "code",
        "user_id",
        "request_id",
        "duration_ms",
        "level",
        "logger",
        "timestamp",
    }


def test_the_line_names_the_inquiry_that_the_request_is_about(client, agent, inquiry, lines):
    client.get(reverse("status", args=[inquiry.public_token]))
    client.get(reverse("receipt", args=[inquiry.public_token]))
    client.force_login(agent)
    client.get(reverse("detail", args=[inquiry.pk]))
    client.post(reverse("close", args=[inquiry.pk]), {"reason": ""})
    client.get(reverse("api_detail", args=[inquiry.pk]))
    client.get(reverse("inbox"))
    assert [line.get("inquiry_id") for line in lines.named("request_finished")] == [inquiry.pk] * 5 + [None]


def test_the_line_of_a_submission_names_the_new_inquiry(client, db, lines):
    form = {"customer_name": "Ana", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta"}
    client.post(API_CREATE, form, content_type="application/json")
    first = Inquiry.objects.get()
    client.post("/", form | {"ticket": new_ticket(age=60)})
    second = Inquiry.objects.exclude(pk=first.pk).get()
    assert [line["inquiry_id"] for line in lines.named("request_finished")] == [first.pk, second.pk]


def test_two_requests_have_two_ids(client, db, lines):
    client.get("/")
    client.get("/")
    first, second = lines.all()
    assert first["request_id"] != second["request_id"]


def test_the_health_check_leaves_no_line(client, db, lines):
    client.get("/healthz")
    assert lines.text == ""


def test_what_a_visitor_sends_leaves_no_trace(client, db, lines):
    form = {"customer_name": SECRET, "email": f"{SECRET}@example.com", "message": f"Hola, {SECRET}"}
    client.post("/", form)
    client.post(API_CREATE, form, content_type="application/json")
    client.post(API_CREATE, f'{{"broken": "{SECRET}', content_type="application/json")
    client.post(API_CREATE, form | {"email": SECRET}, content_type="application/json")
    client.get("/", {"q": SECRET}, headers={"user-agent": SECRET, "referer": f"http://x/{SECRET}"})
    client.post("/" + SECRET, form)
    assert len(lines.named("request_finished")) == 6
    assert SECRET not in lines.text


def test_tokens_and_paths_leave_no_trace(client, inquiry, lines):
    token = inquiry.public_token
    with_checks = Client(enforce_csrf_checks=True)
    for url in (reverse("status", args=[token]), reverse("receipt", args=[token]), f"/consulta/{token}/nada"):
        client.get(url)
        client.post(url)
        with_checks.post(url, {"message": SECRET})  # Django itself would log this path
    client.get(reverse("status", args=[token]), headers={"host": "evil.example"})
    assert len(lines.named("request_finished")) == 10
    assert token not in lines.text
    assert "/consulta" not in lines.text
    assert SECRET not in lines.text


def test_an_unknown_address_has_no_route(client, db, lines):
    client.get(f"/{SECRET}/")
    (line,) = lines.named("request_finished")
    assert (line["route"], line["code"]) == (None, 404)


def test_a_forbidden_host_is_one_line_too(client, db, lines):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert [line["code"] for line in lines.named("request_finished")] == [400]


def test_a_body_that_is_too_large_is_one_line_too(client, db, lines):
    client.post("/", {"message": SECRET * 20_000})
    assert [line["code"] for line in lines.named("request_finished")] == [413]
    assert SECRET not in lines.text


def test_keys_leave_no_trace_but_their_number_does(client, db, lines):
    key, text = ApiKey.issue("Tienda")
    for sent in (text, "pok_" + SECRET):
        client.get("/api/inquiries/", headers={"authorization": f"Api-Key {sent}"})
    good, bad = lines.named("request_finished")
    assert (good["code"], good["api_key_id"]) == (200, key.pk)
    assert bad["code"] == 401
    assert text not in lines.text
    assert SECRET not in lines.text


def test_names_and_passwords_of_a_sign_in_leave_no_trace(client, agent, lines):
    for password in (*[SECRET] * django_settings.AXES_FAILURE_LIMIT, factories.PASSWORD):
        client.post(reverse("login"), {"username": "agente", "password": password})
    assert [line["code"] for line in lines.named("request_finished")][-1] == 429
    Client().post(reverse("login"), {"username": "agente", "password": factories.PASSWORD}, REMOTE_ADDR="10.1.2.3")
    for planted in (SECRET, factories.PASSWORD, "agente", "10.1.2.3"):
        assert planted not in lines.text


# --- Crashes -----------------------------------------------------------------------------------
def test_a_crash_has_its_trace_and_no_text_of_the_customer(client, inquiry, lines, monkeypatch):
    def crash(*args: object, **kwargs: object) -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise IntegrityError(f"DETAIL: Failing row contains ({SECRET})") from error

    monkeypatch.setattr("inquiries.views.status.render", crash)
    client.raise_request_exception = False
    response = client.get(reverse("status", args=[inquiry.public_token]), {"q": SECRET})
    assert response.status_code == 500
    (line,) = lines.all()
    assert (line["event"], line["code"], line["route"]) == ("request_failed", 500, "status")
    assert line["request_id"] == response["X-Request-ID"]
    assert "test_logging.py" in line["exception"]
    assert line["exception"].index("ValueError") < line["exception"].index("IntegrityError")
    assert SECRET not in lines.text
    assert inquiry.public_token not in lines.text


def _raised(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"invalid literal: {SECRET}"),
        KeyError(SECRET),
        RuntimeError(SECRET),
        DataError(SECRET),
        OperationalError(f"server closed\nDETAIL: row ({SECRET})"),
    ],
)
def test_errors_that_may_quote_data_are_only_named(error):
    text = describe_error(_raised(error))
    assert type(error).__name__ in text
    assert "in _raised" in text
    assert SECRET not in text


def test_errors_of_code_and_services_say_what_is_wrong():
    assert describe_error(_raised(OperationalError("database is locked"))).endswith(
        "OperationalError: database is locked"
    )
    assert "'x'" in describe_error(_raised(AttributeError("no attribute 'x'")))


def test_a_suppressed_cause_stays_suppressed():
    def both() -> None:
        try:
            raise OSError("first")
        except OSError:
            raise OSError("second") from None

    with pytest.raises(OSError, match="second") as caught:
        both()
    assert "first" not in describe_error(caught.value)


def test_foreign_loggers_come_out_in_the_same_form(lines):
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("huey").exception("Unhandled exception in task %s.", "7")
    (line,) = lines.all()
    assert (line["event"], line["level"], line["logger"]) == ("Unhandled exception in task 7.", "error", "huey")
    assert "ValueError" in line["exception"]
    assert SECRET not in lines.text


def test_chatter_of_libraries_is_silent(lines):
    logging.getLogger("huey").info("Executing task")
    logging.getLogger("httpx").info("HTTP Request: POST https://api.example/?key=x")
    logging.getLogger("openai").debug("Request options")
    assert lines.text == ""


# --- The worker --------------------------------------------------------------------------------
class _Failing:
    name = "openai"

    def analyse(self, request: object) -> None:
        get_logger("inquiries.ai.test").warning("inside_the_engine")
        raise AIError(ErrorKind.RATE_LIMITED, f"insufficient_quota {SECRET}", permanent=False)


class _Broken:
    name = "openai"

    def analyse(self, request: object) -> None:
        raise KeyError(SECRET)


@pytest.mark.parametrize("engine", [_Failing(), _Broken()])
def test_lines_of_the_worker_carry_the_numbers_of_inquiry_and_analysis(
    make_inquiry, categories, monkeypatch, lines, engine
):
    monkeypatch.setattr(analysis, "engine_called", lambda name, model="": engine)
    inquiry = make_inquiry(message=f"Hola, {SECRET}", customer_name=SECRET)
    job = Analysis.objects.get()
    analysis.run(job.pk)
    assert len(lines.all()) >= 2
    for line in lines.all():
        assert (line["inquiry_id"], line["analysis_id"]) == (inquiry.pk, job.pk), line
    assert SECRET not in lines.text
    assert not structlog.contextvars.get_contextvars()
    assert Inquiry.objects.get().ai_state == "queued"


# --- A broker that is down -----------------------------------------------------------------------
def _record(name: str = "huey.consumer.Worker", level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 1, "Error reading from queue", None, None)


def test_an_error_of_the_queue_comes_through_once_a_minute(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("pok.logging.time.monotonic", lambda: clock[0])
    once = OnceAMinute()
    came: list[float] = []
    for _step in range(300):  # five minutes, a record a second
        if once.filter(_record()):
            came.append(clock[0])
        clock[0] += 1.0
    assert came == [1000.0, 1060.0, 1120.0, 1180.0, 1240.0]


def test_each_part_of_the_queue_has_its_own_minute_and_nothing_else_is_held_back():
    once = OnceAMinute()
    assert [once.filter(_record()), once.filter(_record()), once.filter(_record("huey"))] == [True, False, True]
    for record in (_record("inquiries.analysis"), _record("django.request"), _record(level=logging.WARNING)):
        assert all(once.filter(record) for _time in range(3))


def test_the_console_filters_that_way():
    configured = logging_config(debug=False)
    assert configured["filters"]["once_a_minute"]["()"] is OnceAMinute
    assert configured["handlers"]["console"]["filters"] == ["once_a_minute"]


# --- Where it goes -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("is_terminal", "expected"), [(True, structlog.dev.ConsoleRenderer), (False, structlog.processors.JSONRenderer)]
)
def test_json_is_for_machines_and_plain_lines_for_a_terminal(monkeypatch, is_terminal, expected):
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal, raising=False)
    configured = logging_config(debug=False)
    assert isinstance(configured["formatters"]["pok"]["processors"][-1], expected)
    assert configured["handlers"]["console"]["stream"] == "ext://sys.stdout"
