"""A lean HTTP reader: one connection, kept alive, as quick as plain sockets, so that the server is what is timed."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and after how many milliseconds."""

    status: int
    body: bytes
    milliseconds: float


class Reader:
    """One client's connection to a server of this machine; `headers` go with each request."""

    def __init__(self, port: int, **headers: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fields = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())

    def get(self, path: str) -> Answer:
        """Ask for a path and read the answer to its end."""
        started = time.perf_counter()
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{self.head}\r\n".encode())
        head, body = self._receive()
        milliseconds = 1000 * (time.perf_counter() - started)
        return Answer(int(head.split(None, 2)[1]), body, milliseconds)

    def _receive(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some()
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        if b"transfer-encoding: chunked" in lines:  # where nothing has counted the body
            while not body.endswith(b"0\r\n\r\n"):
                body += self._some()
            return head, body
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self._some()
        return head, body

    def _some(self) -> bytes:
        some = self.socket.recv(262_144)
        if not some:
            raise ConnectionError("the server closed the connection")
        return some

    def times(self, path: str, count: int, status: int = 200) -> list[float]:
        """Ask `count` times; milliseconds. Raises RuntimeError for another status than the expected one."""
        answers = [self.get(path) for _ in range(count)]
        if wrong := {answer.status for answer in answers} - {status}:
            raise RuntimeError(f"{path} answered {wrong}")
        return [answer.milliseconds for answer in answers]


def ratio_of_medians(ours: Sequence[list[float]], theirs: Sequence[list[float]]) -> float:
    """The median over the rounds of how many times longer ours took: a busy moment meets both sides of a round."""
    return median(median(one) / median(other) for one, other in zip(ours, theirs, strict=True))


def overall(rounds: Sequence[list[float]]) -> float:
    """The median of all rounds together."""
    return median(chain.from_iterable(rounds))


def share(values: Sequence[float], part: float) -> float:
    """The value below which this part of the values lies: 0.5 the median, 0.95 the slow end."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]
