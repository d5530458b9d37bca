"""Put an analysis into the queue: a row, and a bell once it is committed."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from inquiries.bell import ring
from inquiries.engines import is_switched_on
from inquiries.models import Analysis, Inquiry, StaleInquiry
from inquiries.services.shared import expect
from inquiries.states import LIVE, AIReason, AnalysisState, Purpose, SpamReason
from pok.insert import insert


def queue_analysis(inquiry: Inquiry, purpose: Purpose) -> Analysis:
    analysis = Analysis(inquiry=inquiry, purpose=purpose)
    insert(analysis)
    transaction.on_commit(lambda: ring(analysis.pk), robust=True)
    return analysis


def skip_reason(spam_reason: SpamReason | None) -> AIReason | None:
    if spam_reason:
        return AIReason.SPAM
    return None if is_switched_on() else AIReason.DISABLED


def requeue(inquiry: Inquiry) -> None:
    """Queue a retry. The analysis row is locked before the inquiry, as a worker that records does."""
    live = Analysis.objects.live().filter(inquiry=inquiry).exclude(purpose=Purpose.COMPARE)
    # A redo that waits for its hour goes first; one that is running becomes the retry that was asked for.
    scheduled = live.filter(state=AnalysisState.QUEUED)
    if scheduled.update(purpose=Purpose.RETRY, due_at=Now(), attempts=0):
        pk = scheduled.values_list("pk", flat=True).get()
        transaction.on_commit(lambda: ring(pk), robust=True)
    elif not live.update(purpose=Purpose.RETRY):
        try:
            with transaction.atomic():
                queue_analysis(inquiry, Purpose.RETRY)
        except IntegrityError as error:  # a worker has just scheduled a redo
            raise StaleInquiry(_("The analysis is already under way.")) from error
    waiting = Inquiry.objects.filter(pk=inquiry.pk).exclude(ai_state__in=LIVE)
    expect(waiting.touch(ai_state=AnalysisState.QUEUED, ai_error=""))
    inquiry.refresh_from_db()
