"""Requests as the views of the team know them, and the guard before everything that is posted."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from inquiries.models import User

View = Callable[..., HttpResponse]


class AgentRequest(HttpRequest):
    """A request of somebody who is signed in; only for annotations."""

    user: User
    htmx: HtmxDetails


def posted_from(page: str) -> Callable[[View], View]:
    """POST only, by somebody who is signed in, never cached.

    Everybody else goes to the page that holds the form (`page` is its URL name, with the same arguments): the
    address itself answers no GET, so it must never be the way back from the sign-in.
    """

    def decorate(view: View) -> View:
        @never_cache
        @wraps(view)
        def act(request: AgentRequest, **kwargs: Any) -> HttpResponse:
            form_page = reverse(page, kwargs=kwargs)
            if request.method in {"GET", "HEAD"}:
                return redirect(form_page)
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            if not request.user.is_authenticated:
                return _signed_out(request, form_page)
            return view(request, **kwargs)

        return act

    return decorate


def _signed_out(request: AgentRequest, form_page: str) -> HttpResponse:
    """Lead to the sign-in; a text that a plain form brought is shown first, because it is kept nowhere else."""
    sign_in = redirect_to_login(form_page)
    text = request.POST.get("text", "")
    if request.htmx or not text.strip():
        return sign_in
    return render(request, "inquiries/signed_out.html", {"text": text, "sign_in": sign_in.url}, status=403)
