from __future__ import annotations
from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
