"""The addresses of POK and one more, which only says hello to whoever is signed in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


@login_required
def hello(request: HttpRequest) -> HttpResponse:
    """Say hello, or lead to the sign-in."""
    return HttpResponse("hello")


urlpatterns = [path("hello", hello), path("", include("pok.urls"))]
