"""Real worker processes that die in the middle of a call: nothing is lost, each inquiry gets one result."""

from __future__ import annotations

import signal

import pytest

from inquiries.tests.processes import wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
COUNT = 8
LEASE = ("--lease", "4")  # so that the test need not wait for the usual one


def test_a_killed_worker_loses_nothing_and_doubles_nothing(box, openai):
    openai.latency = 1.5
    box.submit(COUNT)
    victim = box.start_worker(*LEASE)
    wait_until(lambda: len(openai.requests) >= 4, 90, "the first worker is in the middle of its calls")
    victim.send_signal(signal.SIGKILL)
    victim.wait(10)
    box.start_worker(*LEASE)
    wait_until(lambda: box.report()["done"] == COUNT, 120, "the second worker finishes everything", pause=1)
    report = box.report()
    assert report == {
        "inquiries": COUNT,
        "done": COUNT,
        "failed": 0,
        "analyses": COUNT,
        "results": COUNT,
        "live": 0,
        "crashes": report["crashes"],
        "heartbeats": 2,
    }
    assert 1 <= report["crashes"] <= 4
    assert len(openai.requests) == COUNT + report["crashes"]


def test_a_text_that_kills_its_worker_three_times_is_given_up_and_takes_nobody_along(make_box, openai):
    """Four threads, four texts: whenever one of them ends the process, the other three are under way in it."""
    box = make_box()
    openai.latency = 1.5
    poison = ("--dies-on", "BOMBA", *LEASE)
    box.submit(2)
    box.submit(1, text="BOMBA: no puedo entrar a mi cuenta")
    box.submit(1)
    deaths = 0
    worker = box.start_worker(*poison)

    def is_over() -> bool:
        nonlocal worker, deaths
        if worker.poll() is not None:  # as supervisor does
            deaths += 1
            worker = box.start_worker(*poison)
        return box.report()["live"] == 0

    wait_until(is_over, 120, "nothing is left to do", pause=0.5)
    report = box.report()
    assert (deaths, report["done"], report["failed"]) == (3, 3, 1)
    assert box.shell(REASON).split() == ["failed", "crashed"]


REASON = """
from inquiries.models import Inquiry
print(*Inquiry.objects.filter(message__contains="BOMBA").values_list("ai_state", "ai_error").get())
"""
