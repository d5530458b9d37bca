"""Categories: what inquiries can be about, with the examples that teach the embedded engine."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from inquiries.admin.base import PokAdmin
from inquiries.models import Category

FEW_EXAMPLES = 5
GOOD_EXAMPLES = 10


class ColourSelect(forms.RadioSelect):
    """Ten colours, each shown beside its name."""

    option_template_name = "admin/inquiries/colour_option.html"


class CategoryForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Category
        fields = ("name", "description", "examples", "keywords", "colour", "is_active", "position")
        widgets = {
            "colour": ColourSelect,
            "description": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
            "examples": forms.Textarea(attrs={"rows": 12, "class": "vLargeTextField"}),
            "keywords": forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        }
        help_texts = {
            "name": _("Renaming is harmless: inquiries that have this category show the new name."),
            "description": _("What belongs here, in a sentence or two. The AI reads it."),
            "examples": _(
                "One sentence a customer might write on each line: at least 5, better 10 or more, in different words."
            ),
            "is_active": _("Without it nothing new gets this category; inquiries that have it keep it."),
            "position": _("Smaller numbers stand first."),
        }


@admin.register(Category)
class CategoryAdmin(PokAdmin):
    form = CategoryForm
    list_display = ("shown_name", "is_active", "position", "training")
    list_display_links = ("shown_name",)
    list_editable = ("position",)
    list_filter = ("is_active",)
    search_fields = ("name", "description", "examples", "keywords")
    actions = ("activate", "deactivate")

    @admin.display(description=_("name"), ordering="name")
    def shown_name(self, category: Category) -> SafeString:
        return format_html('<span class="swatch swatch-{}"></span>{}', category.colour, category.name)

    @admin.display(description=_("examples"))
    def training(self, category: Category) -> SafeString | str:
        count = len(category.example_lines())
        if count >= FEW_EXAMPLES:
            return str(count)
        return format_html('{} <span class="few-examples">{}</span>', count, gettext("little trained"))

    @admin.action(description=_("Activate the selected categories"), permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        self._switch(request, queryset, is_active=True)

    @admin.action(description=_("Deactivate the selected categories"), permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Category]) -> None:
        self._switch(request, queryset, is_active=False)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave mass deletion out: it would list every inquiry that stands in its way."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "examples" in form.changed_data and len(obj.example_lines()) < FEW_EXAMPLES:
            text = gettext("“%(name)s” has few examples: with %(good)d or more it is recognised better.")
            messages.warning(request, text % {"name": obj.name, "good": GOOD_EXAMPLES})
        self._warn_without_any(request)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse for a category in use, without collecting the inquiries that use it."""
        category = self.get_object(request, unquote(object_id))
        if category is not None and category.inquiries.exists():
            return self._refuse_deletion(request, category)
        try:
            return super().delete_view(request, object_id, extra_context)
        except ProtectedError:  # an inquiry got it since the page was shown
            return self._refuse_deletion(request, Category.objects.get(pk=unquote(object_id)))

    def delete_model(self, request: HttpRequest, obj: Category) -> None:
        super().delete_model(request, obj)
        self._warn_without_any(request)

    def _refuse_deletion(self, request: HttpRequest, category: Category) -> HttpResponse:
        text = gettext(
            "“%(name)s” cannot be deleted, because inquiries have it. Take the tick from “active” instead:"
            " then nothing new gets it, and those inquiries keep it."
        )
        messages.error(request, text % {"name": category.name})
        return redirect("admin:inquiries_category_change", category.pk)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Category], *, is_active: bool) -> None:
        changed = [category for category in queryset if category.is_active != is_active]
        for category in changed:
            category.is_active = is_active
            category.save(update_fields=["is_active"])
            self.log_change(request, category, [{"changed": {"fields": [gettext("active")]}}])
        text = ngettext("%(n)d category was changed.", "%(n)d categories were changed.", len(changed))
        messages.success(request, text % {"n": len(changed)})
        self._warn_without_any(request)

    def _warn_without_any(self, request: HttpRequest) -> None:
        if not Category.objects.live().exists():
            messages.error(request, gettext("No category is active now: no inquiry can be analysed."))
