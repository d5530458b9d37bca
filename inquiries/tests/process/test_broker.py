"""A Redis that is away while inquiries come in: they are taken in, and analysed once it is back."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from inquiries.tests.processes import Box, wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
INQUIRY = {"customer_name": "Ana", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta"}


@contextmanager
def dropping(port: int) -> Iterator[None]:
    """Nobody answers on this port, not even to say so: its listener takes no more callers."""
    callers = [socket.socket() for _ in range(3)]
    with socket.create_server(("127.0.0.1", port), backlog=0):
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(("127.0.0.1", port))
        yield
    for caller in callers:
        caller.close()


def take_in(box: Box, port: int) -> None:
    # With the throttle, which asks Redis too.
    assert [box.ask(port, "POST", "/api/inquiries/create", INQUIRY).status for _ in range(3)] == [201] * 3


def test_inquiries_are_taken_in_without_redis_and_analysed_with_it(make_box, openai, own_redis):
    box = make_box(REDIS_URL=own_redis.url, POK_THROTTLE="on")
    port = box.start_web()
    box.start_worker()
    take_in(box, port)

    own_redis.kill()
    take_in(box, port)
    with dropping(own_redis.port):
        take_in(box, port)
    own_redis.start()
    own_redis.freeze()
    take_in(box, port)
    own_redis.thaw()

    wait_until(lambda: box.report()["done"] == 12, 60, "everything is analysed", pause=1)
    assert len(openai.requests) == 12
