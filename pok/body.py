"""A request body that comes in chunks, without Content-Length: read it, up to the limit, before Django looks.

Django takes a body without a length for an empty one; and nothing else would limit how much of it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class KnownLength:
    """WSGI middleware that gives each body its length; past `limit` it is cut one byte beyond, to be refused."""

    def __init__(self, application: Application, limit: int) -> None:
        self.application = application
        self.limit = limit

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The server says with this flag that the stream ends by itself; without it, reading could hang.
        if not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(self.limit + 1)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = BytesIO(body)
        return self.application(environ, start_response)
