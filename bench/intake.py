"""Intake through the API against a bare view that only inserts the row: same server, same database, same run."""

from __future__ import annotations

from statistics import median

from bench.client import Seen, in_own_process
from bench.figures import Figure
from bench.installation import Installation, PostgresRedis, Sqlite, Stores

CLIENTS = 8
ROUNDS = 5
SECONDS = 4.0
FLOORS = {Sqlite.name: (0.30, 0.45), PostgresRedis.name: (0.35, 0.5)}


def measure() -> list[Figure]:
    """Both kinds of stores."""
    return [figure for stores in (Sqlite(), PostgresRedis()) for figure in of(stores)]


def of(stores: Stores) -> list[Figure]:
    """Take turns, so that a busy moment of the machine meets both; the medians of the rounds' ratios."""
    pairs: list[tuple[Seen, Seen]] = []
    with Installation(stores, POK_AI_ENGINE="openai", OPENAI_BASE_URL="http://127.0.0.1:9/v1") as box:
        pok = box.start_web()
        bare = box.start_web(DJANGO_SETTINGS_MODULE="bench.bare")
        for _ in range(ROUNDS):
            plain = in_own_process(bare.port, SECONDS, CLIENTS, "/create")
            ours = in_own_process(pok.port, SECONDS, CLIENTS, "/api/inquiries/create")
            pairs.append((ours, plain))
    name = f"intake, {stores.name}"
    floor, goal = FLOORS[stores.name]
    return [
        Figure(f"{name}: requests against bare", _median(pairs, "per_second"), "x", floor, goal),
        Figure(f"{name}: p99 against bare", _median(pairs, "p99"), "x", 4, 2),
        *(Figure(f"{name}: {label}", median(values), unit) for label, unit, values in _plain(pairs)),
    ]


def _median(pairs: list[tuple[Seen, Seen]], what: str) -> float:
    ratios: list[float] = [getattr(ours, what) / getattr(plain, what) for ours, plain in pairs]
    return median(ratios)


def _plain(pairs: list[tuple[Seen, Seen]]) -> list[tuple[str, str, list[float]]]:
    both = {"POK": [ours for ours, _plain in pairs], "bare": [plain for _ours, plain in pairs]}
    units = {"per_second": "/s", "p50": "ms", "p99": "ms"}
    return [
        (f"{who} {what.replace('per_second', 'requests')}", unit, [getattr(one, what) for one in seen])
        for who, seen in both.items()
        for what, unit in units.items()
    ]
