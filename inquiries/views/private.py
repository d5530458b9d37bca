"""Pages of one customer, reached by a link that nobody can guess."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache

from inquiries.models import Inquiry
from pok.logging import name_inquiry

View = Callable[..., HttpResponse]


def private_page(view: View) -> View:
    """Keep the token in the address from caches, other sites and search engines."""

    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return never_cache(guarded)


def by_token(token: str) -> Inquiry:
    """The inquiry of a private link, or 404."""
    inquiry = get_object_or_404(Inquiry, public_token=token)
    name_inquiry(inquiry.pk)
    return inquiry
