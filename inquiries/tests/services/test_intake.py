from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inquiries import services
from inquiries.models import (
    Analysis,
    IdempotencyKey,
    Inquiry,
    SiteSettings,
)
from inquiries.services import Replay
from inquiries.states import (
    AnalysisState,
    Purpose,
    SpamReason,
    Status,
)
from inquiries.tests.services.helpers import submit

pytestmark = pytest.mark.django_db


def test_submit_makes_the_inquiry_its_analysis_and_rings(rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        submission = submit()
    analysis = submission.inquiry.analyses.get()
    assert submission.created
    assert (submission.inquiry.status, submission.inquiry.ai_state) == (Status.NEW, AnalysisState.QUEUED)
    assert (analysis.state, analysis.purpose) == (AnalysisState.QUEUED, Purpose.ARRIVAL)
    assert rung == [analysis.pk]


def test_a_bell_that_cannot_ring_loses_nothing(monkeypatch, django_capture_on_commit_callbacks):
    from redis.exceptions import ConnectionError as RedisConnectionError

    from inquiries import bell

    def refused(analysis_id: int) -> None:
        raise RedisConnectionError

    monkeypatch.setattr(bell, "analyse", refused)
    with django_capture_on_commit_callbacks(execute=True):
        submission = submit()
    assert submission.inquiry.analyses.live().count() == 1


def test_spam_is_kept_with_its_reason_and_not_analysed(rung):
    inquiry = submit(spam_reason=SpamReason.HONEYPOT).inquiry
    assert (inquiry.status, inquiry.spam_reason) == (Status.SPAM, SpamReason.HONEYPOT)
    assert (inquiry.ai_state, inquiry.ai_error) == (AnalysisState.SKIPPED, "spam")
    assert not Analysis.objects.exists()


def test_nothing_is_analysed_while_the_ai_is_off(settings):
    settings.AI_ENGINE = "off"
    assert submit().inquiry.ai_state == AnalysisState.SKIPPED
    settings.AI_ENGINE = "embedded"
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "off"})
    SiteSettings.current().save()
    assert submit().inquiry.ai_error == "disabled"


def test_a_twin_call_gives_the_first_inquiry():
    first = submit(replay=Replay("form", "k1"))
    second = submit(replay=Replay("form", "k1"))
    assert (first.created, second.created) == (True, False)
    assert first.inquiry == second.inquiry
    assert Inquiry.objects.count() == 1


def test_the_same_key_with_other_data_is_a_conflict():
    first = submit(replay=Replay("form", "k1")).inquiry
    with pytest.raises(services.IdempotencyConflict) as caught:
        submit(replay=Replay("form", "k1"), message="Otra cosa")
    assert caught.value.inquiry == first


def test_keys_of_two_scopes_do_not_meet():
    assert submit(replay=Replay("key:1", "k")).inquiry != submit(replay=Replay("key:2", "k")).inquiry


def test_a_key_is_forgotten_after_a_day():
    first = submit(replay=Replay("form", "k1")).inquiry
    IdempotencyKey.objects.update(created_at=Now() - timedelta(hours=25))
    assert submit(replay=Replay("form", "k1")).inquiry != first
