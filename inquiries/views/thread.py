"""What was written between the customer and the team after the first message, and where each answer is."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from inquiries.models import Delivery, Inquiry, Message
from inquiries.states import DeliveryState, MessageKind

QUICKLY, CALMLY = 2, 5  # seconds between two questions of the page's poller


@dataclass(frozen=True, slots=True)
class Entry:
    """A follow-up or an answer; `left` is what remains of an answer's undo window, by the database's clock."""

    message: Message
    delivery: Delivery | None
    left: timedelta

    @property
    def is_pending(self) -> bool:
        """Tell whether the answer can still be taken back."""
        return self.message.kind == MessageKind.ANSWER and self.left > timedelta(0)

    @property
    def is_live(self) -> bool:
        """Tell whether it will change by itself."""
        return self.is_pending or (self.delivery is not None and self.delivery.state in Delivery.live_states())

    @property
    def milliseconds_left(self) -> str:
        """For the page's countdown; a text, so that no language writes it in its own way."""
        return str(max(0, round(self.left / timedelta(milliseconds=1))))

    @property
    def seconds_left(self) -> int:
        """The same as people count: 10 until the first second is over."""
        return max(0, -(-self.left // timedelta(seconds=1)))

    @property
    def needs_decision(self) -> bool:
        """Tell whether a person has to say what becomes of the email."""
        return self.delivery is not None and self.delivery.state in {DeliveryState.FAILED, DeliveryState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Watch:
    """What the poller compares, and how often it asks; no `period` means that nothing changes by itself any more."""

    version: str
    period: int | None


def thread_of(inquiry: Inquiry) -> list[Entry]:
    """Return everything that both sides may read one day, oldest first, without notes."""
    rows = inquiry.messages.filter(kind__in=[MessageKind.ANSWER, MessageKind.CUSTOMER])
    messages: Any = rows.select_related("author", "delivery").annotate(left=F("published_at") - Now())
    return [Entry(message, getattr(message, "delivery", None), message.left) for message in messages]


def watch_of(inquiry: Inquiry, rows: list[Entry]) -> Watch:
    """Return what tells this state of the inquiry from the next; an email that changes leaves the row as it is."""
    mail = [(row.message.pk, row.is_pending, row.delivery and (row.delivery.state, row.delivery.error)) for row in rows]
    version = f"{inquiry.row_version}-{zlib.crc32(repr(mail).encode()):x}"
    if inquiry.is_being_analysed:
        return Watch(version, QUICKLY)
    return Watch(version, CALMLY if any(row.is_live for row in rows) else None)
