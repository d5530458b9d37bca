"""People. A supervisor makes agents and supervisors, and nothing above: no step up the ladder leads through here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from inquiries import roles
from inquiries.models import User

PERSONAL = ("first_name", "last_name", "email", "language", "time_zone", "signature")
ROLE = ("groups", "is_active")
ABOVE = ("is_superuser", "user_permissions")


class NewPersonForm(UserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("username",)


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    add_form = NewPersonForm
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "password1", "password2")}),
        (_("Role"), {"fields": ("groups",)}),
        (_("Person"), {"fields": PERSONAL}),
    )
    list_display = ("username", "first_name", "last_name", "email", "role", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    show_full_result_count = False
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    actions = ("activate", "deactivate")

    @admin.display(description=_("role"))
    def role(self, person: User) -> str:
        names = [group.name for group in person.groups.all()]
        return ", ".join([gettext("Superuser"), *names] if person.is_superuser else names) or "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("groups", Group.objects.order_by("name")))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        above = ABOVE if request.user.is_superuser else ()
        return (
            (None, {"fields": ("username", "password")}),
            (_("Role"), {"fields": (*ROLE, *above)}),
            (_("Person"), {"fields": PERSONAL}),
            (_("Dates"), {"fields": ("last_login", "date_joined")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Nobody shuts themselves out: the own role and the own account's state are for somebody else to change."""
        fixed = super().get_readonly_fields(request, obj)
        own = (*ROLE, "is_superuser") if obj is not None and obj.pk == request.user.pk else ()
        return (*fixed, *own)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse those who may do more than the two groups: whoever sets their password could become them."""
        if not super().has_change_permission(request, obj):
            return False
        return request.user.is_superuser or not isinstance(obj, User) or not roles.exceeds_groups(obj)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups" and not request.user.is_superuser:
            kwargs["queryset"] = Group.objects.filter(name__in=roles.GROUPS)
            kwargs["widget"] = forms.CheckboxSelectMultiple
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.help_text = _("Agents work the inbox. Supervisors also open the monitor and this configuration.")
        return field

    @admin.action(description=_("Activate the selected people"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._switch(request, queryset, is_active=True)

    @admin.action(description=_("Deactivate the selected people"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._switch(request, queryset, is_active=False)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def _switch(self, request: HttpRequest, queryset: QuerySet[User], *, is_active: bool) -> None:
        chosen = queryset.exclude(is_active=is_active).exclude(pk=request.user.pk or 0)
        changed = [person for person in chosen if self.has_change_permission(request, person)]
        for person in changed:
            person.is_active = is_active
            person.save(update_fields=["is_active"])
            self.log_change(request, person, [{"changed": {"fields": [gettext("active")]}}])
        text = ngettext("%(n)d person was changed.", "%(n)d people were changed.", len(changed))
        messages.success(request, text % {"n": len(changed)})
