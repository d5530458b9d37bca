"""What a supervisor sets for the whole desk."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from solo.admin import SingletonModelAdmin

from inquiries.models import SiteSettings


@admin.register(SiteSettings)
class SiteSettingsAdmin(SingletonModelAdmin):
    fieldsets = (
        (_("Company"), {"fields": ("company_name", "notice")}),
        (_("AI"), {"fields": ("ai_mode", "review_threshold", "few_shot", "few_shot_tokens")}),
        (_("Budget"), {"fields": ("prices", "daily_tokens", "daily_cost", "monthly_cost")}),
        (_("Privacy"), {"fields": ("masking", "retention_days", "spam_retention_days")}),
    )
