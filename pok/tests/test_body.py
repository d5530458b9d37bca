"""Bodies that come without a length."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path

import pytest

from inquiries.tests.processes import wait_until
from pok import body
from pok.body import KnownLength

ROOT = Path(__file__).resolve().parents[2]

LIMIT = 10


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real web server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    variables = {"POK_DATA_DIR": str(tmp_path_factory.mktemp("web")), "PORT": str(port), "DJANGO_DEBUG": "1"}
    command = [sys.executable, "-m", "pok.serve", "web"]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables)
    try:
        wait_until(lambda: answers(port), 30, "the web server answers")
        yield port
    finally:
        server.terminate()
        server.wait(20)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pass_through(environ):
    """What the application gets to see: the length that it is told, and the body."""
    seen = []

    def application(environ, start_response):
        seen.append((environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read()))
        return []

    KnownLength(application, LIMIT)(environ, lambda *_: None)
    return seen[0]


@pytest.mark.parametrize("sent", [b"", b"hola", b"x" * LIMIT])
def test_a_body_in_chunks_gets_its_length(sent):
    environ = {"wsgi.input": BytesIO(sent), "wsgi.input_terminated": True}
    assert pass_through(environ) == (str(len(sent)), sent)


def test_no_more_than_the_limit_is_kept_and_the_rest_thrown_away():
    stream = BytesIO(b"x" * 1_000)
    length, kept = pass_through({"wsgi.input": stream, "wsgi.input_terminated": True})
    assert int(length) == len(kept) == LIMIT + 1  # so that the size limit refuses it
    assert stream.tell() == 1_000  # or the client would not see why


def test_a_body_without_end_is_left_after_a_while(monkeypatch):
    monkeypatch.setattr(body, "MOST_DISCARDED", 500)
    stream = BytesIO(b"x" * 1_000)
    body.discard(stream)
    assert stream.tell() == 500


def test_a_slow_body_is_left_after_a_while(monkeypatch):
    monkeypatch.setattr(body, "PATIENCE", 0.0)
    stream = BytesIO(b"x" * 1_000)
    body.discard(stream)
    assert stream.tell() == 0


def test_a_client_that_has_gone_is_no_error():
    class Gone(BytesIO):
        def read(self, size=-1, /):
            raise ConnectionResetError

    body.discard(Gone())


@pytest.mark.process
def test_a_client_that_sends_too_much_gets_to_know_why(web):
    """With Content-Length and in chunks: http.client sends all of it before it reads an answer.

    Four megabytes are more than the sockets between the two keep.
    """
    for sent in (b"x" * 4_000_000, iter([b"x" * 100_000] * 40)):
        connection = HTTPConnection("127.0.0.1", web, timeout=20)
        connection.request("POST", "/api/inquiries/create", sent, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 413
        assert b"256" in answer.read()
        connection.close()


def test_a_body_with_a_length_is_left_alone():
    environ = {"wsgi.input": BytesIO(b"hola"), "wsgi.input_terminated": True, "CONTENT_LENGTH": "4"}
    assert pass_through(environ) == ("4", b"hola")


def test_a_stream_that_may_never_end_is_not_read():
    assert pass_through({"wsgi.input": BytesIO(b"hola")})[0] is None
