"""What the verbs have in common: the first human act, the check of a conditional write, the history."""

from __future__ import annotations

from django.utils.translation import gettext as _

from inquiries.models import Inquiry, InquiryEvent, StaleInquiry, User
from inquiries.states import EventKind, Status


def after_human_act(inquiry: Inquiry, actor: User) -> Inquiry:
    """The first thing that a person does to a new inquiry opens it."""
    fresh = Inquiry.objects.for_detail().get(pk=inquiry.pk)
    if fresh.status == Status.NEW:
        fresh.move_to(Status.OPEN, actor=actor)
    return fresh


def expect(rows: int) -> None:
    if not rows:
        raise StaleInquiry(_("Somebody else has just changed this inquiry."))


def add_event(inquiry: Inquiry, kind: EventKind, actor: User | None, old: str = "", new: str = "") -> None:
    InquiryEvent.objects.create(inquiry=inquiry, kind=kind, actor=actor, old=old, new=new)
