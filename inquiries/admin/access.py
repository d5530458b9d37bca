"""Keys of integrators, and people whom wrong passwords have locked out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from axes.utils import reset
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet, Sum, Window
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from inquiries.admin.base import PokAdmin, ReadOnlyAdmin
from inquiries.models import ApiKey, User


@admin.register(ApiKey)
class ApiKeyAdmin(PokAdmin):
    """A key is shown once, after it was made; later only how it begins."""

    list_display = ("name", "prefix", "owner", "can_create", "can_read", "is_usable", "last_used_at", "created_at")
    list_select_related = ("owner",)
    list_filter = ("can_create", "can_read", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "prefix")
    fields = ("name", "can_create", "can_read", "owner")
    actions = ("revoke",)

    @admin.display(description=_("usable"), boolean=True)
    def is_usable(self, key: ApiKey) -> bool:
        return key.is_active and (key.owner is None or key.owner.is_active)

    @admin.action(description=_("Revoke the selected keys"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset.filter(revoked_at=None))
        count = ApiKey.objects.filter(pk__in=[key.pk for key in keys], revoked_at=None).update(revoked_at=Now())
        for key in keys:
            self.log_change(request, key, gettext("Revoked."))
        text = ngettext("%(n)d key was revoked.", "%(n)d keys were revoked.", count)
        messages.success(request, text % {"n": count})

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        later = ("prefix", "created_at", "last_used_at", "revoked_at") if obj else ()
        return self.fields + later

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("prefix", "created_at", "last_used_at", "revoked_at")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # revoke: what a key did stays explainable

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "owner":
            kwargs["queryset"] = User.objects.filter(is_active=True).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        row, key = ApiKey.issue(obj.name, can_create=obj.can_create, can_read=obj.can_read, owner=obj.owner)
        obj.pk = row.pk
        obj.refresh_from_db()
        text = gettext("This is the key. Copy it now: it cannot be shown again.")
        messages.warning(request, format_html('{} <code class="new-key">{}</code>', text, key))


@admin.register(AccessAttempt)
class LockoutAdmin(ReadOnlyAdmin):
    """Failed sign-ins. The lockout counts a name at an address, over all browsers; so does unlocking."""

    list_display = ("who", "address", "count", "is_locked_out", "last_attempt")
    list_display_links = None
    search_fields = ("username", "ip_address")
    fields = ("who", "address", "count", "last_attempt")
    actions = ("unlock",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": gettext("Failed sign-ins"), **(extra_context or {})})

    # The library's own column names know no Spanish.
    @admin.display(description=_("user name"))
    def who(self, attempt: AccessAttempt) -> str:
        return str(attempt.username or "–")

    @admin.display(description=_("address"))
    def address(self, attempt: AccessAttempt) -> str:
        return str(attempt.ip_address or "–")

    @admin.display(description=_("failed attempts"))
    def count(self, attempt: AccessAttempt) -> int:
        return int(attempt.failures_since_start)

    @admin.display(description=_("last attempt"))
    def last_attempt(self, attempt: AccessAttempt) -> datetime:
        moment: datetime = attempt.attempt_time
        return moment

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.fields

    def get_queryset(self, request: HttpRequest) -> Any:
        of_pair = Window(Sum("failures_since_start"), partition_by=["username", "ip_address"])
        rows = super().get_queryset(request)
        return rows.annotate(failures=of_pair, is_recent=Q(attempt_time__gt=Now() - settings.AXES_COOLOFF_TIME))

    @admin.display(description=_("locked out"), boolean=True)
    def is_locked_out(self, attempt: AccessAttempt) -> bool:
        return bool(attempt.is_recent and attempt.failures >= settings.AXES_FAILURE_LIMIT)

    @admin.action(description=_("Unlock the selected people"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[AccessAttempt]) -> None:
        pairs = sorted(set(queryset.values_list("username", "ip_address")))
        for username, address in pairs:
            reset(username=username, ip=address)
        names = ", ".join(sorted({str(username) for username, _address in pairs}))
        messages.success(request, gettext("They may sign in again: %(names)s") % {"names": names})

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")
