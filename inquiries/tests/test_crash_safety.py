"""Real worker processes that die in the middle of a call: nothing is lost, each inquiry gets one result."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from inquiries.ai.fake_server import FakeOpenAI
from inquiries.tests.processes import Box, wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
COUNT = 8


@pytest.fixture
def slow_openai() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(latency=1.5) as server:
        yield server


@pytest.fixture
def scratch_database(request: pytest.FixtureRequest) -> Iterator[str]:
    url = request.getfixturevalue("postgres_url")
    name = f"pok_crash_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def scratch_redis(request: pytest.FixtureRequest) -> str:
    import redis

    url: str = request.getfixturevalue("redis_url")
    server = redis.Redis.from_url(url)
    # Only what earlier runs left: the database may hold somebody's data besides.
    for key in server.scan_iter("huey.*.pok"):
        server.delete(key)
    return url


@pytest.fixture(params=["sqlite", "redis", "postgres+redis"])
def box(request: pytest.FixtureRequest, tmp_path: Path, slow_openai: FakeOpenAI) -> Iterator[Box]:
    variables = {"OPENAI_BASE_URL": slow_openai.base_url, "POK_AI_ENGINE": "openai"}
    if "redis" in request.param:
        variables["REDIS_URL"] = request.getfixturevalue("scratch_redis")
    if "postgres" in request.param:
        variables["DATABASE_URL"] = request.getfixturevalue("scratch_database")
    box = Box(tmp_path, **variables)
    box.prepare()
    yield box
    box.end()
    print(box.story())  # noqa: T201 - pytest shows it where the test failed


def test_a_killed_worker_loses_nothing_and_doubles_nothing(box: Box, slow_openai: FakeOpenAI):
    box.submit(COUNT)
    victim = box.start_worker()
    wait_until(lambda: len(slow_openai.requests) >= 4, 90, "the first worker is in the middle of its calls")
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    box.start_worker()
    wait_until(lambda: box.report()["done"] == COUNT, 120, "the second worker finishes everything", pause=2)
    report = box.report()
    assert report == {
        "inquiries": COUNT,
        "done": COUNT,
        "failed": 0,
        "analyses": COUNT,
        "results": COUNT,
        "live": 0,
        "crashes": report["crashes"],
        "heartbeats": 2,
    }
    assert 1 <= report["crashes"] <= 4
    assert len(slow_openai.requests) == COUNT + report["crashes"]


def test_a_stopped_worker_finishes_its_calls(box: Box, slow_openai: FakeOpenAI):
    box.submit(4)
    worker = box.start_worker()
    wait_until(lambda: len(slow_openai.requests) >= 4, 90, "the worker is in the middle of its calls")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    report = box.report()
    assert (report["done"], report["live"], report["crashes"], report["heartbeats"]) == (4, 0, 0, 0)
    assert len(slow_openai.requests) == 4
