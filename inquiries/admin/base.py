"""What several lists share: tables that only the services write, and pages that do not count a whole table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_noop

from inquiries.models.inquiry import COUNT_CAP

# Django's own ids, named here so that locale/es holds them too: Django's Spanish makes every thing masculine
# ("El categoría … se cambió"), and a project's translation goes before Django's.
SAVED = (
    gettext_noop("The {name} “{obj}” was added successfully."),
    gettext_noop("The {name} “{obj}” was changed successfully."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may edit it again below."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    gettext_noop("The {name} “{obj}” was added successfully. You may add another {name} below."),
    gettext_noop("The %(name)s “%(obj)s” was deleted successfully."),
)


def is_list(request: HttpRequest) -> bool:
    """Tell whether a list is asked for, which can do without the long texts."""
    match = request.resolver_match
    return match is not None and str(match.url_name).endswith("_changelist")


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Count and page up to COUNT_CAP rows; beyond that a person searches or filters."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNT_CAP].count())


class PokAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists without totals: neither their pages nor their filters count the table."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 0


class ReadOnlyAdmin(PokAdmin):
    """A table that only the services write. Nobody changes it here, not even a superuser."""

    paginator = CappedPaginator
    actions: Sequence[str] | None = None
    sortable_by = ("id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows beside their inquiry, to read."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
