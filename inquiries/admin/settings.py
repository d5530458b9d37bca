"""What a supervisor sets for the whole desk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Field
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from solo.admin import SingletonModelAdmin

from inquiries import services
from inquiries.models import SiteSettings


@admin.register(SiteSettings)
class SiteSettingsAdmin(SingletonModelAdmin):
    readonly_fields = ("instructions",)
    fieldsets = (
        (_("Company"), {"fields": ("company_name", "notice")}),
        (_("AI"), {"fields": ("ai_mode", "instructions", "review_threshold", "few_shot", "few_shot_tokens")}),
        (_("Budget"), {"fields": ("prices", "daily_tokens", "daily_cost", "monthly_cost", "daily_public_inquiries")}),
        (_("Mail"), {"fields": ("send_receipts",)}),
        (_("Privacy"), {"fields": ("masking", "retention_days", "spam_retention_days")}),
    )

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: Any, **kwargs: Any) -> Any:
        """Suggest a notice: an empty one shows nothing, and the words are the company's own to choose."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "notice" and field is not None:
            field.widget.attrs["placeholder"] = gettext(
                "Someone from our team reads every message; an AI may help them to sort it and to write the reply."
            )
        return field

    def save_model(self, request: HttpRequest, obj: SiteSettings, form: Any, change: bool) -> None:
        """Apply a new threshold at once; warn of a limit that money without a price would never reach."""
        super().save_model(request, obj, form, change)
        if "review_threshold" in form.changed_data:
            services.remark_doubtful()
        if (obj.daily_cost or obj.monthly_cost) and obj.cost(settings.OPENAI_MODEL, 1, 1) is None:
            if obj.prices:
                messages.warning(request, gettext("The settings name no price for a model."))
            else:
                messages.warning(request, gettext("The settings name no price, so that no money is counted."))

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        """Say that it was saved as everywhere in the admin: solo's own sentence is English in every language."""
        return admin.ModelAdmin.response_change(self, request, obj)

    @admin.display(description=_("instructions"))
    def instructions(self, site: SiteSettings) -> SafeString:
        """Company facts and tone have versions, and a page of their own."""
        return format_html(
            '<a href="{}">{}</a>', reverse("prompts"), gettext("Facts, tone and signature: see the versions")
        )
