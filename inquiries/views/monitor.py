from __future__ import annotations
from django.http import HttpRequest, HttpResponse


def monitor(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def retry_failed(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
