"""`python -m bench.chaos.waits`: how long people and inquiries wait when something is away.

A Redis that refuses, drops packets or hangs must not be felt by who sends an inquiry; what waited must be analysed
soon after its return; what a dead or stopped worker left must be taken up again.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from statistics import quantiles

from bench.chaos.servers import NotInstalled, OwnServers, PostgresServer
from bench.figures import Figure, as_json, as_table
from bench.installation import Installation, Sqlite, Stores, Web, wait_until
from inquiries.ai.fake_server import FakeOpenAI

OFTEN, SELDOM = 60, 4  # posts
PACE = 0.1  # seconds between two posts, so that a pause of the broker's begins and ends several times
CREATED, UNAVAILABLE = 201, 503
LONGEST = 60.0  # seconds until a measurement gives up


def main() -> int:
    """Measure everything; the table goes to standard output, JSON into the file that is named."""
    figures: list[Figure] = []
    stores: list[Stores] = [Sqlite()]
    try:
        figures += _broker_away(OwnServers())
        stores.append(OwnServers())
    except NotInstalled as missing:
        sys.stdout.write(f"waits on PostgreSQL and Redis skipped: {missing}.\n")
    with ThreadPoolExecutor() as pool:  # almost all of it is waiting
        figures += chain.from_iterable(pool.map(lambda each: list(_worker_gone(each)), stores))
    sys.stdout.write(as_table(figures) + "\n")
    for path in map(Path, sys.argv[1:]):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_json(figures) + "\n")
    return 1 if any(figure.verdict == "missed" for figure in figures) else 0


# --- Redis is away -----------------------------------------------------------------------------------
def _broker_away(stores: OwnServers) -> Iterator[Figure]:
    """POST with a key and the throttle on, so that both the counters and the bell ask Redis."""
    redis = stores.redis
    ways: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "up": nullcontext,
        "refuses": redis.down,
        "drops packets": redis.dropping,
        "hangs": redis.frozen,
    }
    with FakeOpenAI(latency=0.1) as openai, Installation(stores, **_variables(openai, POK_THROTTLE="on")) as box:
        key = box.manage("create_api_key", "bench").split()[-1]
        web = box.start_web()
        box.start([sys.executable, "-m", "pok.serve", "worker"])
        wait_until(lambda: _post(web, key) and openai.requests, "the first analysis")
        for name, way in ways.items():
            done = len(openai.requests) + OFTEN + SELDOM
            with way():
                often, seldom = _posts(web, key, OFTEN, PACE), _posts(web, key, SELDOM, 2.5)
            yield Figure(f"Redis {name}: POST p95", quantiles(often, n=20)[18], "ms", 300, 100)
            # Past the broker's pause each post tries anew, and waits for the answer that does not come.
            yield Figure(f"Redis {name}: POST, the longest of a few in a quiet hour", max(seldom), "ms", 300, 250)
            waited = _seconds_until(partial(_has_asked, openai, done), "the analyses")
            yield Figure(f"Redis {name}: analysed after its return", waited, "s", 10, 5)
        yield from _database_away(stores.postgres, web, key)


def _posts(web: Web, key: str, count: int, pace: float) -> list[float]:
    milliseconds = []
    for _ in range(count):
        time.sleep(pace)
        milliseconds.append(_post(web, key))
    return milliseconds


def _post(web: Web, key: str) -> float:
    """The milliseconds that one inquiry took. Raises RuntimeError where it was not taken in."""
    body = json.dumps({"customer_name": "Ana", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta"})
    started = time.monotonic()
    if (status := _status(web, key, body)) != CREATED:
        raise RuntimeError(f"an inquiry was answered with {status}")
    return 1000 * (time.monotonic() - started)


def _status(web: Web, key: str, body: str) -> int:
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    headers = {"Content-Type": "application/json", "Authorization": f"Api-Key {key}"}
    try:
        connection.request("POST", "/api/inquiries/create", body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


# --- The database is away ----------------------------------------------------------------------------
def _database_away(postgres: PostgresServer, web: Web, key: str) -> Iterator[Figure]:
    """Away for a quarter of a minute with people who go on trying; how long until the first is served again."""
    postgres.stop()
    end = time.monotonic() + 15.0
    longest = 0.0
    while time.monotonic() < end:
        started = time.monotonic()
        _status(web, key, "{}")
        longest = max(longest, time.monotonic() - started)
        time.sleep(PACE)
    postgres.start()
    waited = _seconds_until(lambda: _status(web, key, "{}") != UNAVAILABLE, "the database's return")
    yield Figure("PostgreSQL down: the longest until a 503", longest, "s", 5, 3.5)
    yield Figure("PostgreSQL down: served after its return", waited, "s", 5, 1)


# --- A worker is gone --------------------------------------------------------------------------------
def _worker_gone(stores: Stores) -> Iterator[Figure]:
    """What was under way in a worker that is killed, or told to stop when it cannot finish in time."""
    with FakeOpenAI(latency=LONGEST) as openai, Installation(stores, **_variables(openai)) as box:
        for name, number in (("kill -9", signal.SIGKILL), ("stop in the middle of a long call", signal.SIGTERM)):
            victim = box.start([sys.executable, "-m", "pok.serve", "worker"])
            asked = len(openai.requests)
            box.shell(SUBMIT)
            wait_until(partial(_has_asked, openai, asked + 1), "the worker's call")
            heir = box.start([sys.executable, "-m", "pok.serve", "worker"])
            wait_until(lambda: box.shell(HEARTBEATS).strip().endswith("2"), "the other worker")
            victim.send_signal(number)
            victim.wait(40)
            waited = _seconds_until(partial(_has_asked, openai, asked + 2), "the next worker's call")
            yield Figure(f"worker, {stores.name}: taken up after {name}", waited, "s", *BOUNDS[number])
            heir.kill()
            box.shell(CLEAR)


BOUNDS = {signal.SIGKILL: (25.0, 23.0), signal.SIGTERM: (5.0, 3.5)}
SUBMIT = """
from inquiries import services
from inquiries.states import Source
services.submit(customer_name="Ana", email="a@example.com", message="No puedo entrar a mi cuenta", source=Source.API)
"""
HEARTBEATS = "from inquiries.models import Heartbeat; print(Heartbeat.objects.count())"
CLEAR = (
    "from inquiries.models import Heartbeat, Inquiry; Inquiry.objects.all().delete(); Heartbeat.objects.all().delete()"
)


def _has_asked(openai: FakeOpenAI, times: int) -> bool:
    return len(openai.requests) >= times


def _seconds_until(is_true: Callable[[], bool], what: str) -> float:
    started = time.monotonic()
    wait_until(is_true, what, LONGEST)
    return time.monotonic() - started


def _variables(openai: FakeOpenAI, **others: str) -> dict[str, str]:
    return {"OPENAI_BASE_URL": openai.base_url, "POK_AI_DEADLINE": "120", **others}


if __name__ == "__main__":
    sys.exit(main())
