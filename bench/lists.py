"""The inbox's first page at 1k, 100k and 1M inquiries: queries, growth, and against the rows in a plain template."""

from __future__ import annotations

from bench.desks import KINDS, LARGE, MIDDLE, SMALL, Desk, Kind, desk
from bench.figures import Figure
from bench.reader import overall, ratio_of_medians

PAGE = "/bandeja/"
ROUNDS = 9
REQUESTS = 15  # of each kind in a round
# Session, person, permissions: what every page of a signed-in person asks first.
SIGNED_IN = ("django_session", "inquiries_user", "auth_permission")
# In a process that has just started, so that nothing comes out of a cache.
QUERIES = """
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
client = Client(SERVER_NAME="localhost")
client.cookies["sessionid"] = "{session}"
with CaptureQueriesContext(connection) as captured:
    assert client.get("{page}").status_code == 200
asked = [query["sql"] for query in captured.captured_queries]
print(sum(not any(f'FROM "{{table}}"' in sql for table in {signed_in}) for sql in asked))
"""


def measure() -> list[Figure]:
    """Both databases."""
    return [figure for kind in KINDS for figure in of(kind)]


def of(kind: Kind) -> list[Figure]:
    """Take turns among the desks, so that a busy moment of the machine meets all of them."""
    desks = [desk(kind, size) for size in (SMALL, MIDDLE, LARGE)]
    readers = [each.reader() for each in desks]
    plain = desks[-1].reader("bench.plain")
    for reader in readers:
        reader.times(PAGE, 5)
    plain.times("/rows", 5)
    rounds = [
        [reader.times(PAGE, REQUESTS) for reader in readers] + [plain.times("/rows", REQUESTS)] for _ in range(ROUNDS)
    ]
    small, middle, large, bare = (list(column) for column in zip(*rounds, strict=True))
    name = f"list, {kind.name}"
    return [
        *(Figure(f"{name}: queries at {each.size:,}", queries(each), "queries", 6, 4) for each in desks),
        Figure(f"{name}: p50 at {LARGE:,} against {SMALL:,}", ratio_of_medians(large, small), "x", 1.5, 1.2),
        Figure(f"{name}: p50 at {MIDDLE:,} against {SMALL:,}", ratio_of_medians(middle, small), "x", 1.5, 1.2),
        Figure(f"{name}: p50 at {LARGE:,} against a plain template", ratio_of_medians(large, bare), "x", 3, 2),
        Figure(f"{name}: p50 at {LARGE:,}", overall(large), "ms"),
        Figure(f"{name}: plain template p50", overall(bare), "ms"),
    ]


def queries(of_desk: Desk) -> float:
    """How many the page asks beyond those of every signed-in page."""
    lines = of_desk.shell(QUERIES.format(session=of_desk.session, page=PAGE, signed_in=SIGNED_IN)).split("\n")
    return float([line for line in lines if line][-1])  # before it, what the page's request wrote into the log
