"""Sign-in, sign-out and password of the people who work here."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from axes.utils import reset
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from inquiries import bell
from inquiries.api.throttling import client_address, hit
from inquiries.forms import ChangePasswordForm, ForgottenPasswordForm, NewPasswordForm, SignInForm


class SignIn(views.LoginView):
    """Lead back to the page that was asked for, if it is one of ours."""

    template_name = "inquiries/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs, has_mail=settings.HAS_MAIL)
        # Django names its own site `site` here, which would hide the desk's settings.
        return {name: value for name, value in context.items() if name != "site"}


class SignOut(views.LogoutView):
    """Sign out by POST; a typed address only asks."""

    http_method_names = ["get", "post", "options"]
    template_name = "inquiries/logout.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        messages.success(request, _("You have signed out."))
        return response


@method_decorator(never_cache, name="dispatch")
class ChangePassword(views.PasswordChangeView):
    """A new password; every other session of the person ends."""

    template_name = "inquiries/password_change.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("password_change")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        messages.success(self.request, _("Your password has been changed. Other devices have been signed out."))
        return response


@method_decorator(never_cache, name="dispatch")
class ForgottenPassword(views.PasswordResetView):
    """Send a link to a new password. The page says the same whether there is such an account or not."""

    template_name = "inquiries/password_reset.html"
    form_class = ForgottenPasswordForm
    success_url = reverse_lazy("password_reset_done")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not settings.HAS_MAIL:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        if (wait := hit("password", client_address(self.request))) is not None:
            return _too_often(self.request, math.ceil(wait))
        for user in form.get_users(form.cleaned_data["email"]):
            if hit("password_account", str(user.pk)) is None:
                bell.ask_for_password_link(user.pk)
        return redirect(self.success_url)


class LinkSent(views.PasswordResetDoneView):
    """What happens next, for whoever asked."""

    template_name = "inquiries/password_reset_sent.html"


@method_decorator(never_cache, name="dispatch")
class NewPassword(views.PasswordResetConfirmView):
    """Take the new password of a person who has the link. Every session of theirs ends."""

    template_name = "inquiries/password_reset_confirm.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        reset(username=_one_spelling(form.user.get_username()))  # who has the mailbox need not wait out a lockout
        messages.success(self.request, _("Your password has been changed. Sign in with the new one."))
        return response


def _too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    minutes = math.ceil(seconds / 60)
    text = ngettext(
        "Many links were asked for from your connection. Wait %(n)d minute and try again.",
        "Many links were asked for from your connection. Wait %(n)d minutes and try again.",
        minutes,
    ) % {"n": minutes}
    response = render(request, "429.html", {"text": text, "back": settings.LOGIN_URL}, status=429)
    response["Retry-After"] = str(seconds)
    return response


def name_of_attempt(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The name that somebody tried, in one spelling: each of the others would have attempts of its own."""
    name = (credentials or request.POST).get("username") or ""
    return _one_spelling(str(name))


def _one_spelling(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def locked_out(request: HttpRequest, original_response: object = None, credentials: object = None) -> HttpResponse:
    """429 after too many wrong passwords for one name from one address; other addresses are not affected."""
    minutes = round(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    text = ngettext(
        "Too many failed attempts. Wait %(n)d minute and try again.",
        "Too many failed attempts. Wait %(n)d minutes and try again.",
        minutes,
    ) % {"n": minutes}
    response = render(request, "429.html", {"text": text, "back": settings.LOGIN_URL}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response
