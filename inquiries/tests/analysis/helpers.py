"""One attempt at a time, as if its hour had come."""

from __future__ import annotations

from django.core.cache import caches
from django.db import DataError
from django.db.models.functions import Now

from inquiries import analysis as analysis_module
from inquiries.models import Analysis, Inquiry, ServiceState


def attempt(inquiry: Inquiry) -> Inquiry:
    """Run the newest analysis as if its time had come."""
    row = inquiry.analyses.order_by("-id")[0]
    Analysis.objects.filter(pk=row.pk, due_at__isnull=False).update(due_at=Now())
    analysis_module.run(row.pk)
    inquiry.refresh_from_db()
    return inquiry


def pause_is_over() -> None:
    """Let the service be asked again, as after the circuit breaker's pause."""
    ServiceState.objects.update(open_until=None)
    caches["local"].clear()


def raise_data_error(*_args: object) -> None:
    raise DataError


def newest(inquiry: Inquiry) -> Analysis:
    return inquiry.analyses.order_by("-id")[0]
