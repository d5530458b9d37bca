"""What every request passes: a count, a log line, a size limit, the person's language and zone, sign-in for htmx."""

from __future__ import annotations

import time
import zoneinfo
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import MiddlewareNotUsed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django_structlog.middlewares import RequestMiddleware
from django_structlog.signals import bind_extra_request_failed_metadata, bind_extra_request_finished_metadata

from inquiries.models.inquiry import MESSAGE_LENGTH
from pok import outage
from pok.body import MOST_DISCARDED, discard
from pok.logging import get_logger

log = get_logger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]
# Asked by machines every few seconds: not worth a line in the log, and nobody's session is loaded for them.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestCountMiddleware:
    """Count requests and their seconds for `/metrics`; left out where POK_METRICS_TOKEN asks for none."""

    def __init__(self, get_response: Handler) -> None:
        if not settings.METRICS_TOKEN:
            raise MiddlewareNotUsed
        from pok import meters  # with the library that only they need

        self.get_response = get_response
        self.count = meters.count_request

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        self.count(match.view_name if match else "", str(request.method), response.status_code, started)
        return response


class BodyLimitMiddleware:
    """Refuse a body past DATA_UPLOAD_MAX_MEMORY_SIZE before anything reads it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = _content_length(request)
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.get_response(request)
        # Who expects a "100 Continue" sends nothing before our answer; a huge body is not worth the reading.
        if length <= MOST_DISCARDED and "HTTP_EXPECT" not in request.META:
            discard(request)
        with translation.override(settings.LANGUAGE_CODE):
            text = _("The request is larger than 256 kB.")
            if request.path.startswith("/api/"):
                return JsonResponse({"detail": text}, status=413)
            letters = number_format(MESSAGE_LENGTH, force_grouping=True)
            return render(request, "413.html", {"text": text, "letters": letters}, status=413)


def _content_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class PreferencesMiddleware:
    """Speak the person's language: the profile's, else the cookie's, else Spanish. Accept-Language is ignored."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Neither asks who is there, so that a database that is down does not matter to them.
        if request.path.startswith("/static/") or request.path in PROBES:
            return self.get_response(request)
        with translation.override(self._language(request)), timezone.override(self._zone(request)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "es")
            return response

    def _language(self, request: HttpRequest) -> str:
        if request.path.startswith("/api/"):
            return settings.LANGUAGE_CODE
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        chosen = cookie or (request.user.language if request.user.is_authenticated else "")
        return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE

    def _zone(self, request: HttpRequest) -> zoneinfo.ZoneInfo | None:
        name = request.user.time_zone if request.user.is_authenticated else ""
        try:
            return zoneinfo.ZoneInfo(name) if name else None
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return None


class DatabaseDownMiddleware:
    """Turn an outage of the database into 503 + Retry-After instead of a 500."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, outage.DOWN):
            return None
        match = request.resolver_match
        log.error("database_down", exc_info=error, route=match.view_name if match else "")
        return outage.unavailable(request)


class HtmxLoginMiddleware:
    """Turn the redirect to the sign-in into 401 + HX-Redirect, so that a fragment never holds a login page.

    The way back is the page that the person looks at, not the address of the fragment.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        login = str(redirect_to_login("x").url).split("?")[0]
        is_login = response.status_code == 302 and response.headers.get("Location", "").split("?")[0] == login
        if not (is_login and request.headers.get("HX-Request")):
            return response
        page = urlsplit(request.headers.get("HX-Current-URL", "/"))
        back = f"{page.path}?{page.query}" if page.query else page.path
        refused = HttpResponse(status=401)
        refused["HX-Redirect"] = redirect_to_login(back).url
        return refused


class RequestLogMiddleware(RequestMiddleware):
    """One line a request with its id, which the response carries too.

    It names the route, never the path, which may hold a customer's token.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.started = time.perf_counter()  # type: ignore[attr-defined]
        if request.path in PROBES:
            return cast("HttpResponse", self.get_response(request))
        return cast("HttpResponse", super().__call__(request))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return str(request.method)

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        # Only a person who was loaded anyway: the log must not ask a database that may be the very trouble.
        user = getattr(request, "_cached_user", None)
        structlog.contextvars.bind_contextvars(user_id=user.pk if user is not None else None)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        response["X-Request-ID"] = structlog.contextvars.get_contextvars().get("request_id", "")
        super().handle_response(request, response)


@receiver(bind_extra_request_finished_metadata)
@receiver(bind_extra_request_failed_metadata)
def describe_request(request: HttpRequest, log_kwargs: dict[str, Any], **kwargs: Any) -> None:
    """Put method, route name and duration in place of the path."""
    del log_kwargs["request"]
    match = request.resolver_match
    log_kwargs["method"] = request.method
    log_kwargs["route"] = match.view_name if match else None
    log_kwargs["duration_ms"] = round((time.perf_counter() - request.started) * 1000)  # type: ignore[attr-defined]
