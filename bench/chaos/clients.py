"""Clients that post inquiries and try again, with the same key, until they have an answer."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

CREATED = 201
KEY = "chaos-"
PATIENCE = 150.0  # seconds that a client tries for one inquiry


@dataclass
class Ledger:
    """What the clients were told."""

    accepted: dict[str, int] = field(default_factory=dict)  # idempotency key -> id of the inquiry
    given_up: set[str] = field(default_factory=set)
    contradictions: int = 0  # another id for the same key
    answers: Counter[str] = field(default_factory=Counter)  # status codes, and kinds of failed connections
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, key: str, answer: str, inquiry: int | None) -> None:
        """Keep one answer; the first id of a key is the one that must stay."""
        with self.lock:
            self.answers[answer] += 1
            if inquiry is not None and self.accepted.setdefault(key, inquiry) != inquiry:
                self.contradictions += 1


@dataclass(frozen=True)
class Clients:
    """`threads` clients that together post `inquiries`, about `rate` a second."""

    port: int
    inquiries: int
    rate: float
    addresses: int  # customers who write; each has one email address
    threads: int = 8

    def run(self, ledger: Ledger, seed: int) -> None:
        """Post everything; return when each inquiry was accepted or given up."""
        numbers = iter(range(self.inquiries))
        lock = threading.Lock()

        def work(rng: random.Random) -> None:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                time.sleep(rng.uniform(0, 2 * self.threads / self.rate))
                self._post(number, ledger, rng)

        threads = [threading.Thread(target=work, args=(random.Random(seed + n),)) for n in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _post(self, number: int, ledger: Ledger, rng: random.Random) -> None:
        key, end = f"{KEY}{number}", time.monotonic() + PATIENCE
        body = json.dumps(
            {
                "customer_name": "Ana",
                "email": f"cliente{number % self.addresses}@example.com",
                "message": text_of(number),
            }
        )
        while time.monotonic() < end:
            answer, inquiry = call(self.port, key, body)
            ledger.note(key, answer, inquiry)
            # Now and then a client asks once more although it was answered: its answer was lost on the way.
            if inquiry is not None and rng.random() > 0.05:
                return
            time.sleep(rng.uniform(0.1, 0.8))
        if key not in ledger.accepted:
            ledger.given_up.add(key)


def text_of(number: int) -> str:
    """What inquiry `number` says: no two are alike."""
    return f"Consulta {number}: no puedo entrar a mi cuenta desde ayer."


def number_of(key: str) -> int:
    """The inquiry that was posted with this idempotency key."""
    return int(key.removeprefix(KEY))


def call(port: int, key: str, body: str) -> tuple[str, int | None]:
    """Post once; the status or the kind of failure, and the id where the inquiry was accepted."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    try:
        connection.request("POST", "/api/inquiries/create", body, headers)
        response = connection.getresponse()
        text = response.read()
        return str(response.status), json.loads(text)["id"] if response.status == CREATED else None
    except (OSError, HTTPException) as error:
        return type(error).__name__, None
    finally:
        connection.close()
