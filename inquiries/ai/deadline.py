"""Bounds for one HTTP call: seconds in all and bytes in all, whatever the server does.

The SDK's timeout counts per read: a server that drips one byte every 0.4 s never meets it. Here every
connect, write and read of the calling thread asks the call's own budget first: headers, body, TLS, redirects.
Looking a name up (getaddrinfo) cannot be interrupted; the resolver's own limits bound it.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from inquiries.ai.engine import AIError, ErrorKind

# A write blocks at most once per piece, so a reader that stalls cannot stretch it.
WRITE_PIECE = 16 * 1024


@dataclass(slots=True)
class Budget:
    """What is left of one call; `ends_at` is a time.monotonic() value."""

    ends_at: float
    bytes_left: int

    def seconds(self, wanted: float | None) -> float:
        """Return how long the next step may block; raise AIError(TIMEOUT) when the time is used up."""
        remaining = self.ends_at - time.monotonic()
        if remaining <= 0:
            raise AIError(ErrorKind.TIMEOUT, "deadline reached", permanent=False)
        return remaining if wanted is None else min(wanted, remaining)

    def spend(self, size: int) -> None:
        """Count received bytes; raise AIError(BAD_ANSWER) above the limit."""
        self.bytes_left -= size
        if self.bytes_left < 0:
            raise AIError(ErrorKind.BAD_ANSWER, "answer too large", permanent=False)


# A synchronous call stays in its caller's thread from connect to last byte; a context is one thread's own.
_BUDGET: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def budget(*, seconds: float, max_bytes: int) -> Iterator[None]:
    """Bound every bounded client's calls of this thread inside the block."""
    token = _BUDGET.set(Budget(time.monotonic() + seconds, max_bytes))
    try:
        yield
    finally:
        _BUDGET.reset(token)


def bound(client: httpx2.Client) -> httpx2.Client:
    """Put every connection `client` will open under the current budget, those through a proxy too.

    The pools are patched because a transport passed in public would switch HTTPS_PROXY and NO_PROXY off.
    A renamed attribute fails here with AttributeError, not silently.
    """
    for transport in {client._transport, *client._mounts.values()}:
        if isinstance(transport, httpx2.HTTPTransport):
            transport._pool._network_backend = BoundedBackend(transport._pool._network_backend)
    client.event_hooks = {"response": [_refuse_compressed]}
    return client


def _refuse_compressed(response: httpx2.Response) -> None:
    # Asked for as it is; a compressed answer could unpack to a thousand times the byte limit.
    if response.headers.get("content-encoding", "identity") != "identity":
        raise AIError(ErrorKind.BAD_ANSWER, "compressed answer", permanent=False)


def _seconds(wanted: float | None) -> float | None:
    current = _BUDGET.get()
    return current.seconds(wanted) if current else wanted


class BoundedStream(httpcore2.NetworkStream):
    """A connection whose every step asks the budget of the thread that uses it at that moment."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, _seconds(timeout))
        current = _BUDGET.get()
        if current:
            current.spend(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_PIECE):
            self._inner.write(buffer[start : start + WRITE_PIECE], _seconds(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> BoundedStream:
        return BoundedStream(self._inner.start_tls(ssl_context, server_hostname, _seconds(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class BoundedBackend(httpcore2.NetworkBackend):
    """Opens BoundedStreams; tries a name's addresses itself, because each would get the full timeout."""

    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> BoundedStream:
        failure: Exception = httpcore2.ConnectError("no address")
        for address in _addresses(host, port):
            try:
                stream = self._inner.connect_tcp(address, port, _seconds(timeout), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as exc:
                failure = exc
            else:
                return BoundedStream(stream)
        raise failure

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(_seconds(seconds) or 0)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as exc:
        raise httpcore2.ConnectError("name not resolved") from exc
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
