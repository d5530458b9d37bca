"""One attempt, and what it left behind."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from inquiries import delivery
from inquiries.models import Delivery, ServiceState
from inquiries.states import DeliveryState

QUEUED, SENT, FAILED, UNKNOWN = (
    DeliveryState.QUEUED,
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
)


def run(row: Delivery, **options: bool) -> Delivery:
    delivery.run(row.pk, **options)
    row.refresh_from_db()
    return row


def make_due(row: Delivery) -> None:
    Delivery.objects.filter(pk=row.pk).update(due_at=Now() - timedelta(seconds=1))


def facts(row: Delivery) -> tuple:
    return row.state, row.error, row.due_at is None, row.handed_at is None


def health() -> ServiceState:
    return ServiceState.objects.get(name="mail")


def run_state(row: Delivery) -> str:
    return Delivery.objects.values_list("state", flat=True).get(pk=row.pk)
