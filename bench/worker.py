"""The worker's throughput against the ideal of its threads, and its CPU for one inquiry; the AI service takes 1 s."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from bench.figures import Figure
from bench.installation import Installation, PostgresRedis, Sqlite, Stores, wait_until

LATENCY = 1.0  # seconds
SECONDS = 12.0
THREADS = {16: (0.88, 0.95), 64: (0.85, 0.9), 200: (0.55, 0.65)}
CPU_THREADS = 16
BACKLOG = """
from django.db import transaction
from inquiries import services
from inquiries.models import SiteSettings
from inquiries.states import Source
from bench.client import MESSAGE
SiteSettings.objects.update_or_create(pk=1, defaults={{"few_shot": {few_shot}}})
with transaction.atomic():
    for number in range({count}):
        services.submit(
            customer_name="Ana Pérez",
            email=f"{{number}}@example.com",
            message=f"{{MESSAGE}} {{number}}",
            source=Source.API,
        )
"""
DONE = "SELECT COUNT(*) FROM inquiries_analysis WHERE state = 'done'"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Run:
    """What a worker did in a while."""

    done: int
    seconds: float
    cpu: float  # seconds


def measure() -> list[Figure]:
    """Every number of threads on both kinds of stores; CPU without and with examples from answered inquiries."""
    figures = []
    for stores in (Sqlite(), PostgresRedis()):
        for threads, (floor, goal) in THREADS.items():
            run = of(type(stores)(), threads)
            share = run.done / run.seconds / (threads / LATENCY)
            figures.append(Figure(f"worker, {stores.name}, W = {threads}: of W per second", share, "x", floor, goal))
            if threads == CPU_THREADS:
                per_inquiry = 1000 * run.cpu / run.done
                figures.append(Figure(f"worker, {stores.name}: CPU per inquiry", per_inquiry, "ms", 8, 5))
    return figures


def of(stores: Stores, threads: int, *, few_shot: bool = False) -> Run:
    """Let a worker work off a backlog that it cannot finish; what it did after its first calls."""
    with Installation(stores, POK_WORKERS=str(threads)) as box:
        box.environment["OPENAI_BASE_URL"] = box.start_openai(LATENCY)
        count = int(threads * (SECONDS + 6))
        box.shell(BACKLOG.format(few_shot=few_shot, count=count))
        worker = box.start_worker()
        wait_until(lambda: box.ask(DONE) >= threads, "the first calls")
        with box.reading() as ask:
            began, done, cpu = time.monotonic(), ask(DONE), cpu_of(worker.pid)
            time.sleep(SECONDS)
            ended, more = time.monotonic(), ask(DONE)
            return Run(more - done, ended - began, cpu_of(worker.pid) - cpu)


def cpu_of(pid: int) -> float:
    """Seconds of processor time that the process has taken (proc(5), stat: utime and stime)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
