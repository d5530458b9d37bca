"""The baseline of the intake: settings and a view that reads JSON and inserts the inquiry's row, nothing else.

Same server, threads, database and table as POK, by Django's own backend; no middleware, no check, no idempotency, no
analysis, no bell.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.urls import path

from pok.settings import *  # noqa: F403

if TYPE_CHECKING:
    from django.http import HttpRequest, JsonResponse

MIDDLEWARE = []
if DATABASES["default"]["ENGINE"] == "pok.sqlite":  # noqa: F405
    DATABASES["default"]["ENGINE"] = "django.db.backends.sqlite3"  # noqa: F405
ROOT_URLCONF = "bench.bare"


def create(request: HttpRequest) -> JsonResponse:
    """Insert the row."""
    from django.http import JsonResponse

    from inquiries.models import Inquiry

    data = json.loads(request.body)
    row = Inquiry.objects.create(
        customer_name=data["customer_name"], email=data["email"], message=data["message"], source="api"
    )
    return JsonResponse({"id": row.pk}, status=201)


urlpatterns = [path("create", create)]
