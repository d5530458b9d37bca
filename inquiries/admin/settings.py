"""What a supervisor sets for the whole desk."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from solo.admin import SingletonModelAdmin

from inquiries.models import SiteSettings


@admin.register(SiteSettings)
class SiteSettingsAdmin(SingletonModelAdmin):
    fieldsets = (
        (_("Company"), {"fields": ("company_name", "company_facts", "notice")}),
        (_("Replies"), {"fields": ("tone", "reply_signature")}),
        (_("AI"), {"fields": ("ai_enabled", "review_threshold", "prices")}),
    )
