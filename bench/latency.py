"""From the POST of an inquiry to its finished analysis on an idle POK, over the AI service's own latency."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from statistics import median

from bench.client import MESSAGE
from bench.figures import Figure
from bench.installation import Installation, PostgresRedis, Sqlite, Stores, wait_until
from inquiries.ai.fake_server import FakeOpenAI

LATENCY = 0.2  # seconds
WARM_UP = 3
ROUNDS = 40
PAUSE = 0.15  # seconds between two, so that each finds everything idle
BOUNDS = {PostgresRedis.name: (25, 12), Sqlite.name: (80, 40)}


def measure() -> list[Figure]:
    """Both kinds of stores."""
    return [figure for stores in (PostgresRedis(), Sqlite()) for figure in of(stores)]


def of(stores: Stores) -> list[Figure]:
    """The median and the 95th percentile of the overhead."""
    with FakeOpenAI(latency=LATENCY) as server, Installation(stores, OPENAI_BASE_URL=server.base_url) as box:
        web = box.start_web()
        box.start_worker()
        for _ in range(WARM_UP):
            seconds_until_read(box, web.port)
        times = sorted(1000 * (seconds_until_read(box, web.port) - LATENCY) for _ in range(ROUNDS))
    floor, goal = BOUNDS[stores.name]
    name = f"idle, POST to analysed, {stores.name}"
    return [
        Figure(f"{name}: median overhead", median(times), "ms", floor, goal),
        Figure(f"{name}: p95", times[int(0.95 * len(times))], "ms"),
    ]


def seconds_until_read(box: Installation, port: int) -> float:
    """Post one inquiry and watch its row."""
    time.sleep(PAUSE)
    body = json.dumps({"customer_name": "Ana", "email": "ana@example.com", "message": MESSAGE})
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    with box.reading() as ask:
        started = time.perf_counter()
        connection.request("POST", "/api/inquiries/create", body, {"Content-Type": "application/json"})
        pk = int(json.loads(connection.getresponse().read())["id"])
        wait_until(lambda: ask(f"SELECT ai_state FROM inquiries_inquiry WHERE id = {pk}") == "done", "it", pause=0.001)
        took = time.perf_counter() - started
    connection.close()
    return took
