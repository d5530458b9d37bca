"""Filters, searches and pages of the inbox and the API at 1M inquiries: the 95th percentile over all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import median
from urllib.parse import quote, unquote

from bench.desks import KINDS, LARGE, Kind, desk
from bench.figures import Figure
from bench.reader import Reader, share

ROUNDS = 5
FILTERS = (
    "status=new",
    "status=open",
    "status=answered",
    "status=closed&sort=-received",
    "status=spam",
    "status=all",
    "review=1",
    "review=1&category=Ventas",
    "status=answered&status=closed&sort=-received",
    "category=Ventas",
    "category=Reclamo&status=all",
    "category=Ventas&status=closed",
    "category=Facturación&sort=-received",
    "category=Ventas&sentiment=Negativo&status=closed",
    "sentiment=Negativo",
    "sentiment=Positivo&status=all&sort=-received",
    "sentiment=Negativo&category=Reclamo",
    "ai_state=failed",
    "ai_state=failed&status=all",
    "ai_state=failed&category=Ventas&status=all",
    "ai_state=skipped&status=answered",
    "created_after={recent}",
    "created_after={recent}&status=all&sort=-received",
    "created_before={old}&status=all",
    "created_after={old}&created_before={old_end}&status=all",
    "created_after={old}&created_before={old_end}&status=closed&category=Ventas",
    "created_after={recent}&sentiment=Negativo&status=all",
    "sort=sentiment",
    "sort=-sentiment&status=closed",
    "sort=category",
    "sort=-category&status=all",
    "sort=category&sentiment=Positivo&status=answered",
)
SEARCHES = (
    "q=ornitorrinco",
    "q=ornitorrinco&status=all",
    "q=pedido",
    "q=pedido&status=all",
    "q=pedido&status=all&sort=-received",
    "q=pedido&category=Ventas&status=all",
    "q=pedido+factura&status=all",
    "q=no+puedo&status=closed",
    "q=fact&status=all",
    "q=zzzz&status=all",
    "q=cliente.4242&status=all",
    "q=pedido&status=all&sort=sentiment",
)
PAGES = (
    "page=2",
    "page=40",
    "status=all&page=100",
    "status=closed&page=200",
    "status=all&page=200&sort=-received",
    "sentiment=Negativo&status=all&page=100",
    "category=Ventas&status=closed&page=50&sort=-received",
    "q=pedido&status=all&page=20",
)
API = ("", "status=open", "category=Ventas&status=closed", "created_before={old}", "q=pedido", "page_size=100")
LISTS = (("filters", "/bandeja/?", FILTERS), ("searches", "/bandeja/?", SEARCHES), ("pages", "/bandeja/?", PAGES))
API_LISTS = ("API", "/api/inquiries/?", API)


def measure() -> list[Figure]:
    """Both databases."""
    return [figure for kind in KINDS for figure in of(kind)]


def of(kind: Kind) -> list[Figure]:
    """Each address several times, in turn with the others."""
    reader = desk(kind, LARGE).reader(HX_Request="true")
    figures: list[Figure] = []
    for name, prefix, queries in (*LISTS, API_LISTS):
        times = times_of(reader, [prefix + quote(query.format(**days()), safe="=&+-") for query in queries])
        every = [value for values in times.values() for value in values]
        slowest = max(times, key=lambda path: median(times[path]))
        title = f"{name}, {kind.name}"
        figures += [
            Figure(f"{title}: p95 of {len(queries)} at {LARGE:,}", share(every, 0.95), "ms", 150, 60),
            Figure(f"{title}: p50", median(every), "ms"),
            Figure(f"{title}: slowest, {unquote(slowest.partition('?')[2])}", median(times[slowest]), "ms"),
        ]
    return figures


def times_of(reader: Reader, paths: list[str]) -> dict[str, list[float]]:
    """Milliseconds of each path over the rounds; the first round only warms up."""
    times: dict[str, list[float]] = {path: [] for path in paths}
    for turn in range(ROUNDS + 1):
        for path in paths:
            taken = reader.times(path, 1)
            times[path] += taken if turn else []
    return times


def days() -> dict[str, str]:
    """The days that the filters by date name: two weeks ago, and a week in the older half of the desk."""
    today = datetime.now(tz=UTC).date()
    ages = {"recent": 14, "old": 500, "old_end": 494}
    return {name: str(today - timedelta(days=age)) for name, age in ages.items()}
