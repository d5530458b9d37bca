from __future__ import annotations
from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def receipt(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def status(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
