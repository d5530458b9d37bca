"""The inbox as a table: which columns there are, which sort, in pages that never count the whole table."""

from __future__ import annotations

import django_tables2 as tables
from django.core.paginator import EmptyPage
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from inquiries.models.inquiry import InquiryQuerySet

PER_PAGE = 50
# OFFSET reads what it skips: past this page a filter is the way.
LAST_PAGE = 200
OLDEST_FIRST = "received"
NEWEST_FIRST = "-received"
SORTS = (
    (OLDEST_FIRST, _("Oldest first")),
    (NEWEST_FIRST, _("Newest first")),
    ("sentiment", _("Negative first")),
    ("category", _("By category")),
)


class InquiryTable(tables.Table):  # type: ignore[misc]
    """Rows are drawn from `row.record` by `_row.html`. Only columns with an index sort, each in a total order."""

    customer = tables.Column(_("Customer"), accessor="customer_name")
    message = tables.Column(_("Message"))
    category = tables.Column(_("Category"), orderable=True, order_by=("category_id", "-id"))
    sentiment = tables.Column(_("Sentiment"), orderable=True, order_by=("sentiment", "-id"))
    ai_state = tables.Column(_("AI"))
    status = tables.Column(_("Status"))
    # The numbers rise with time, and every index of the inbox ends in them.
    received = tables.Column(_("Received"), accessor="created_at", orderable=True, order_by=("id",))

    class Meta:
        orderable = False
        template_name = "inquiries/_table.html"


class DatedTable(InquiryTable):
    """The same within a span of time, where the index of the times leads straight to its first row."""

    received = tables.Column(_("Received"), accessor="created_at", orderable=True, order_by=("created_at", "id"))


def build_table(inquiries: InquiryQuerySet, query: QueryDict, *, is_dated: bool = False) -> InquiryTable:
    """The table sorted and paged as the address says; a sort or page that is not there gives the first one."""
    kind = DatedTable if is_dated else InquiryTable
    wanted = query.get("sort", "")
    columns = kind.base_columns
    is_known = wanted.removeprefix("-") in columns and columns[wanted.removeprefix("-")].orderable
    table = kind(inquiries, order_by=(wanted if is_known else OLDEST_FIRST,))
    options = {"per_page": PER_PAGE, "paginator_class": tables.LazyPaginator}
    try:
        table.paginate(page=_page_number(query.get("page", "")), **options)
    except EmptyPage:
        table.paginate(page=1, **options)
    return table


def _page_number(text: str) -> int:
    return max(1, min(int(text), LAST_PAGE)) if text.isascii() and text.isdigit() and len(text) < 9 else 1
