"""What happened to an inquiry: readings of the AI and acts of people, in one order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inquiries.models import Analysis, Inquiry, InquiryEvent


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history: a reading or an event."""

    at: datetime
    analysis: Analysis | None = None
    event: InquiryEvent | None = None


def history_of(inquiry: Inquiry, analyses: list[Analysis]) -> list[Entry]:
    """Everything after the arrival, oldest first; `analyses` come newest first."""
    readings = [Entry(row.finished_at, analysis=row) for row in reversed(analyses) if row.finished_at]
    events = [Entry(event.created_at, event=event) for event in inquiry.events.select_related("actor")]
    # The sort is stable: what happened in the same moment keeps its own order.
    return sorted(readings + events, key=lambda entry: entry.at)
