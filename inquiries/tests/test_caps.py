from __future__ import annotations

import pytest
from django.core.cache import caches
from django.db import DatabaseError

from inquiries import budget, caps, services
from inquiries.caps import PERIOD, PUBLIC, Tally
from inquiries.models import Analysis, Inquiry, SiteSettings, Usage
from inquiries.services import Replay
from inquiries.states import AnalysisState, Source, SpamReason
from inquiries.tests.services.helpers import submit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """What time.monotonic() says in `caps`."""
    now = [1_000.0]
    monkeypatch.setattr("inquiries.caps.time.monotonic", lambda: now[0])
    return now


@pytest.fixture(autouse=True)
def service(settings, monkeypatch, clock) -> None:
    """An AI service that is paid, a process that has counted nothing, and no bell."""
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "openai", "k"
    monkeypatch.setattr(caps, "_tally", Tally())
    monkeypatch.setattr("inquiries.services.queueing.ring", lambda pk: None)


def cap(number: int | None) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"daily_public_inquiries": number})
    caches["local"].clear()


def outcome(**changes: object) -> str:
    """What became of one more inquiry: its AI state, or the reason why it is not read."""
    inquiry = submit(**changes).inquiry
    return inquiry.ai_error or inquiry.ai_state


def test_past_the_cap_inquiries_are_taken_in_and_wait_for_a_person():
    cap(2)
    assert [outcome() for _ in range(4)] == ["queued", "queued", "daily_cap", "daily_cap"]
    assert Inquiry.objects.filter(ai_state=AnalysisState.SKIPPED).count() == 2
    assert Analysis.objects.count() == 2


def test_form_and_api_without_a_key_count_together():
    cap(2)
    assert [outcome(source=Source.FORM), outcome(source=Source.API), outcome(source=Source.FORM)] == [
        "queued",
        "queued",
        "daily_cap",
    ]


def test_what_comes_with_a_key_is_read_and_takes_nobodys_place():
    cap(1)
    assert [outcome(source=Source.API, has_key=True) for _ in range(3)] == ["queued"] * 3
    assert [outcome(), outcome()] == ["queued", "daily_cap"]
    assert outcome(source=Source.API, has_key=True) == "queued"


def test_a_cap_of_none_is_no_cap_and_one_of_nought_lets_nothing_through():
    cap(None)
    assert outcome() == "queued"
    cap(0)
    assert outcome() == "daily_cap"


@pytest.mark.parametrize("name", ["embedded", "throttle", "switch"])
def test_there_is_no_cap_where_nothing_would_be_paid_or_a_load_test_runs(settings, name):
    cap(0)
    if name == "embedded":
        settings.AI_ENGINE = "embedded"
    elif name == "throttle":
        settings.THROTTLE = "off"
    else:
        SiteSettings.objects.update(ai_mode="embedded")
        caches["local"].clear()
    assert outcome() == "queued"


def test_spam_and_twins_take_nobodys_place():
    cap(2)
    first = submit(replay=Replay("form", "k"))
    assert submit(replay=Replay("form", "k")).inquiry == first.inquiry
    assert outcome(spam_reason=SpamReason.HONEYPOT) == "spam"
    assert [outcome(), outcome()] == ["queued", "daily_cap"]


def test_two_processes_see_each_other_after_a_period(monkeypatch, clock):
    cap(3)
    here, there = Tally(), Tally()
    monkeypatch.setattr(caps, "_tally", here)
    assert [outcome(), outcome()] == ["queued", "queued"]
    monkeypatch.setattr(caps, "_tally", there)
    assert there.so_far() == 1  # what came in a period's second half is not in the row yet
    clock[0] += PERIOD
    monkeypatch.setattr(caps, "_tally", here)
    assert outcome() == "queued"
    assert outcome() == "daily_cap"
    monkeypatch.setattr(caps, "_tally", there)
    assert outcome() == "daily_cap"
    assert Usage.objects.get(engine=PUBLIC).calls == 3


def test_a_process_that_starts_anew_goes_on_counting_where_the_row_is(monkeypatch):
    cap(1)
    outcome()
    monkeypatch.setattr(caps, "_tally", Tally())
    assert caps.is_reached()


def test_an_inquiry_costs_no_query_of_the_count(django_assert_num_queries):
    cap(100)
    outcome()
    SiteSettings.current()
    with django_assert_num_queries(0):
        assert not caps.is_reached()


def test_a_new_day_begins_from_nought(monkeypatch):
    cap(1)
    assert [outcome(), outcome()] == ["queued", "daily_cap"]
    tomorrow = budget.today().replace(year=2_100)
    monkeypatch.setattr(budget, "today", lambda: tomorrow)
    assert outcome() == "queued"


def test_raising_the_cap_lets_people_bring_the_rest_to_the_ai(supervisor):
    cap(0)
    assert outcome() == "daily_cap"
    cap(10)
    assert services.retry_failed(actor=supervisor) == 1
    assert Analysis.objects.count() == 1


def test_a_count_that_cannot_be_written_loses_no_inquiry(monkeypatch):
    def down(number: int) -> None:
        raise DatabaseError

    cap(5)
    monkeypatch.setattr(caps, "_add", down)
    assert outcome() == "queued"
