"""The admin site: open to supervisors, not to every member of staff."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class PokAdminSite(AdminSite):
    site_header = _("POK configuration")
    site_title = "POK"
    index_title = _("Configuration")
    site_url = "/bandeja/"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm("inquiries.supervise")
