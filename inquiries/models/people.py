"""The people who work with inquiries."""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("Unknown time zone: %(name)s"), params={"name": name})


class User(AbstractUser):
    """An agent or a supervisor; which of them, the groups say (`inquiries.roles`)."""

    language = models.CharField(_("language"), max_length=8, blank=True, choices=settings.LANGUAGES)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_time_zone])
    signature = models.TextField(_("signature"), blank=True, max_length=500)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    @property
    def works_inbox(self) -> bool:
        """Tell whether this person may read and answer inquiries."""
        return self.has_perm("inquiries.work_inbox")

    @property
    def supervises(self) -> bool:
        """Tell whether this person may open the monitor and the configuration."""
        return self.has_perm("inquiries.supervise")
