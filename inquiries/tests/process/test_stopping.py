"""A worker that is told to stop: it finishes what it can, and gives back what it cannot."""

from __future__ import annotations

import signal

import pytest

from inquiries.tests.processes import wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]


def test_a_stopped_worker_finishes_its_calls(box, openai):
    openai.latency = 1.5
    box.submit(4)
    worker = box.start_worker()
    wait_until(lambda: len(openai.requests) >= 4, 90, "the worker is in the middle of its calls")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    report = box.report()
    assert (report["done"], report["live"], report["crashes"], report["heartbeats"]) == (4, 0, 0, 0)
    assert len(openai.requests) == 4


def test_what_cannot_be_finished_in_time_is_taken_up_at_once_by_the_next(box, openai):
    """With the usual lease: a job that waited for it would not be done in time."""
    openai.latency = 60.0
    box.submit(2)
    worker = box.start_worker("--grace", "1")
    wait_until(lambda: len(openai.requests) == 2, 90, "the worker is in the middle of its calls")
    heir = box.start_worker()
    wait_until(lambda: box.report()["heartbeats"] == 2, 60, "the other worker is ready")
    openai.latency = 0.0
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    wait_until(lambda: len(openai.requests) == 4, 15, "the next worker takes both up")
    wait_until(lambda: box.report()["live"] == 0, 30, "it finishes them")
    heir.send_signal(signal.SIGTERM)
    heir.wait(30)
    report = box.report()
    assert (report["done"], report["crashes"], report["results"]) == (2, 0, 2)
