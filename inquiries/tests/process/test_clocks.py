"""Workers whose clocks are an hour wrong, beside a right one. Leases are the database's business.

On SQLite all processes share one machine, whose clock is right or wrong for all of them.
"""

from __future__ import annotations

import pytest

from inquiries.tests.processes import wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
COUNT = 12
LATENCY = 4.0  # seconds: longer than the time between two looks of a sweeper for jobs that were left


def test_wrong_clocks_do_nothing_twice_and_leave_nothing(make_box, openai, own_redis, scratch_database):
    openai.latency = LATENCY
    box = make_box(DATABASE_URL=scratch_database, REDIS_URL=own_redis.url)
    box.submit(COUNT)
    for clock in ("0", "3600", "-3600"):
        box.start_worker("--clock", clock)
    wait_until(lambda: box.report()["heartbeats"] == 3, 60, "all workers are there")
    wait_until(lambda: box.report()["live"] == 0, 90, "everything is done", pause=0.5)
    report = box.report()
    assert (report["done"], report["results"], report["crashes"], report["failed"]) == (COUNT, COUNT, 0, 0)
    assert len(openai.requests) == COUNT
