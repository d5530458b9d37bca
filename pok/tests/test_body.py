"""Bodies that come without a length."""

from __future__ import annotations

from io import BytesIO

import pytest

from pok.body import KnownLength

LIMIT = 10


def pass_through(environ):
    """What the application gets to see: the length that it is told, and the body."""
    seen = []

    def application(environ, start_response):
        seen.append((environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read()))
        return []

    KnownLength(application, LIMIT)(environ, lambda *_: None)
    return seen[0]


@pytest.mark.parametrize("body", [b"", b"hola", b"x" * LIMIT])
def test_a_body_in_chunks_gets_its_length(body):
    environ = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True}
    assert pass_through(environ) == (str(len(body)), body)


def test_no_more_than_the_limit_is_read():
    stream = BytesIO(b"x" * 1_000)
    length, _body = pass_through({"wsgi.input": stream, "wsgi.input_terminated": True})
    assert int(length) == LIMIT + 1  # so that the size limit refuses it
    assert stream.tell() == LIMIT + 1


def test_a_body_with_a_length_is_left_alone():
    environ = {"wsgi.input": BytesIO(b"hola"), "wsgi.input_terminated": True, "CONTENT_LENGTH": "4"}
    assert pass_through(environ) == ("4", b"hola")


def test_a_stream_that_may_never_end_is_not_read():
    assert pass_through({"wsgi.input": BytesIO(b"hola")})[0] is None
