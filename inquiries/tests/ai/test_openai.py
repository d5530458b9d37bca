"""The engine through the real SDK and real HTTP, against every way a server behaves."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from inquiries.ai.engine import AIError, CategorySpec, ErrorKind
from inquiries.ai.fake_server import SCENARIOS, FakeOpenAI, unreachable_url
from inquiries.ai.openai import OpenAIEngine
from inquiries.ai.prompts import PROMPT_VERSION
from inquiries.tests.ai.openai_helpers import (
    API_KEY,
    CUSTOMER_TEXT,
    failure_of,
    make_engine,
    make_request,
)

# scenario, kind, permanent, range of retry_after (None: none)
FAILURES = [
    ("429", ErrorKind.RATE_LIMITED, False, (7, 7)),
    ("429_date", ErrorKind.RATE_LIMITED, False, (80, 90)),
    ("429_long", ErrorKind.RATE_LIMITED, False, (3600, 3600)),
    ("429_odd", ErrorKind.RATE_LIMITED, False, None),
    ("429_past", ErrorKind.RATE_LIMITED, False, (0, 0)),
    ("429_no_retry_after", ErrorKind.RATE_LIMITED, False, None),
    ("quota", ErrorKind.QUOTA, False, (900, 900)),
    ("402", ErrorKind.QUOTA, False, (900, 900)),
    ("500", ErrorKind.SERVER_ERROR, False, None),
    ("502_html", ErrorKind.SERVER_ERROR, False, None),
    ("503", ErrorKind.SERVER_ERROR, False, (7, 7)),
    ("408", ErrorKind.SERVER_ERROR, False, None),
    ("409", ErrorKind.SERVER_ERROR, False, None),
    ("400", ErrorKind.BAD_REQUEST, True, None),
    ("400_list", ErrorKind.BAD_REQUEST, True, None),
    ("400_odd", ErrorKind.BAD_REQUEST, True, None),
    ("413", ErrorKind.BAD_REQUEST, True, None),
    ("422", ErrorKind.BAD_REQUEST, True, None),
    ("401", ErrorKind.AUTHENTICATION, True, None),
    ("403", ErrorKind.AUTHENTICATION, True, None),
    ("key_echo", ErrorKind.AUTHENTICATION, True, None),
    ("404", ErrorKind.MODEL_NOT_FOUND, True, None),
    ("azure_content_filter", ErrorKind.CONTENT_FILTER, True, None),
    ("content_filter", ErrorKind.CONTENT_FILTER, True, None),
    ("refusal", ErrorKind.REFUSED, True, None),
    ("truncated", ErrorKind.TRUNCATED, False, None),
    ("unknown_category", ErrorKind.UNKNOWN_CATEGORY, False, None),
    ("reset", ErrorKind.UNREACHABLE, False, None),
    ("broken_json", ErrorKind.BAD_ANSWER, False, None),
    ("empty_body", ErrorKind.BAD_ANSWER, False, None),
    ("not_utf8", ErrorKind.BAD_ANSWER, False, None),
    ("html", ErrorKind.BAD_ANSWER, False, None),
    ("json_list", ErrorKind.BAD_ANSWER, False, None),
    ("error_200", ErrorKind.BAD_ANSWER, False, None),
    ("wrong_schema", ErrorKind.BAD_ANSWER, False, None),
    ("not_json", ErrorKind.BAD_ANSWER, False, None),
    ("empty_content", ErrorKind.BAD_ANSWER, False, None),
    ("null_content", ErrorKind.BAD_ANSWER, False, None),
    ("empty_reply", ErrorKind.BAD_ANSWER, False, None),
    ("empty_choices", ErrorKind.BAD_ANSWER, False, None),
    ("null_choices", ErrorKind.BAD_ANSWER, False, None),
    ("null_message", ErrorKind.BAD_ANSWER, False, None),
    ("huge", ErrorKind.BAD_ANSWER, False, None),
    ("gzip", ErrorKind.BAD_ANSWER, False, None),
]
ANSWERS = ("ok", "fenced", "obey", "think", "no_usage")
SLOW = ("hang", "drip", "drip_headers")


@pytest.fixture(scope="module")
def server():
    with FakeOpenAI() as running:
        yield running


@pytest.fixture(scope="module")
def engine(server):
    with make_engine(server.base_url) as made:
        yield made


@pytest.fixture(autouse=True)
def _fresh(server):
    server.scenario = "ok"
    server.requests.clear()


def test_tables_cover_every_scenario():
    assert sorted([row[0] for row in FAILURES] + [*ANSWERS, *SLOW]) == sorted(SCENARIOS)


@pytest.mark.parametrize(("scenario", "kind", "permanent", "wait"), FAILURES, ids=[row[0] for row in FAILURES])
def test_failure(server, engine, scenario, kind, permanent, wait):
    server.scenario = scenario
    error = failure_of(lambda: engine.analyse(make_request()))
    assert (error.kind, error.permanent) == (kind, permanent)
    if wait is None:
        assert error.retry_after is None
    else:
        assert wait[0] <= error.retry_after <= wait[1]
    assert len(server.requests) == 1


@pytest.mark.parametrize("scenario", [row[0] for row in FAILURES])
def test_failure_quotes_neither_key_nor_customer(server, engine, scenario):
    server.scenario = scenario
    error = failure_of(lambda: engine.analyse(make_request()))
    told = "".join(traceback.format_exception(error))
    assert API_KEY not in told
    assert "cobro doble" not in told
    assert error.__context__ is None


@pytest.mark.parametrize("scenario", ANSWERS)
def test_answer(server, engine, scenario):
    server.scenario = scenario
    result = engine.analyse(make_request())
    assert (result.category, result.sentiment, result.language) == ("Facturación", "Negativo", "es")
    assert 0 < result.confidence <= 1
    assert "Juan Pérez" in result.reply
    assert (result.engine, result.model, result.prompt_version) == ("openai", "small-fake", PROMPT_VERSION)
    assert "Facturación" in result.raw
    assert len(server.requests) == 1


def test_tokens_come_from_usage(engine):
    result = engine.analyse(make_request())
    assert result.tokens_in > 100
    assert result.tokens_out > 10


def test_missing_usage_is_zero_tokens(server, engine):
    server.scenario = "no_usage"
    result = engine.analyse(make_request())
    assert (result.tokens_in, result.tokens_out) == (0, 0)


@pytest.mark.parametrize("scenario", ["truncated", "wrong_schema", "unknown_category", "refusal", "content_filter"])
def test_an_answer_that_is_of_no_use_tells_what_it_took(server, engine, scenario):
    server.scenario = scenario
    with pytest.raises(AIError) as caught:
        engine.analyse(make_request())
    assert caught.value.used.tokens_in > 100
    assert caught.value.used.model == "small-fake"


def test_without_an_answer_nothing_was_used(server, engine):
    server.scenario = "500"
    with pytest.raises(AIError) as caught:
        engine.analyse(make_request())
    assert caught.value.used is None


def test_works_again_after_each_failure(server, engine):
    server.play("500", "reset", "huge", "429")
    for _ in range(4):
        failure_of(lambda: engine.analyse(make_request()))
    assert engine.analyse(make_request()).category == "Facturación"


def test_request_is_strict_and_without_temperature(server, engine):
    engine.analyse(make_request())
    body = server.requests[0].body
    assert body["model"] == "small"
    assert body["max_completion_tokens"] == 1200
    assert body["response_format"]["json_schema"]["strict"] is True
    assert not {"temperature", "max_tokens", "stream", "reasoning_effort"} & set(body)


def test_reasoning_effort_is_sent_when_set(server):
    with make_engine(server.base_url, reasoning_effort="low") as engine:
        engine.analyse(make_request())
    assert server.requests[0].body["reasoning_effort"] == "low"


def test_token_limit_parameter_can_be_named(server):
    with make_engine(server.base_url, token_limit=99, token_limit_param="max_tokens") as engine:
        engine.analyse(make_request())
    assert server.requests[0].body["max_tokens"] == 99
    assert "max_completion_tokens" not in server.requests[0].body


def test_server_without_key_gets_a_placeholder(server):
    with make_engine(server.base_url, api_key="") as engine:
        engine.analyse(make_request())
    assert server.requests[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize("answered", ["facturacion", " FACTURACIÓN. ", "Facturación\n"])
def test_category_is_matched_to_the_live_name(server, engine, answered, monkeypatch):
    monkeypatch.setattr("inquiries.ai.fake_answers.pick_category", lambda *_: (answered, 1))
    assert engine.analyse(make_request()).category == "Facturación"


def test_customer_text_with_unencodable_characters_is_sent(engine):
    assert engine.analyse(make_request("factura \ud800\x00 de marzo")).category == "Facturación"


def test_refused_connection_is_unreachable():
    with make_engine(unreachable_url()) as engine:
        error = failure_of(lambda: engine.analyse(make_request()))
    assert (error.kind, error.permanent) == (ErrorKind.UNREACHABLE, False)


def test_unknown_host_is_unreachable():
    with make_engine("http://nothing.invalid/v1") as engine:
        error = failure_of(lambda: engine.analyse(make_request()))
    assert error.kind is ErrorKind.UNREACHABLE


def test_detail_names_the_status_code_and_the_vendors_code(server, engine):
    server.scenario = "400"
    error = failure_of(lambda: engine.analyse(make_request()))
    assert error.detail == "HTTP 400 model small unsupported_parameter fake_error"


def test_no_categories_asks_nobody(server, engine):
    error = failure_of(lambda: engine.analyse(make_request(categories=())))
    assert (error.kind, error.permanent) == (ErrorKind.NO_CATEGORIES, True)
    assert server.requests == []


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": "", "base_url": None},
        {"api_key": "", "base_url": ""},
        {"api_key": "clave con ñ"},
        {"api_key": "two\nlines"},
        {"model": " "},
        {"base_url": "localhost:11434"},
        {"base_url": "ftp://host/v1"},
        {"base_url": "http://"},
        {"base_url": "http://host:port/v1"},
        {"base_url": "http://[::1/v1"},
    ],
)
def test_bad_settings_are_not_configured(changes):
    values = {"base_url": "http://127.0.0.1:9/v1", **changes}
    with make_engine(**values) as engine:
        error = failure_of(lambda: engine.analyse(make_request()))
    assert (error.kind, error.permanent) == (ErrorKind.NOT_CONFIGURED, True)


@pytest.mark.parametrize(("variable", "value"), [("SSL_CERT_FILE", "/no/ca.pem"), ("ALL_PROXY", "socks9://x")])
def test_unusable_environment_is_not_configured(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with make_engine("https://example.invalid/v1") as engine:
        error = failure_of(lambda: engine.analyse(make_request()))
    assert (error.kind, error.permanent) == (ErrorKind.NOT_CONFIGURED, True)


def test_environment_does_not_move_the_address(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", unreachable_url())
    with make_engine(server.base_url) as engine:
        assert engine.analyse(make_request()).category == "Facturación"


def test_eight_threads_share_one_client(monkeypatch):
    made = []
    original = OpenAIEngine._new_client

    def counted(self):
        made.append(self)
        return original(self)

    monkeypatch.setattr(OpenAIEngine, "_new_client", counted)
    texts = [f"{CUSTOMER_TEXT} {number}" for number in range(24)]
    start = threading.Barrier(8)

    def work(shared, own):
        start.wait(5)
        return [shared.analyse(make_request(text)).category for text in own]

    with FakeOpenAI(latency=0.02) as busy, make_engine(busy.base_url) as shared:
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(work, [shared] * 8, [texts[first::8] for first in range(8)]))
        counts, connections = dict(busy.counts), busy.connections
    assert done == [["Facturación"] * 3] * 8
    assert made == [shared]
    assert counts == dict.fromkeys(texts, 1)
    assert connections <= 8


def test_close_is_followed_by_a_new_client(server):
    with make_engine(server.base_url) as engine:
        engine.analyse(make_request())
        engine.close()
        assert engine.analyse(make_request()).category == "Facturación"


def test_duplicate_names_are_sent_once(server, engine):
    twice = (CategorySpec("Ventas"), CategorySpec("Ventas"))
    engine.analyse(make_request(categories=twice))
    schema = server.requests[0].body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["category"]["enum"] == ["Ventas"]


def test_importing_the_engine_loads_no_sdk():
    code = (
        "import sys, inquiries.ai.openai as m; m.OpenAIEngine(api_key='k', model='m'); "
        "sys.exit(bool({'openai', 'httpx2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
