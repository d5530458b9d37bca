"""A person's data, by e-mail address: give them out, erase them, and keep a trail that names nobody."""

from __future__ import annotations

import hashlib
import json

from django.apps import apps
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Max, Min
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from inquiries.erasing import Due, ErasureReport, RetentionReport, erase, retention
from inquiries.models import (
    Analysis,
    Correction,
    Delivery,
    Example,
    IdempotencyKey,
    Inquiry,
    InquiryEvent,
    InquiryVector,
    Message,
    User,
)
from inquiries.services.exporting import export_person
from pok.logging import get_logger

__all__ = [
    "Due",
    "ErasureReport",
    "RetentionReport",
    "digest_of",
    "erase_person",
    "export_person",
    "lines",
    "note_export",
    "preview",
    "retention",
]

log = get_logger(__name__)
A_PERSONS_DATA = gettext_noop("data of a person")
TABLES = (Message, Delivery, InquiryEvent, Analysis, Correction, InquiryVector, Example, IdempotencyKey)
# What has no name that people see elsewhere.
NAMES = {
    "InquiryVector": gettext_lazy("vectors of meaning"),
    "Example": gettext_lazy("examples to learn from"),
    "IdempotencyKey": gettext_lazy("keys against repeated calls"),
}


def digest_of(email: str) -> str:
    """Return the SHA-256 of the folded address: enough to show later that this address was dealt with."""
    return hashlib.sha256(email.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()


def preview(email: str) -> ErasureReport:
    """Return how many rows of each table an erasure would take now; nothing is changed."""
    found = Inquiry.objects.from_address(email)
    rows = {table.__name__: table._default_manager.filter(inquiry__in=found.values("pk")).count() for table in TABLES}
    span = found.aggregate(first=Min("created_at"), last=Max("created_at"))
    return ErasureReport({"Inquiry": found.count(), **rows}, **span)


def lines(report: ErasureReport) -> list[str]:
    """Return a report's counts in words, a line for each table that had something."""
    order = ["Inquiry", *(table.__name__ for table in TABLES)]
    names = [*order, *(name for name in report.rows if name not in order)]
    told = [f"{_table(name)}: {report.rows[name]}" for name in names if report.rows.get(name)]
    extra = (
        (_("Requests for other customers from which their words were cut"), report.cut_requests),
        (_("Trained versions that are made anew"), report.heads),
        (_("Figures of the quality page that stay without the inquiry"), report.kept_outcomes),
    )
    return told + [f"{name}: {number}" for name, number in extra if number]


def _table(name: str) -> str:
    return capfirst(str(NAMES.get(name) or apps.get_model("inquiries", name)._meta.verbose_name_plural))


def erase_person(email: str, *, actor: User | None) -> ErasureReport:
    """Erase every inquiry of this address with all that hangs on it; `actor` None is the command line.

    Whatever part an interrupted run did stays done; repeating it does the rest. The trail, a line in the log and an
    entry in the admin's, is written last and holds counts and the address's digest.
    """
    report = erase(Inquiry.objects.from_address(email))
    log.info("person_erased", digest=digest_of(email), actor_id=actor.pk if actor else None, **report.figures())
    if actor is not None and report.inquiries:
        _note(email, actor, report)
    return report


def note_export(email: str, *, inquiries: int, actor: User | None) -> None:
    """Leave a line in the log when a person's data were given out."""
    log.info("person_exported", digest=digest_of(email), actor_id=actor.pk if actor else None, inquiries=inquiries)


def _note(email: str, actor: User, report: ErasureReport) -> None:
    figures = ", ".join(f"{name} {number}" for name, number in report.figures().items() if number)
    told = {"name": A_PERSONS_DATA, "object": figures}
    LogEntry.objects.create(
        user_id=actor.pk,
        content_type=ContentType.objects.get_for_model(Inquiry),
        object_id=None,
        object_repr=f"SHA-256 {digest_of(email)}",
        action_flag=DELETION,
        change_message=json.dumps([{"deleted": told}]),
    )
