"""The inbox's poller with nothing new, at 1M inquiries, against a view that says hello to a signed-in person."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlencode

from bench.desks import KINDS, LARGE, Kind, desk
from bench.figures import Figure
from bench.reader import Reader, overall, ratio_of_medians

ROUNDS = 9
REQUESTS = 40  # of each kind in a round


def measure() -> list[Figure]:
    """Both databases."""
    return [figure for kind in KINDS for figure in of(kind)]


def of(kind: Kind) -> list[Figure]:
    """Poll, a signed-in hello and a bare one in turn."""
    large = desk(kind, LARGE)
    inbox, signed_in, bare = (
        large.reader(HX_Request="true"),
        large.reader("bench.signed_in"),
        large.reader("bench.plain"),
    )
    polls, greeted, hellos = [], [], []
    for _ in range(ROUNDS):
        polls.append(inbox.times(poll_of(inbox), REQUESTS, status=204))
        greeted.append(signed_in.times("/hello", REQUESTS))
        hellos.append(bare.times("/hello", REQUESTS))
    name = f"poll, {kind.name}"
    return [
        Figure(f"{name}: against a signed-in hello", ratio_of_medians(polls, greeted), "x", 5, 3),
        Figure(f"{name}: against a bare hello without session", ratio_of_medians(polls, hellos), "x"),
        Figure(f"{name}: p50", overall(polls), "ms"),
        Figure(f"{name}: signed-in hello p50", overall(greeted), "ms"),
    ]


def poll_of(inbox: Reader) -> str:
    """The address that the page's poller asks, with what the page shows."""
    html = inbox.get("/bandeja/").body.decode()
    found = re.search(r'hx-get="(/bandeja/novedades/[^"]*)"', html)
    if found is None:
        raise RuntimeError("the page has no poller")
    fields = dict(re.findall(r'name="(_\w+)" value="([^"]*)"', html))
    return f"{unescape(found[1])}&{urlencode(fields)}"
