"""Emails to customers: how many wait, and which a person has to decide about."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import BooleanField, Count, Q, QuerySet
from django.db.models.expressions import RawSQL

from inquiries.models import Delivery
from inquiries.models.inquiry import COUNT_CAP
from inquiries.states import DeliveryState

# The condition of the index delivery_troubled, word for word: SQLite takes no index for a list of parameters.
TROUBLED = RawSQL("inquiries_delivery.state IN ('failed', 'unknown')", [], BooleanField())
MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Mail:
    """Counts of emails, each at most COUNT_CAP + 1; `queued` are on their way, those that are being sent included."""

    queued: int
    failed: int
    unknown: int

    @property
    def troubled(self) -> int:
        """How many a person has to decide about."""
        return self.failed + self.unknown


def mail() -> Mail:
    """Count what is on its way and what did not arrive, or perhaps did not."""
    capped = _troubled().values("state")[: COUNT_CAP + 1]
    counts: dict[str, int] = capped.aggregate(
        failed=Count("state", filter=Q(state=DeliveryState.FAILED)),
        unknown=Count("state", filter=Q(state=DeliveryState.UNKNOWN)),
    )
    queued = Delivery.objects.filter(due_at__isnull=False)[: COUNT_CAP + 1].count()
    return Mail(queued=queued, **counts)


def troubled_mails() -> QuerySet[Delivery]:
    """The newest emails that failed or may have arrived, with their inquiries."""
    return _troubled().select_related("inquiry")[:MAX_SHOWN]


def _troubled() -> QuerySet[Delivery]:
    troubled: QuerySet[Delivery] = Delivery.objects.filter(TROUBLED).order_by("-id")
    return troubled
