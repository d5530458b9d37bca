"""A lean HTTP client for load: one thread, plain sockets, kept alive, so that it leaves the processors to the server.

`python -m bench.client PORT SECONDS CLIENTS PATH` posts inquiries and prints what it saw as JSON. Each client sends
the next request as soon as it has the answer to the one before.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field

from bench.installation import ROOT

MESSAGE = (
    "Buenos días: hice un pedido la semana pasada y todavía no me ha llegado. En la página pone que está en camino,"
    " pero el transportista no sabe nada de él. ¿Me pueden decir qué ha pasado y cuándo lo voy a recibir? Si no llega"
    " antes del viernes prefiero anularlo y que me devuelvan el dinero. Muchas gracias."
)
SETTLE = 0.5  # seconds at the beginning that do not count


@dataclass
class Seen:
    """What one round of load gave; milliseconds."""

    per_second: float
    p50: float
    p99: float
    answers: dict[str, int] = field(default_factory=dict)


class Caller:
    """One client's connection."""

    def __init__(self, port: int, path: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.path = path
        self.buffer = b""
        self.sent_at = 0.0

    def send(self) -> None:
        """Post an inquiry with an idempotency key of its own."""
        key = uuid.uuid4().hex
        body = json.dumps({"customer_name": "Ana Pérez", "email": f"{key}@example.com", "message": MESSAGE}).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.buffer = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(head.encode() + body)

    def receive(self) -> str | None:
        """Read what is there; the status of an answer that is whole, or None."""
        self.buffer += self.socket.recv(65_536)
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), None)
        # Django counts the bytes in a middleware, which the bare view goes without.
        is_whole = body.endswith(b"0\r\n\r\n") if length is None else len(body) >= length
        return lines[0].split()[1].decode() if is_whole else None


def load(port: int, seconds: float, clients: int, path: str) -> Seen:
    """Post from `clients` connections for so long; what was seen after the first SETTLE seconds."""
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        caller = Caller(port, path)
        selector.register(caller.socket, selectors.EVENT_READ, caller)
        caller.send()
    begin = time.perf_counter() + SETTLE
    end = begin + seconds
    times: list[float] = []
    answers: dict[str, int] = {}
    while (now := time.perf_counter()) < end:
        for key, _events in selector.select(1.0):
            status = key.data.receive()
            if status is None:
                continue
            now = time.perf_counter()
            if now > begin:
                times.append(now - key.data.sent_at)
                answers[status] = answers.get(status, 0) + 1
            key.data.send()
    times.sort()
    return Seen(len(times) / seconds, 1000 * at(times, 0.5), 1000 * at(times, 0.99), answers)


def at(ordered: list[float], share: float) -> float:
    """The value below which this share of the ordered values lies."""
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def in_own_process(port: int, seconds: float, clients: int, path: str) -> Seen:
    """The same from a process of its own. Raises RuntimeError where any answer was no 201."""
    command = [sys.executable, "-m", "bench.client", str(port), str(seconds), str(clients), path]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=seconds + 60)
    seen = Seen(**json.loads(run.stdout))
    if set(seen.answers) != {"201"}:
        raise RuntimeError(f"{path} answered {seen.answers}")
    return seen


def main() -> None:
    """Load and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("clients", type=int)
    parser.add_argument("path")
    sys.stdout.write(json.dumps(asdict(load(**vars(parser.parse_args())))))


if __name__ == "__main__":
    main()
