"""The fake server does what tests and a person trying it rely on."""

from __future__ import annotations

import io
import json
import re
import socket
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from inquiries.ai.fake_answers import pick_category, sentiment
from inquiries.ai.fake_server import FakeOpenAI, unreachable_url
from inquiries.management.commands.fake_openai import Command
from inquiries.tests.ai.openai_helpers import failure_of, make_engine, make_request

CATEGORIES = {
    "Facturación": "Cobros, facturas y pagos de clientes",
    "Soporte Técnico": "Fallos de la aplicación de clientes",
    "Otros": "Todo lo demás",
}


@pytest.fixture
def server():
    with FakeOpenAI() as running:
        yield running


def test_plays_the_queue_then_the_scenario(server):
    server.scenario = "404"
    server.play("500", "ok")
    with make_engine(server.base_url) as engine:
        failure_of(lambda: engine.analyse(make_request()))
        engine.analyse(make_request())
        failure_of(lambda: engine.analyse(make_request()))
    assert [recorded.scenario for recorded in server.requests] == ["500", "ok", "404"]


def test_a_model_can_name_the_scenario(server):
    with make_engine(server.base_url, model="refusal") as engine:
        assert failure_of(lambda: engine.analyse(make_request())).kind == "refused"


def test_counts_calls_per_message(server):
    with make_engine(server.base_url) as engine:
        for text in ("uno", "dos", "uno"):
            engine.analyse(make_request(text))
    assert server.counts == {"uno": 2, "dos": 1}


def test_scenario_changes_and_calls_are_counted_over_http(server):
    root = server.base_url.removesuffix("/v1")
    with urlopen(Request(f"{root}/_fake/scenario", data=b"500, ok, 404", method="POST")):
        pass
    with make_engine(server.base_url) as engine:
        failure_of(lambda: engine.analyse(make_request("uno")))
        engine.analyse(make_request("uno"))
        failure_of(lambda: engine.analyse(make_request("dos")))
    with urlopen(f"{root}/_fake/calls") as answer:
        assert json.load(answer) == {"total": 3, "by_message": {"uno": 2, "dos": 1}}


def test_connection_is_kept_open(server):
    with make_engine(server.base_url) as engine:
        for _ in range(3):
            engine.analyse(make_request())
    assert server.connections == 1


def test_unknown_scenario_is_refused(server):
    with pytest.raises(ValueError, match="unknown scenario 'nope'"):
        server.play("nope")
    with pytest.raises(ValueError, match="unknown scenario"):
        server.scenario = "nope"


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Me llegó una factura con un cobro de más", "Facturación"),
        ("La aplicación falla al abrir", "Soporte Técnico"),
        ("Hola, buenos días", "Otros"),
        ("Somos clientes", "Otros"),
    ],
)
def test_category_is_picked_by_words_in_common(text, category):
    assert pick_category(text, CATEGORIES)[0] == category


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("¡Gracias, excelente servicio!", "Positivo"),
        ("Es pésimo, nadie contesta y no funciona", "Negativo"),
        ("¿Cuál es el horario?", "Neutral"),
    ],
)
def test_sentiment_follows_words(text, expected):
    assert sentiment(text) == expected


def test_english_gets_an_english_reply(server):
    with make_engine(server.base_url) as engine:
        result = engine.analyse(make_request("Hello, my invoice is wrong and I need help with the payment"))
    assert result.language == "en"
    assert result.reply.startswith("Hello Juan Pérez, thank you")


def test_unreachable_url_refuses():
    address = urlsplit(unreachable_url())
    with socket.socket() as probe:
        assert probe.connect_ex((address.hostname, address.port)) != 0


def test_command_prints_the_address_and_stops_on_interrupt(monkeypatch):
    def interrupted(_server):
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeOpenAI, "serve_forever", interrupted)
    out = io.StringIO()
    Command(stdout=out).handle(host="127.0.0.1", port=0, scenario="ok", latency=0.0)
    assert re.match(r"OPENAI_BASE_URL=http://127\.0\.0\.1:\d+/v1\n", out.getvalue())
