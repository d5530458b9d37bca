from __future__ import annotations

from django.contrib.auth import views
from django.http import HttpRequest, HttpResponse


class SignIn(views.LoginView): ...


class SignOut(views.LogoutView): ...


class ChangePassword(views.PasswordChangeView): ...


def locked_out(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    return HttpResponse("", status=429)
