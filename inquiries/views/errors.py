"""What people and programs see when something is refused or fails: a page, or JSON under /api/."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _

from inquiries.views import public
from pok.outage import DOWN, unavailable


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request cannot be read."""
    return _answer(request, 400, _("The request cannot be read."))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: signed in, but not for this; a person without a role learns whom to ask."""
    return _answer(request, 403, _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: the same for what does not exist and for what is not yours."""
    return _answer(request, 404, _("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    """500: rendered from one file without context, because anything may be broken.

    An outage of the database in a middleware (session, person) ends here and not in `process_exception`.
    """
    if isinstance(sys.exc_info()[1], DOWN):
        return unavailable(request)
    if _is_api(request):
        return JsonResponse({"detail": _("Something failed here. It has been logged.")}, status=500)
    return HttpResponse(render_to_string("500.html", {"style": _style()}), status=500)


def _style() -> str:
    try:
        return static("css/error.css")
    except ValueError:  # no collected files: one of the things that may be broken
        return ""


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without a valid token; the customer's text is kept."""
    if request.path == reverse("home"):
        return public.after_csrf_failure(request)
    text = _("The page was out of date, or the browser blocks its cookie. Go back, reload the page and try again.")
    return _answer(request, 403, text, is_csrf=True)


def _answer(request: HttpRequest, status: int, text: str, **context: object) -> HttpResponse:
    if _is_api(request):
        return JsonResponse({"detail": text}, status=status)
    return render(
        request, f"{status}.html", {"text": text, "has_no_role": _has_no_role(request), **context}, status=status
    )


def _has_no_role(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and not user.works_inbox


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
