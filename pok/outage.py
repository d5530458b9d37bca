"""When the database does not answer: say so, say when to come back, and touch nothing that would ask it again."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

DOWN = (OperationalError, InterfaceError)
RETRY_AFTER = 15  # seconds
LOCK_WAIT = 5  # seconds


def limit_lock_wait() -> None:
    """Let a request wait for SQLite's one write lock no longer than a person waits for a page.

    A worker has more time. To be called before the first connection is made.
    """
    options = settings.DATABASES["default"]["OPTIONS"]
    if "timeout" in options:
        options["timeout"] = LOCK_WAIT


def render_without_database(
    request: HttpRequest, template: str, context: Mapping[str, object], *, status: int
) -> HttpResponse:
    """Render without the context processors: person, messages and settings would all ask the database."""
    html = render_to_string(template, {"csrf_token": get_token(request), **context})
    return HttpResponse(html, status=status)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The 503 of a page, or of the API."""
    response: HttpResponse
    if request.path.startswith("/api/"):
        text = _("The database does not answer. Try again in a moment.")
        response = JsonResponse({"detail": text}, status=503)
    else:
        response = render_without_database(request, "503.html", {}, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    response["Cache-Control"] = "no-store"
    return response
