"""A request body before Django looks: one in chunks is read up to the limit, one that was refused is thrown away.

Django takes a body without a length for an empty one; and nothing else would limit how much of it is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from typing import Any, Protocol

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


# What is thrown away of a refused body, in bytes and in seconds.
MOST_DISCARDED = 4 * 1024 * 1024
PATIENCE = 5.0
CHUNK = 64 * 1024


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def discard(stream: Readable) -> None:
    """Read what a client still sends, within bounds.

    Closed on while it sends, a client sees a broken connection and not the answer that tells why.
    """
    left, end = MOST_DISCARDED, time.monotonic() + PATIENCE
    with suppress(OSError):  # the client has gone
        while left > 0 and time.monotonic() < end:
            read = len(stream.read(min(CHUNK, left)))
            if not read:
                return
            left -= read


class KnownLength:
    """WSGI middleware that gives each body its length; past `limit` it is cut one byte beyond, to be refused."""

    def __init__(self, application: Application, limit: int) -> None:
        self.application = application
        self.limit = limit

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The server says with this flag that the stream ends by itself; without it, reading could hang.
        if not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(self.limit + 1)
            if len(body) > self.limit:
                discard(environ["wsgi.input"])
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = BytesIO(body)
        return self.application(environ, start_response)
