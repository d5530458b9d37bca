from __future__ import annotations
from django.http import HttpRequest, HttpResponse


def bad_request(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def permission_denied(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def not_found(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def server_error(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


def csrf_failure(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("")
