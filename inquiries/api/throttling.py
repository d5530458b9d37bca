"""How often a caller may call. Counters live in the shared cache, so that all processes count together.

A window begins with a caller's first call. A cache that is down lets everybody through: a desk that takes
inquiries unthrottled for a while is better than one that takes none.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from inquiries.api.keys import key_of
from pok.logging import get_logger

if TYPE_CHECKING:  # DRF loads this module while it makes APIView
    from rest_framework.views import APIView

log = get_logger(__name__)
PERIODS = {"sec": 1, "min": 60, "hour": 3_600, "day": 86_400}
_cache_is_down = False


class CallerThrottle(BaseThrottle):
    """Keys by their own rate, strangers by their address, people who are signed in not at all."""

    seconds: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        if key := key_of(request):
            self.seconds = hit("key", str(key.pk))
        elif not request.user.is_authenticated:
            self.seconds = public_limit(request._request)
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds


def public_limit(request: HttpRequest) -> float | None:
    """Count a call from this address, of the form or the API; return the seconds to wait, None if it may pass."""
    address = client_address(request)
    wait = hit("public", address)
    # A cache that has just failed is not asked again: the customer waits as long as each try does.
    return wait if wait is not None or _cache_is_down else hit("public_day", address)


def hit(scope: str, caller: str) -> float | None:
    """Count a call in the scope; return the seconds to wait, None if it may pass."""
    if settings.THROTTLE == "off":
        return None
    limit, period = rate_of(scope)
    try:
        calls, left = _count(f"throttle:{scope}:{caller}", period)
    except (RedisError, DatabaseError, OSError) as error:
        _note_cache(error)
        return None
    _note_cache(None)
    # Of several hosts one may have another clock.
    return None if calls <= limit else min(max(left, 1.0), period)


def rate_of(scope: str) -> tuple[int, int]:
    """Return how many calls are allowed within how many seconds, from a rate such as "20/min"."""
    rates = cast("dict[str, str]", settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"])
    number, period = rates[scope].split("/")
    return int(number), PERIODS[period]


def client_address(request: HttpRequest) -> str:
    """Return whose call it is: the peer, or what our own proxies wrote; IPv6 by /64, the smallest network.

    Each proxy of POK_NUM_PROXIES appends to X-Forwarded-For; what stands before that, a client may have made up.
    """
    text: str = request.META.get("REMOTE_ADDR") or ""
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.NUM_PROXIES and forwarded:
        text = forwarded[-min(settings.NUM_PROXIES, len(forwarded))]
    return _network(text)


def _network(text: str) -> str:
    try:
        address = ipaddress.ip_address(_without_port(text).partition("%")[0])
    except ValueError:  # a Unix socket has no address, and a proxy may write a name
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)).network_address)


def _without_port(text: str) -> str:
    """Some proxies write the port too, which changes with every connection."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, _colon, port = text.partition(":")
    return text if ":" in port else host


def _count(name: str, period: int) -> tuple[int, float]:
    """Count one more call; return the calls in this window and the seconds until it ends."""
    cache = caches["default"]
    if isinstance(cache, DatabaseCache):
        with _alone(name):
            return _count_in_table(cache, name, period)
    return _count_atomically(cache, name, period)


def _count_atomically(cache: BaseCache, name: str, period: int) -> tuple[int, float]:
    now = time.time()
    since: float = cache.get_or_set(f"{name}:since", now, period) or now
    counter = f"{name}:{since}"
    cache.add(counter, 0, period)
    return _increase(cache, counter, period), since + period - now


def _increase(cache: BaseCache, counter: str, period: int) -> int:
    try:
        return cache.incr(counter)
    except ValueError:  # it ran out between the two steps
        cache.set(counter, 1, period)
        return 1


def _count_in_table(cache: BaseCache, name: str, period: int) -> tuple[int, float]:
    now = time.time()
    since, calls = cache.get(name, (now, 0))
    if not now - period < since <= now:
        since, calls = now, 0
    cache.set(name, (since, calls + 1), period + 1)
    return calls + 1, since + period - now


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Make get and set one step: the table cache's own incr() is two, and forgets how long the entry may live.

    SQLite's transactions are IMMEDIATE, one writer at a time; PostgreSQL gets a lock of the counter's own.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
        yield


def _note_cache(error: Exception | None) -> None:
    """Say once that the cache is away, and be ready to say it again after it came back."""
    global _cache_is_down  # noqa: PLW0603 - one word for the whole process
    if error and not _cache_is_down:
        log.warning("throttle_cache_down", error=type(error).__name__)
    _cache_is_down = error is not None
