"""Moves of the status, and what a person may ask of the machine."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from inquiries.models import Inquiry, StaleInquiry, User
from inquiries.models.inquiry import InquiryError
from inquiries.services.queueing import requeue, skip_reason
from inquiries.services.shared import add_event
from inquiries.states import LIVE, AnalysisState, EventKind, SpamReason, Status


def close(inquiry: Inquiry, *, actor: User, reason: str = "") -> Inquiry:
    """End an inquiry without an answer."""
    inquiry.move_to(Status.CLOSED, actor=actor, reason=reason)
    return inquiry


def reopen(inquiry: Inquiry, *, actor: User) -> Inquiry:
    """Take an answered or closed inquiry up again."""
    inquiry.move_to(Status.OPEN, actor=actor)
    return inquiry


def mark_spam(inquiry: Inquiry, *, actor: User) -> Inquiry:
    """Set an inquiry aside as spam."""
    inquiry.move_to(Status.SPAM, actor=actor, spam_reason=SpamReason.PERSON, to_learn=True)
    return inquiry


@transaction.atomic
def unmark_spam(inquiry: Inquiry, *, actor: User) -> Inquiry:
    """Bring an inquiry back from spam; one that was never read by the AI is now."""
    if inquiry.status != Status.SPAM:
        raise StaleInquiry(_("Somebody else has just changed this inquiry."))
    inquiry.move_to(Status.OPEN, actor=actor, spam_reason="", to_learn=True)
    if inquiry.ai_state == AnalysisState.SKIPPED and not skip_reason(None):
        requeue(inquiry)
    return inquiry


@transaction.atomic
def retry(inquiry: Inquiry, *, actor: User | None) -> Inquiry:
    """Ask for a new analysis now. Raises StaleInquiry where one is under way already."""
    if inquiry.ai_state in LIVE:
        raise StaleInquiry(_("The analysis is already under way."))
    if skip_reason(None):
        raise InquiryError(_("The AI is switched off."))
    requeue(inquiry)
    add_event(inquiry, EventKind.RETRIED, actor)
    return inquiry


def retry_failed(*, actor: User | None, limit: int = 500) -> int:
    """Ask again for every waiting inquiry whose analysis failed or was switched off; return how many."""
    failed = list(Inquiry.objects.unread().order_by("id")[:limit])
    done = 0
    for inquiry in failed:
        try:
            retry(inquiry, actor=actor)
        except StaleInquiry:  # somebody else asked for this one in between
            continue
        done += 1
    return done
