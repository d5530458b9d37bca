"""What goes wrong, one after the other, by a seeded dice."""

from __future__ import annotations

import random
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench.chaos.fleet import Fleet
from bench.chaos.servers import OwnServers
from bench.installation import Installation

Fault = Callable[[random.Random], None]


class Faults:
    """The faults that fit an installation, and how often each has struck."""

    def __init__(self, box: Installation, fleet: Fleet, seed: int) -> None:
        self.rng = random.Random(seed)
        self.struck: Counter[str] = Counter()
        # The same fault twice in the list strikes twice as often.
        self.known: list[tuple[str, Fault]] = [
            ("kill -9 of the web server", fleet.web.kill),
            *(("kill -9 of a worker", worker.kill) for worker in fleet.workers),
        ]
        if isinstance(box.stores, OwnServers):
            redis, postgres = box.stores.redis, box.stores.postgres
            self.known += [
                ("kill -9 of Redis", lambda rng: _interrupt(redis.kill, redis.start, rng)),
                ("Redis frozen for seconds", lambda rng: _interrupt(redis.freeze, redis.thaw, rng)),
                ("restart of PostgreSQL", lambda rng: _interrupt(postgres.stop, postgres.start, rng)),
            ]
        else:
            database = box.folder / "pok.sqlite3"
            self.known.append(("database locked for seconds", lambda rng: _lock(database, rng)))
        self.known.append(("stop of a worker", lambda rng: rng.choice(fleet.workers).stop()))

    @property
    def kills(self) -> int:
        """How many struck without a warning."""
        return sum(count for name, count in self.struck.items() if name.startswith(("kill", "restart")))

    def strike_until(self, kills: int, pause: float, stop: threading.Event) -> None:
        """Strike about every `pause` seconds until so many were killed; each kind comes in its turn."""
        turn: list[tuple[str, Fault]] = []
        while self.kills < kills and not stop.wait(pause * self.rng.uniform(0.5, 1.5)):
            turn = turn or self.rng.sample(self.known, len(self.known))
            name, strike = turn.pop()
            sys.stderr.write(f"chaos: {name}\n")
            strike(self.rng)
            self.struck[name] += 1


def _interrupt(end: Callable[[], None], start: Callable[[], None], rng: random.Random) -> None:
    end()
    time.sleep(rng.uniform(0.0, 2.5))
    start()


def _lock(database: Path, rng: random.Random) -> None:
    """Hold the write lock, as a long migration or an import does."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(rng.uniform(0.5, 4.0))
        connection.rollback()
