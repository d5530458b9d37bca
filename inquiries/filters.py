"""The filters of the inbox, the API and whatever lists inquiries next: one set, strict about its values."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any

import django_filters
from django import forms
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func
from django.db.models.lookups import Exact, In
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from inquiries import search
from inquiries.models import Category, Inquiry
from inquiries.models.inquiry import InquiryQuerySet, IsWaiting
from inquiries.states import WAITING, AnalysisState, Sentiment, Status

SEARCH_LENGTH = 200
DATED = ("created_after", "created_before")
SORTED_BY = ("category", "sentiment")  # besides the time
NAMES_KEY = "category-names"
NAMES_SECONDS = 3
# Beyond these the conversion to UTC, or a database's range, can fail.
EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def category_names() -> list[str]:
    """The names to choose from, in the supervisor's order, at most NAMES_SECONDS old: every page of the inbox asks."""
    found: list[str] | None = caches["local"].get(NAMES_KEY)
    if found is None:
        found = list(Category.objects.values_list("name", flat=True))
        caches["local"].set(NAMES_KEY, found, NAMES_SECONDS)
    return found


class MomentField(forms.DateTimeField):
    """A date or an ISO 8601 date and time; `is_end` makes a bare date mean the end of that day."""

    is_end = False

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = self._parse(str(value).strip())
        except (ValueError, OverflowError):
            moment = None
        if moment is None or not EARLIEST <= moment <= LATEST:
            raise ValidationError(_("Write a date such as 2026-01-31, or a date and time such as 2026-01-31T10:30."))
        return moment

    def _parse(self, text: str) -> datetime | None:
        moment: datetime | None
        if len(text) == 10 and (day := parse_date(text)):
            moment = datetime.combine(day + timedelta(days=self.is_end), time.min)
        else:
            moment = parse_datetime(text)
        return timezone.make_aware(moment) if moment and timezone.is_naive(moment) else moment


class EndMomentField(MomentField):
    """An upper end: a bare date includes its whole day."""

    is_end = True


class MomentFilter(django_filters.DateTimeFilter):  # type: ignore[misc]
    field_class = MomentField


class EndMomentFilter(django_filters.DateTimeFilter):  # type: ignore[misc]
    field_class = EndMomentField


class Unindexed(Func):
    """A column for whose sake SQLite chooses no index; other databases know better what is frequent."""

    template = "%(expressions)s"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


class InquiryFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Query parameters: q, category (name), sentiment, status (repeatable), ai_state, created_after, created_before.

    `review=1` keeps what waits for a person because the AI was unsure. A bad value is an error, never ignored:
    ask `is_valid()` before `qs`.
    """

    q = django_filters.CharFilter(method="search", label=_("Search"), max_length=SEARCH_LENGTH)
    category = django_filters.ModelChoiceFilter(
        queryset=Category.objects.all(),
        to_field_name="name",
        method="only",
        label=_("Category"),
        empty_label=_("Any category"),
    )
    sentiment = django_filters.ChoiceFilter(
        choices=Sentiment.choices, method="only", label=_("Sentiment"), empty_label=_("Any sentiment")
    )
    status = django_filters.MultipleChoiceFilter(choices=Status.choices, method="with_status", label=_("Status"))
    ai_state = django_filters.ChoiceFilter(
        choices=AnalysisState.choices, method="only", label=_("AI state"), empty_label=_("Any AI state")
    )
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte", label=_("From"))
    created_before = EndMomentFilter(field_name="created_at", lookup_expr="lt", label=_("To"))
    review = django_filters.ChoiceFilter(
        choices=[("1", _("To review"))], method="only_review", label=_("To review"), empty_label=_("All")
    )

    class Meta:
        model = Inquiry
        fields: list[str] = []

    def search(self, inquiries: InquiryQuerySet, name: str, value: str) -> Any:
        return search.matching(inquiries, value)

    @cached_property
    def leading(self) -> str:
        """The field by whose index SQLite should search; empty where it may choose.

        It takes every value of a column for equally frequent, and would look for the few inquiries that wait for a
        person, or that the AI has not read, among all those of a category.
        """
        chosen = self.form.cleaned_data
        if chosen.get("review"):
            return "review"
        if chosen.get("ai_state", "") not in {"", AnalysisState.DONE}:
            return "ai_state"
        if set(chosen.get("status", ())) == WAITING:
            return self._sort or "status"
        return ""

    @property
    def _sort(self) -> str:
        """The column that the list is sorted by, where that is not the time."""
        sort = self.data.get("sort", "").removeprefix("-")
        return sort if sort in SORTED_BY else ""

    def only(self, inquiries: InquiryQuerySet, name: str, value: Any) -> InquiryQuerySet:
        if self.leading in {"", name}:
            return inquiries.filter(**{name: value})
        return inquiries.filter(Exact(Unindexed(name), getattr(value, "pk", value)))

    def with_status(self, inquiries: InquiryQuerySet, name: str, value: list[str]) -> InquiryQuerySet:
        # The filter's own way, OR with DISTINCT, would keep the database from its indexes.
        if not value:
            return inquiries
        if set(value) == WAITING:
            is_sorted = self.leading in SORTED_BY
            return inquiries.filter(IsWaiting(Unindexed(name))) if is_sorted else inquiries.waiting()
        return inquiries.filter(In(F("status") if self.leading in {"", name} else Unindexed(name), value))

    def only_review(self, inquiries: InquiryQuerySet, name: str, value: str) -> InquiryQuerySet:
        return inquiries.needing_review()
