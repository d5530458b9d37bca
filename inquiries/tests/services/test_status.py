from __future__ import annotations

import pytest

from inquiries import services
from inquiries.models import (
    Inquiry,
    InquiryEvent,
    InvalidMove,
    StaleInquiry,
)
from inquiries.states import (
    AnalysisState,
    SpamReason,
    Status,
)
from inquiries.tests.services.helpers import submit

pytestmark = pytest.mark.django_db


def test_close_and_reopen(inquiry, agent):
    assert services.close(inquiry, actor=agent, reason="Duplicada").status == Status.CLOSED
    assert InquiryEvent.objects.get().reason == "Duplicada"
    assert services.reopen(inquiry, actor=agent).status == Status.OPEN


def test_a_stale_move_is_refused(inquiry, agent, other_agent):
    stale = Inquiry.objects.get(pk=inquiry.pk)
    services.close(inquiry, actor=agent)
    with pytest.raises(StaleInquiry):
        services.mark_spam(stale, actor=other_agent)
    assert InquiryEvent.objects.count() == 1


def test_an_impossible_move_is_refused(inquiry, agent):
    services.mark_spam(inquiry, actor=agent)
    with pytest.raises(InvalidMove):
        services.close(inquiry, actor=agent)


def test_spam_that_was_none_is_analysed(agent, rung, django_capture_on_commit_callbacks):
    inquiry = submit(spam_reason=SpamReason.TOO_FAST).inquiry
    with django_capture_on_commit_callbacks(execute=True):
        fresh = services.unmark_spam(inquiry, actor=agent)
    assert (fresh.status, fresh.spam_reason, fresh.ai_state) == (Status.OPEN, "", AnalysisState.QUEUED)
    assert rung == [fresh.analyses.get().pk]
