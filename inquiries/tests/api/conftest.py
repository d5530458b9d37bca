"""Callers of the API: with a key, with a session, with nothing; and a real server for what threads do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.http import HttpResponse

from inquiries.tests.api.servers import WebServer, serving

BODY = {"customer_name": "Juan Pérez", "email": "juan@example.com", "message": "Hola, no puedo entrar a mi cuenta."}
CREATE = "/api/inquiries/create"
LIST = "/api/inquiries/"


@pytest.fixture(autouse=True)
def _no_throttle(settings) -> None:
    """Only test_throttling is about it; it switches it on again."""
    settings.THROTTLE = "off"


@pytest.fixture
def make_key(db) -> Callable[..., str]:
    """Make a key, by default one that may do everything; the text that a caller sends."""

    from inquiries.models import ApiKey

    def make(**fields: Any) -> str:
        return ApiKey.issue("prueba", **fields)[1]

    return make


@pytest.fixture
def key(make_key) -> str:
    return make_key()


@pytest.fixture
def post(client) -> Callable[..., HttpResponse]:
    """Send to `create`: `data` as JSON, or `raw` bytes as they are."""

    def send(data: Any = BODY, *, key: str = "", raw: bytes | None = None, **headers: str) -> HttpResponse:
        content_type = headers.pop("content_type", "application/json")
        sent = {name.replace("_", "-"): value for name, value in headers.items()} | authorization(key)
        body = json.dumps(data).encode() if raw is None else raw
        return client.generic("POST", CREATE, body, content_type=content_type, headers=sent)

    return send


@pytest.fixture
def get(client) -> Callable[..., HttpResponse]:
    def read(path: str = LIST, *, key: str = "", **parameters: Any) -> HttpResponse:
        return client.get(path, parameters, headers=authorization(key))

    return read


def authorization(key: str) -> dict[str, str]:
    return {"Authorization": f"Api-Key {key}"} if key else {}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def server(request) -> WebServer:
    """A real web server with a database of its own; started once, so other tests' inquiries are in it too."""
    web: WebServer = request.getfixturevalue(f"{request.param}_server")
    return web


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory) -> Iterator[WebServer]:
    with serving(tmp_path_factory.mktemp("web")) as web:
        yield web


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory, postgres_url) -> Iterator[WebServer]:
    name = f"pok_api_{os.getpid()}"
    _administer(postgres_url, f"CREATE DATABASE {name}")
    try:
        with serving(tmp_path_factory.mktemp("web"), DATABASE_URL=_beside(postgres_url, name)) as web:
            yield web
    finally:
        _administer(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def _beside(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _administer(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)
