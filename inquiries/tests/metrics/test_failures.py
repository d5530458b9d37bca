from __future__ import annotations

from datetime import timedelta

import pytest

from inquiries import metrics
from inquiries.models import Analysis, Inquiry
from inquiries.states import AIReason, AnalysisState, Status
from inquiries.tests.metrics.helpers import age

pytestmark = pytest.mark.django_db


def test_failures_come_newest_first_and_end_at_twenty(make_inquiry):
    made = [make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA) for _index in range(22)]
    for minutes, inquiry in enumerate(made):
        age(inquiry.analyses.get(), finished_at=timedelta(minutes=minutes))
    found = [analysis.inquiry_id for analysis in metrics.last_failures()]
    assert found == [inquiry.pk for inquiry in made[:20]]


@pytest.mark.parametrize("solved", [{"ai_state": AnalysisState.DONE}, {"status": Status.ANSWERED}])
def test_what_was_solved_is_no_error_any_more(make_inquiry, solved):
    mended, broken = (make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA) for _index in range(2))
    Inquiry.objects.filter(pk=mended.pk).update(**solved)
    assert [analysis.inquiry_id for analysis in metrics.last_failures()] == [broken.pk]


def test_failures_carry_their_inquiry_along(make_inquiry, django_assert_num_queries):
    make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    with django_assert_num_queries(1):
        assert [analysis.inquiry.ai_state for analysis in metrics.last_failures()] == ["failed"]


def test_what_tries_again_by_itself_is_what_failed_and_has_its_hour(make_inquiry):
    backing_off, due, fresh = make_inquiry(), make_inquiry(), make_inquiry()
    Analysis.objects.filter(inquiry__in=[backing_off, due]).update(error=AIReason.RATE_LIMITED, attempts=1)
    age(backing_off.analyses.get(), due_at=-timedelta(minutes=2))
    age(fresh.analyses.get(), due_at=-timedelta(minutes=2))
    assert [analysis.inquiry_id for analysis in metrics.waiting_to_try_again()] == [backing_off.pk]
