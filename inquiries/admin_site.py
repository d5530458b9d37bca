"""The admin site: open to supervisors, not to every member of staff; people sign in by our own page."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

# What stands together on the first page, in this order.
SECTIONS = (
    (_("Configuration"), ("Category", "SiteSettings", "ApiKey")),
    (_("People"), ("User", "AccessAttempt", "Group")),
    (_("Inquiries"), ("Inquiry", "Analysis", "Correction")),
)
# A library's table goes by what it is for.
NAMES = {"AccessAttempt": _("Failed sign-ins")}


class PokAdminSite(AdminSite):
    site_header = _("POK configuration")
    site_title = "POK"
    index_title = _("Configuration")
    site_url = reverse_lazy("inbox")  # type: ignore[assignment]

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm("inquiries.supervise")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:
        """Refuse who is signed in without the permission: another sign-in would not help them."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            response: HttpResponse = inner(request, *args, **kwargs)
            return response

        return update_wrapper(guarded, view)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the one sign-in page, the one with the lockout."""
        wanted = request.GET.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
        page = wanted if is_ours else reverse("admin:index")
        if self.has_permission(request):
            return redirect(page)
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(page)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from inquiries.views.account import SignOut

        response: HttpResponse = SignOut.as_view()(request)
        return response

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("password_change")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Group by what supervisors do, not by the package that a table comes from."""
        apps: list[Any] = super().get_app_list(request, app_label)
        if app_label is not None:
            return apps
        home = next((app for app in apps if app["app_label"] == "inquiries"), None)
        for app in apps:
            for model in app["models"]:
                model["name"] = NAMES.get(model["object_name"], model["name"])
        models = {model["object_name"]: model for app in apps for model in app["models"]}
        sections = [(name, [models[model] for model in names if model in models]) for name, names in SECTIONS]
        return [{**(home or {}), "name": name, "models": found} for name, found in sections if found]
