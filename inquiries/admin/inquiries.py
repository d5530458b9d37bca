"""Inquiries, analyses and corrections, to read: the inbox is where they are worked on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from inquiries import search
from inquiries.admin.base import ReadOnlyAdmin, ReadOnlyInline, is_list
from inquiries.admin.privacy import PersonActions
from inquiries.models import Analysis, Correction, Inquiry, InquiryEvent, Message
from inquiries.templatetags.desk import engine_name, event_value, percent

ENGINES = (("openai", "OpenAI"), ("embedded", _("Embedded engine")))


class InWords:
    """Engine and confidence as the inbox shows them."""

    @admin.display(description=_("engine"))
    def engine_in_words(self, row: Any) -> str:
        return engine_name(row.engine) or "–"

    @admin.display(description=_("confidence"))
    def confidence_in_words(self, row: Any) -> str:
        return percent(row.confidence) or "–"


class ReviewFilter(admin.BooleanFieldListFilter):
    """By a name that reads well after the "By" of the admin's heading."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = gettext("review")


class AnalysisInline(InWords, ReadOnlyInline):
    model = Analysis
    fields = (
        "purpose",
        "state",
        "engine_in_words",
        "category",
        "sentiment",
        "confidence_in_words",
        "error",
        "finished_at",
    )
    readonly_fields = ("engine_in_words", "confidence_in_words")
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Analysis]:
        rows: QuerySet[Analysis] = super().get_queryset(request)
        return rows.defer("sent_text", "raw_answer", "reply", "reason").order_by("id")


class MessageInline(ReadOnlyInline):
    model = Message
    fields = ("kind", "author", "body", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows.select_related("author")


class EventInline(ReadOnlyInline):
    model = InquiryEvent
    fields = readonly_fields = ("created_at", "actor", "kind", "before", "after", "reason")

    @admin.display(description=_("from"))
    def before(self, event: InquiryEvent) -> str:
        return event_value(event.old) or "–"

    @admin.display(description=_("to"))
    def after(self, event: InquiryEvent) -> str:
        return event_value(event.new) or "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[InquiryEvent]:
        rows: QuerySet[InquiryEvent] = super().get_queryset(request)
        return rows.select_related("actor")


@admin.register(Inquiry)
class InquiryAdmin(InWords, PersonActions):
    list_display = (
        "id",
        "customer_name",
        "created_at",
        "category",
        "sentiment",
        "status",
        "ai_state",
    )
    list_display_links = ("id", "customer_name")
    list_select_related = ("category",)
    list_filter = (
        "status",
        "category",
        "sentiment",
        "ai_state",
        ("needs_review", ReviewFilter),
        "source",
        "created_at",
    )
    search_fields = ("message",)  # shows the box; the full-text index searches
    search_help_text = _("Words of the message, the name or the address, or the number of the inquiry")
    fieldsets = (
        (None, {"fields": ("in_inbox", "customer_name", "email", "message", "source", "created_at")}),
        (
            _("Team"),
            {"fields": ("status", "category", "sentiment", "reply", "assignee", "answered_at", "spam_reason")},
        ),
        (
            _("AI"),
            {
                "fields": (
                    "ai_state",
                    "ai_error",
                    "engine_in_words",
                    "model",
                    "confidence_in_words",
                    "needs_review",
                    "is_provisional",
                    "language",
                    "suggested_reply",
                    "analysed_at",
                )
            },
        ),
    )
    inlines = (AnalysisInline, MessageInline, EventInline)
    view_on_site = False

    @admin.display(description=_("inbox"))
    def in_inbox(self, inquiry: Inquiry) -> SafeString:
        return _inbox_link(inquiry.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("in_inbox", "engine_in_words", "confidence_in_words")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Inquiry]:
        rows: QuerySet[Inquiry] = super().get_queryset(request)
        return rows.defer("message", "suggested_reply", "reply") if is_list(request) else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Inquiry], search_term: str
    ) -> tuple[QuerySet[Inquiry], bool]:
        return (search.matching(queryset, search_term) if search_term.strip() else queryset), False


class EngineFilter(admin.SimpleListFilter):
    """A closed list: asking the table which engines it holds would read all of it."""

    title = _("engine")
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> tuple[tuple[str, Any], ...]:
        return ENGINES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(engine=self.value()) if self.value() else queryset


class OfInquiryAdmin(ReadOnlyAdmin):
    """Rows that belong to an inquiry, found by its number or by its words."""

    search_fields = ("inquiry__message",)
    search_help_text = _("The number of the inquiry, or words of its message")

    @admin.display(description=_("inquiry"))
    def of_inquiry(self, row: Any) -> SafeString:
        return _inbox_link(row.inquiry_id)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = search.matching(Inquiry.objects.order_by(), search_term)
        return queryset.filter(inquiry__in=found.values("pk")), False


@admin.register(Analysis)
class AnalysisAdmin(InWords, OfInquiryAdmin):
    list_display = (
        "id",
        "of_inquiry",
        "purpose",
        "state",
        "engine_in_words",
        "category",
        "confidence_in_words",
        "created_at",
    )
    list_filter = (
        ("state", admin.ChoicesFieldListFilter),
        ("purpose", admin.ChoicesFieldListFilter),
        EngineFilter,
        "error",
        "is_provisional",
        "created_at",
    )
    ordering = ("-id",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "of_inquiry",
                    "purpose",
                    "state",
                    "error",
                    "error_detail",
                    "attempts",
                    "worker",
                    "created_at",
                    "started_at",
                    "finished_at",
                )
            },
        ),
        (
            _("Answer"),
            {
                "fields": (
                    "category",
                    "sentiment",
                    "confidence_in_words",
                    "language",
                    "reason",
                    "reply",
                    "is_provisional",
                )
            },
        ),
        (
            _("Engine"),
            {
                "fields": (
                    "engine_in_words",
                    "model",
                    "prompt_version",
                    "duration_ms",
                    "tokens_in",
                    "tokens_out",
                    "cost",
                    "sent_text",
                    "raw_answer",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Analysis]:
        rows: QuerySet[Analysis] = super().get_queryset(request)
        return rows.defer("sent_text", "raw_answer", "reply", "reason") if is_list(request) else rows

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("of_inquiry", "engine_in_words", "confidence_in_words")


@admin.register(Correction)
class CorrectionAdmin(InWords, OfInquiryAdmin):
    list_display = (
        "id",
        "of_inquiry",
        "field",
        "ai_value",
        "human_value",
        "actor",
        "engine_in_words",
        "created_at",
        "undone_at",
    )
    list_select_related = ("actor",)
    list_filter = ("field", EngineFilter, ("undone_at", admin.EmptyFieldListFilter), "created_at")
    fields = (
        "of_inquiry",
        "field",
        "ai_value",
        "human_value",
        "previous_value",
        "actor",
        "engine_in_words",
        "model",
        "prompt_version",
        "created_at",
        "undone_at",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("of_inquiry", "engine_in_words")


def _inbox_link(pk: int) -> SafeString:
    return format_html('<a href="{}">#{}</a>', reverse("detail", args=[pk]), pk)
