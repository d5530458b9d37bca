from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from inquiries import jobs
from inquiries.models import Analysis
from inquiries.states import AnalysisState

pytestmark = pytest.mark.django_db


@pytest.fixture
def analysis(make_inquiry) -> Analysis:
    return make_inquiry().analyses.get()


def end_lease(analysis: Analysis) -> None:
    Analysis.objects.filter(pk=analysis.pk).update(due_at=Now() - timedelta(seconds=1))


def test_a_claim_takes_the_job_once(analysis):
    assert jobs.claim(Analysis, analysis.pk) is not None
    assert jobs.claim(Analysis, analysis.pk) is None


def test_a_claim_writes_who_when_and_until(analysis):
    jobs.claim(Analysis, analysis.pk)
    analysis.refresh_from_db()
    assert (analysis.state, analysis.attempts, analysis.worker) == (AnalysisState.RUNNING, 1, jobs.WORKER)
    assert analysis.started_at is not None
    assert analysis.due_at is not None
    assert analysis.due_at - analysis.started_at == jobs.LEASE


def test_a_job_that_is_not_due_is_not_claimed(analysis):
    Analysis.objects.filter(pk=analysis.pk).update(due_at=Now() + timedelta(seconds=30))
    assert jobs.claim(Analysis, analysis.pk) is None


def test_a_finished_job_is_not_claimed(analysis):
    taken = jobs.claim(Analysis, analysis.pk)
    assert jobs.record(taken, AnalysisState.DONE)
    assert jobs.claim(Analysis, analysis.pk) is None
    analysis.refresh_from_db()
    assert analysis.due_at is None
    assert analysis.finished_at is not None


def test_an_expired_lease_gives_the_job_to_the_next_and_counts_a_crash(analysis):
    jobs.claim(Analysis, analysis.pk)
    end_lease(analysis)
    second = jobs.claim(Analysis, analysis.pk)
    assert second is not None
    assert (second.attempts, second.crashes) == (2, 1)


def test_a_put_back_job_counts_no_crash(analysis):
    taken = jobs.claim(Analysis, analysis.pk)
    assert jobs.put_back(taken, 0.0)
    end_lease(analysis)
    assert jobs.claim(Analysis, analysis.pk).crashes == 0


def test_a_zombie_writes_nothing(analysis):
    zombie = jobs.claim(Analysis, analysis.pk)
    end_lease(analysis)
    heir = jobs.claim(Analysis, analysis.pk)
    assert not jobs.record(zombie, AnalysisState.DONE, reply="late")
    assert not jobs.put_back(zombie, 0.0)
    assert jobs.record(heir, AnalysisState.DONE, reply="in time")
    analysis.refresh_from_db()
    assert analysis.reply == "in time"


def test_a_held_lease_is_renewed_and_a_released_one_is_not(analysis):
    taken = jobs.claim(Analysis, analysis.pk)
    with jobs.held(taken):
        end_lease(analysis)
        jobs.renew_leases()
        assert jobs.due_ids(Analysis, 10) == []
    end_lease(analysis)
    jobs.renew_leases()
    assert jobs.due_ids(Analysis, 10) == [analysis.pk]


def test_a_call_that_hangs_loses_its_lease(analysis, monkeypatch):
    monkeypatch.setattr(jobs, "RENEW_FOR", 0.0)
    taken = jobs.claim(Analysis, analysis.pk)
    with jobs.held(taken):
        end_lease(analysis)
        jobs.renew_leases()
    assert jobs.due_ids(Analysis, 10) == [analysis.pk]


def test_what_is_given_back_can_be_claimed_at_once_and_counts_neither_try_nor_crash(analysis):
    taken = jobs.claim(Analysis, analysis.pk)
    with jobs.held(taken):
        assert jobs.give_back_all(Analysis) == [analysis.pk]
        heir = jobs.claim(Analysis, analysis.pk)
        assert (heir.attempts, heir.crashes) == (1, 0)
        assert not jobs.record(taken, AnalysisState.DONE, reply="late")
        assert jobs.give_back_all(Analysis) == []  # it is the heir's now


