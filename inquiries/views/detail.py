from __future__ import annotations
from django.http import HttpRequest, HttpResponse


def detail(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def changes(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
