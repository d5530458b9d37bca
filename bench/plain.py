"""Baselines of the list and the poller: the same rows in a plain template, and a view that only says hello.

No middleware, no session, no person: what Django and the server cost by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path

from pok.settings import *  # noqa: F403

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MIDDLEWARE: list[str] = []  # type: ignore[no-redef]
ROOT_URLCONF = "bench.plain"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "bench" / "templates"],  # noqa: F405
    }
]


def rows(request: HttpRequest) -> HttpResponse:
    """The rows of the inbox's first view by the query that the inbox makes; each value once, as it is."""
    from django.shortcuts import render

    from inquiries.models import Inquiry
    from inquiries.tables import PER_PAGE

    found = Inquiry.objects.waiting().for_queue().order_by("id")[:PER_PAGE]
    return render(request, "rows.html", {"inquiries": found})


def hello(request: HttpRequest) -> HttpResponse:
    """Say hello."""
    from django.http import HttpResponse

    return HttpResponse("hello")


urlpatterns = [path("rows", rows), path("hello", hello)]
