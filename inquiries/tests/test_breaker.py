from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from inquiries import breaker
from inquiries.breaker import Permit
from inquiries.models import Analysis, ServiceState
from inquiries.states import Purpose

pytestmark = pytest.mark.django_db


def fail(times: int = 1, **changes: Any) -> None:
    for _ in range(times):
        breaker.failed("server_error", "503", **({"is_permanent": False} | changes))


def pass_time() -> None:
    """Let the pause run out."""
    ServiceState.objects.update(open_until=Now() - timedelta(seconds=1))
    caches["local"].clear()


def pause_left() -> float:
    left = ExpressionWrapper(F("open_until") - Now(), output_field=DurationField())
    return ServiceState.objects.annotate(left=left).values_list("left", flat=True)[0].total_seconds()


def test_two_failures_are_borne_and_the_third_starts_a_pause():
    fail(2)
    assert breaker.allows()
    fail()
    assert not breaker.allows()
    assert breaker.is_paused()


def test_a_failure_that_repeats_itself_pauses_at_once():
    fail(is_permanent=True)
    assert not breaker.allows()
    assert pause_left() > breaker.LONGEST_PAUSE - 5


def test_the_pause_doubles_up_to_its_longest():
    fail(3)
    first = pause_left()
    fail(is_probe=True)
    assert pause_left() > first + 20
    fail(10, is_probe=True)
    assert pause_left() <= breaker.LONGEST_PAUSE


def test_calls_that_were_under_way_when_the_pause_began_do_not_prolong_it():
    fail(3)
    first = pause_left()
    fail(8)
    assert pause_left() <= first
    assert ServiceState.objects.get().failures == breaker.THRESHOLD


def test_the_services_wish_is_honoured():
    fail(3, retry_after=200.0)
    assert pause_left() > 190


def test_after_the_pause_one_caller_tries_and_the_others_wait():
    fail(3)
    pass_time()
    assert [breaker.allows(), breaker.allows()] == [Permit.PROBE, Permit.REFUSED]


def test_a_success_closes_the_breaker_and_brings_redos_forward(make_inquiry, categories):
    inquiry = make_inquiry(analysed=True)
    redo = Analysis.objects.create(inquiry=inquiry, purpose=Purpose.REDO, due_at=Now() + timedelta(hours=1))
    fail(3)
    breaker.succeeded()
    assert breaker.allows()
    assert redo in Analysis.objects.due()
    assert ServiceState.objects.get().failures == 0


def test_failures_must_come_in_a_row():
    fail(2)
    breaker.succeeded()
    fail(2)
    assert breaker.allows()


def test_a_closed_breaker_is_asked_of_the_database_once_a_second(django_assert_num_queries):
    breaker.allows()
    with django_assert_num_queries(0):
        assert breaker.allows()


def test_a_start_forgives_what_other_settings_may_have_mended():
    breaker.failed("authentication", "HTTP 401", is_permanent=True)
    breaker.forgive_settings()
    assert breaker.allows()


def test_a_start_does_not_forgive_the_service_its_own_failures():
    fail(3)
    breaker.forgive_settings()
    assert not breaker.allows()


def test_the_last_error_is_kept_for_the_monitor():
    fail()
    row = ServiceState.objects.get(name=breaker.SERVICE)
    assert (row.last_error, row.last_detail, row.last_failure_at is None) == ("server_error", "503", False)


def test_after_the_pause_one_put_off_reading_is_brought_forward(make_inquiry, categories):
    late = Now() + timedelta(hours=1)
    for _ in range(2):
        Analysis.objects.create(inquiry=make_inquiry(analysed=True), purpose=Purpose.REDO, due_at=late)
    fail(3)
    breaker.wake_a_probe()
    assert not Analysis.objects.due().exists()
    pass_time()
    breaker.wake_a_probe()
    assert Analysis.objects.due().count() == 1
