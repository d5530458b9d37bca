"""Installations whose processes may be killed, on servers of their own where these may be killed as well."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from bench.chaos.servers import NotInstalled, PostgresServer, RedisServer
from inquiries.ai.fake_server import FakeOpenAI
from inquiries.tests.processes import Box


@pytest.fixture
def openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="session")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variable that names the published files: what shows pages needs them."""
    folder = tmp_path_factory.mktemp("published")
    Box(folder, POK_STATIC_DIR=str(folder / "static")).manage("collectstatic", "--noinput", "-v", "0")
    return {"POK_STATIC_DIR": str(folder / "static")}


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that may be killed."""
    try:
        server = RedisServer()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that may be stopped."""
    try:
        server = PostgresServer()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    server.start()
    yield server
    server.remove()


@pytest.fixture
def scratch_database(postgres_url: str) -> Iterator[str]:
    """A database of this test on the server of the suite."""
    name = f"pok_process_{os.getpid()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def make_box(tmp_path: Path, openai: FakeOpenAI) -> Iterator[Callable[..., Box]]:
    """An installation with its tables, on SQLite unless the variables say otherwise."""
    boxes: list[Box] = []

    def make(**variables: str) -> Box:
        usual = {"OPENAI_BASE_URL": openai.base_url, "POK_AI_ENGINE": "openai", "POK_THROTTLE": "off"}
        box = Box(tmp_path, **usual | variables)
        boxes.append(box)
        box.prepare()
        return box

    yield make
    for box in boxes:
        box.end()
        print(box.story())  # noqa: T201 - pytest shows it where the test failed


@pytest.fixture(params=["sqlite", "postgres+redis"])
def box(request: pytest.FixtureRequest, make_box: Callable[..., Box]) -> Box:
    """One on each kind of stores."""
    if request.param == "sqlite":
        return make_box()
    redis = request.getfixturevalue("own_redis")
    return make_box(DATABASE_URL=request.getfixturevalue("scratch_database"), REDIS_URL=redis.url)
