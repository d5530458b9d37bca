"""Pages by cursor: newest first, as quick at the millionth row as at the first."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from inquiries.filters import DATED, EARLIEST, LATEST


class InquiryPagination(CursorPagination):
    """`{"next", "previous", "results"}`; ids grow with arrival, and their index gives a total order.

    Within a span of time it is the time that orders: its index leads straight to the first row.
    """

    ordering = "-id"
    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"
    page_size_query_description = gettext_lazy("How many inquiries a page holds, from 1 to 100.")  # type: ignore[assignment]
    cursor_query_description = gettext_lazy(  # type: ignore[assignment]
        "The place in the list; it is part of “next” and “previous”."
    )

    def get_page_size(self, request: Request) -> int:
        """Return the size asked for; raise ValidationError (400) where it is no number from 1 to 100."""
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= self.max_page_size):
            raise ValidationError({self.page_size_query_param: [_("Use a number from 1 to 100.")]})
        return int(text)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        return ("-created_at", "-id") if _is_dated(request) else ("-id",)

    def decode_cursor(self, request: Request) -> Any:
        """Return the place; raise ValidationError (400) for one that this list did not make.

        DRF would pass a place that is no number on to the database.
        """
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise _bad_cursor() from error
        is_ours = _is_moment if _is_dated(request) else _is_id
        if cursor and cursor.position is not None and not is_ours(str(cursor.position)):
            raise _bad_cursor()
        return cursor

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        links = {name: {"type": "string", "format": "uri", "nullable": True} for name in ("next", "previous")}
        names = [*links, "results"]
        return {"type": "object", "required": names, "properties": {**links, "results": schema}}


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _is_dated(request: Request) -> bool:
    return any(request.query_params.get(name) for name in DATED)


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return False
    return moment is not None and timezone.is_aware(moment) and EARLIEST <= moment <= LATEST


def _bad_cursor() -> ValidationError:
    return ValidationError({"cursor": [_("This cursor is not valid.")]})
