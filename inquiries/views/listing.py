"""What an address of the inbox shows: its filter, its tabs, its counters, its page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from django.forms.utils import ErrorList
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from inquiries.filters import DATED, InquiryFilter, category_names
from inquiries.models import Inquiry, User
from inquiries.models.inquiry import InquiryQuerySet
from inquiries.states import WAITING, AnalysisState, Sentiment, Status
from inquiries.tables import LAST_PAGE, NEWEST_FIRST, OLDEST_FIRST, SORTS, InquiryTable, build_table

ALL = "all"
REVIEW = "review"
WAITING_TAB = "waiting"
POLL_PREFIX = "_"  # parameters of the poller, never of the list
MORE_FILTERS = ("ai_state", *DATED)


@dataclass(frozen=True, slots=True)
class Tab:
    """A link that shows one status, with how many inquiries there are."""

    name: str
    label: str
    url: str
    count: int | None
    is_current: bool


class Listing:
    """The inbox for one person and one query string. Nothing is asked of the database before it is needed."""

    def __init__(self, user: User, query: QueryDict) -> None:
        self.query = query.copy()
        for name in list(self.query):
            if name.startswith(POLL_PREFIX):
                del self.query[name]
        self.visible: InquiryQuerySet = Inquiry.objects.visible_to(user)
        # The plain inbox needs no form; a sort counts, because the filter leaves its index to it.
        self.has_filter = any(name in self.query for name in (*InquiryFilter.base_filters, "sort"))

    @cached_property
    def filterset(self) -> InquiryFilter:
        return InquiryFilter(_with_default_status(self.query), queryset=self.visible)

    @cached_property
    def is_valid(self) -> bool:
        return not self.has_filter or bool(self.filterset.is_valid())

    @property
    def errors(self) -> dict[str, ErrorList]:
        """What is wrong with the filter, by field."""
        return {} if self.is_valid else self.filterset.errors

    @cached_property
    def matching(self) -> InquiryQuerySet:
        """What the filter keeps; nothing while it holds a mistake."""
        if not self.has_filter:
            return self.visible.waiting()
        found: InquiryQuerySet = self.filterset.qs if self.is_valid else self.visible.none()
        return found

    @cached_property
    def table(self) -> InquiryTable:
        return build_table(self.matching.for_queue().with_newest(), self.query, is_dated=self.is_dated)

    @cached_property
    def rows(self) -> list[Inquiry]:
        return [row.record for row in self.table.paginated_rows]

    @cached_property
    def counters(self) -> dict[str, int]:
        """How many of each status there are, each counted up to the cap only."""
        counts = self.visible.counted_lately()
        return counts | {WAITING_TAB: sum(counts[status] for status in WAITING)}

    @property
    def shown(self) -> str:
        """The rows of the page and their versions, as the poller sends them back."""
        return ",".join(f"{row.pk}.{row.row_version}" for row in self.rows)

    @property
    def counters_digest(self) -> str:
        return "-".join(str(count) for count in self.counters.values())

    @property
    def newest(self) -> int:
        """The highest number there was when the rows were read; what comes later is new."""
        # The same statement has read both, so that nothing can arrive in between and be missed.
        return self.rows[0].newest if self.rows else self.visible.newest()  # type: ignore[attr-defined]

    @property
    def current_tab(self) -> str:
        chosen = self.query.getlist("status")
        if self.query.get("review"):
            return REVIEW
        if not chosen or set(chosen) == WAITING:
            return WAITING_TAB
        return chosen[0] if len(chosen) == 1 else ""

    @cached_property
    def tabs(self) -> list[Tab]:
        labels = {WAITING_TAB: _("To answer"), REVIEW: _("To review")}
        labels |= {
            Status.NEW.value: pgettext("several inquiries", "New"),
            Status.OPEN.value: pgettext("several inquiries", "Open"),
            Status.ANSWERED.value: pgettext("several inquiries", "Answered"),
            Status.CLOSED.value: pgettext("several inquiries", "Closed"),
            Status.SPAM.value: pgettext("several inquiries", "Spam"),
            ALL: pgettext("several inquiries", "All"),
        }
        return [
            Tab(name, label, self._tab_url(name), self.counters.get(name), self.current_tab == name)
            for name, label in labels.items()
        ]

    @property
    def title(self) -> str:
        """The tab's name, for the title of the page."""
        return next((tab.label for tab in self.tabs if tab.is_current), "")

    @property
    def waiting(self) -> int:
        return self.counters[WAITING_TAB]

    def _tab_url(self, name: str) -> str:
        own = {REVIEW: "review=1", WAITING_TAB: ""}.get(name, f"status={name}")
        query = "&".join(filter(None, (self._common, own)))
        return f"{self._address}?{query}" if query else self._address

    @cached_property
    def _common(self) -> str:
        """What all tabs keep of the query."""
        query = self.query.copy()
        for gone in ("status", "review", "page"):
            query.pop(gone, None)
        return query.urlencode()

    @cached_property
    def _address(self) -> str:
        return reverse("inbox")

    @property
    def everything_url(self) -> str:
        """The same search without regard to the status."""
        return self._tab_url(ALL)

    @property
    def unfiltered_url(self) -> str:
        """The tab alone."""
        query = self.query.copy()
        for name in list(query):
            if name not in {"status", "review", "sort"}:
                del query[name]
        return _url(query)

    @property
    def query_statuses(self) -> list[str]:
        return self.query.getlist("status")

    @property
    def last_page(self) -> int:
        return LAST_PAGE

    @property
    def url(self) -> str:
        return _url(self.query)

    def news_url(self, newest: int, shown: Collection[int], news: int) -> str:
        """Where the new ones can be seen: this page, if it holds them all, else the newest first."""
        on_page = {row.pk for row in self.rows if row.pk > newest} - set(shown)
        if len(on_page) >= news:
            return self.url
        query = self.query.copy()
        query.pop("page", None)
        query["sort"] = NEWEST_FIRST
        return _url(query)

    @property
    def changes_url(self) -> str:
        return reverse("inbox_changes") + "?" + self.query.urlencode()

    @property
    def sort_choices(self) -> list[tuple[str, object]]:
        return [("" if value == OLDEST_FIRST else value, str(label)) for value, label in SORTS]

    @property
    def sort(self) -> str:
        """The order in use, as `sort_choices` names it."""
        current = str(self.table.order_by)
        return "" if current == OLDEST_FIRST else current

    @property
    def category_choices(self) -> list[tuple[str, object]]:
        return [("", _("Any category")), *((name, name) for name in category_names())]

    @property
    def sentiment_choices(self) -> list[tuple[str, object]]:
        return [("", _("Any sentiment")), *Sentiment.choices]

    @property
    def ai_state_choices(self) -> list[tuple[str, object]]:
        return [("", _("Any AI state")), *AnalysisState.choices]

    @property
    def is_dated(self) -> bool:
        """Tell whether a span of time narrows the list."""
        return any(self.query.get(name) for name in DATED)

    @property
    def is_filtered(self) -> bool:
        """Tell whether anything but the tab narrows the list."""
        return any(self.query.get(name) for name in ("q", "category", "sentiment", *MORE_FILTERS))

    @property
    def has_more_filters(self) -> bool:
        return any(self.query.get(name) for name in MORE_FILTERS)

    def news(self, newest: int, shown: Collection[int]) -> int:
        """How many inquiries of this list came after `newest`."""
        return self.matching.filter(pk__gt=newest).exclude(pk__in=shown).capped_count()


def _with_default_status(query: QueryDict) -> QueryDict:
    """The inbox opens on what waits; `status=all` lifts that."""
    data = query.copy()
    if data.getlist("status") == [ALL]:
        del data["status"]
    elif not any(data.getlist("status")) and not data.get("review"):
        data.setlist("status", [status.value for status in Status if status in WAITING])
    return data


def _url(query: QueryDict) -> str:
    return reverse("inbox") + (f"?{query.urlencode()}" if query else "")
