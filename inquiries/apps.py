"""The app, and the admin with the permissions that POK means."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class InquiriesConfig(AppConfig):
    default = True
    name = "inquiries"
    verbose_name = _("Inquiries")

    def ready(self) -> None:
        from inquiries import installers

        post_migrate.connect(installers.after_migrate, sender=self)


class PokAdminConfig(SimpleAdminConfig):
    default_site = "inquiries.admin_site.PokAdminSite"

    def ready(self) -> None:
        super().ready()
        autodiscover()