# --- Suspects ------------------------------------------------------------------------------------
@pytest.fixture
def suspects(make_inquiry, monkeypatch) -> list[Analysis]:
    """Three jobs whose worker died for the second time."""
    monkeypatch.setattr(jobs, "_alone", jobs.Alone())
    rows = [make_inquiry().analyses.get() for _ in range(3)]
    Analysis.objects.update(state=AnalysisState.RUNNING, crashes=1, due_at=Now())
    return rows


def test_jobs_that_saw_two_crashes_are_tried_one_at_a_time(suspects):
    first, second, third = (analysis.pk for analysis in suspects)
    taken = jobs.claim(Analysis, first)
    assert (taken.crashes, taken.is_poison) == (2, False)
    with jobs.held(taken):
        assert jobs.claim(Analysis, second) is None
        waiting = Analysis.objects.get(pk=second)
        assert waiting.due_at > timezone.now()  # so that others come before it in the queue
        assert (waiting.crashes, waiting.state) == (1, AnalysisState.RUNNING)
    assert jobs.claim(Analysis, third) is None  # the first one may not have begun its work yet


def test_after_one_suspect_the_next_is_tried(suspects, monkeypatch):
    monkeypatch.setattr(jobs, "CLAIMING", 0.0)
    first, second, _third = suspects
    taken = jobs.claim(Analysis, first.pk)
    with jobs.held(taken):
        assert jobs.claim(Analysis, second.pk) is None
    end_lease(second)
    assert jobs.claim(Analysis, second.pk).crashes == 2


def test_a_claim_that_finds_no_suspect_keeps_no_place(suspects):
    Analysis.objects.filter(pk=suspects[0].pk).update(due_at=Now() + timedelta(minutes=1))
    assert jobs.claim(Analysis, suspects[0].pk) is None
    assert jobs.claim(Analysis, suspects[1].pk) is not None


def test_other_jobs_go_on_beside_a_suspect(suspects, make_inquiry):
    with jobs.held(jobs.claim(Analysis, suspects[0].pk)):
        assert jobs.claim(Analysis, make_inquiry().analyses.get().pk) is not None


def test_a_suspect_that_was_put_back_is_still_one(suspects, monkeypatch):
    first, second, _third = suspects
    assert jobs.put_back(jobs.claim(Analysis, first.pk), 0.0)
    monkeypatch.setattr(jobs, "CLAIMING", 0.0)
    with jobs.held(jobs.claim(Analysis, second.pk)):
        assert jobs.claim(Analysis, first.pk) is None


def test_a_suspect_whose_own_lease_ended_may_be_tried_by_the_same_process(suspects):
    jobs.claim(Analysis, suspects[0].pk)
    end_lease(suspects[0])
    assert jobs.claim(Analysis, suspects[0].pk) is not None


def test_the_third_crash_is_one_too_many(suspects):
    Analysis.objects.filter(pk=suspects[0].pk).update(crashes=2)
    assert jobs.claim(Analysis, suspects[0].pk).is_poison


def test_due_jobs_come_longest_due_first_and_no_more_than_asked(make_inquiry):
    late, later = (make_inquiry().analyses.get() for _ in range(2))
    Analysis.objects.filter(pk=later.pk).update(due_at=timezone.now() - timedelta(hours=1))
    assert jobs.due_ids(Analysis, 10) == [later.pk, late.pk]
    assert jobs.due_ids(Analysis, 1) == [later.pk]
    assert jobs.due_ids(Analysis, -3) == []


@pytest.mark.parametrize(("attempts", "low", "high"), [(1, 4, 6), (2, 8, 12), (3, 16, 24), (20, 480, 720)])
def test_backoff_doubles_up_to_a_limit(attempts, low, high):
    assert all(low <= jobs.backoff(attempts) <= high for _ in range(50))


def test_backoff_is_never_shorter_than_the_vendor_asks():
    assert jobs.backoff(1, retry_after=90.0) == 90.0
