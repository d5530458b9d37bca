"""The counters of the inbox's tabs at 1M inquiries, each capped, computed anew each time."""

from __future__ import annotations

from bench.desks import KINDS, LARGE, desk
from bench.figures import Figure

# In a process of its own, past every cache: what one computation takes.
CODE = """
import statistics
import time
from inquiries.models import Inquiry
def count():
    started = time.perf_counter()
    Inquiry.objects.counted()
    return 1000 * (time.perf_counter() - started)
for _ in range(5):
    count()
print(statistics.median(count() for _ in range(200)))
"""


def measure() -> list[Figure]:
    """Both databases."""
    return [
        Figure(f"counters, {kind.name}: p50 at {LARGE:,}", float(desk(kind, LARGE).shell(CODE)), "ms", 20, 5)
        for kind in KINDS
    ]
