"""A Redis that is away while inquiries come in: they are taken in, and analysed once it is back."""

from __future__ import annotations

import pytest

from inquiries.tests.processes import Box, wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
INQUIRY = {"customer_name": "Ana", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta"}


def take_in(box: Box, port: int) -> None:
    # With the throttle, which asks Redis too.
    assert [box.ask(port, "POST", "/api/inquiries/create", INQUIRY).status for _ in range(3)] == [201] * 3


def test_inquiries_are_taken_in_without_redis_and_analysed_with_it(make_box, openai, own_redis):
    box = make_box(REDIS_URL=own_redis.url, POK_THROTTLE="on")
    port = box.start_web()
    box.start_worker()
    take_in(box, port)

    for trouble in (own_redis.down, own_redis.dropping, own_redis.frozen):
        with trouble():
            take_in(box, port)

    wait_until(lambda: box.report()["done"] == 12, 60, "everything is analysed", pause=1)
    assert len(openai.requests) == 12
