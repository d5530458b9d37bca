from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inquiries import mail_health
from inquiries.mail_health import Permit
from inquiries.models import ServiceState
from inquiries.states import MailReason

pytestmark = pytest.mark.django_db


def fail(kind: MailReason = MailReason.UNREACHABLE, *, is_of_server: bool = True, is_probe: bool = False) -> None:
    mail_health.failed(kind, "451 Later", is_of_server=is_of_server, is_probe=is_probe)


def row() -> ServiceState:
    return ServiceState.objects.get(name="mail")


def pause() -> float:
    """Seconds from the failure to the end of the pause."""
    found = row()
    assert found.open_until is not None
    assert found.last_failure_at is not None
    return (found.open_until - found.last_failure_at).total_seconds()


def end_pause() -> None:
    ServiceState.objects.update(open_until=Now() - timedelta(seconds=1))


def test_a_server_that_was_never_asked_may_be():
    assert mail_health.permit() == Permit.GRANTED
    assert not mail_health.is_paused()


def test_a_failure_starts_a_pause_with_one_try_at_its_end():
    fail()
    assert mail_health.permit() == Permit.REFUSED
    assert mail_health.is_paused()
    end_pause()
    assert [mail_health.permit() for _ in range(3)] == [Permit.PROBE, Permit.REFUSED, Permit.REFUSED]


def test_a_try_that_is_lost_is_not_the_last():
    fail()
    end_pause()
    mail_health.permit()
    end_pause()
    assert mail_health.permit() == Permit.PROBE


def test_pauses_double_up_to_a_limit():
    fail()
    pauses = [pause()]
    for _ in range(7):
        fail(is_probe=True)
        pauses.append(pause())
    assert [round(seconds) for seconds in pauses] == [5, 10, 20, 40, 80, 160, 300, 300]


def test_a_refused_password_is_not_tried_often():
    fail(MailReason.AUTHENTICATION)
    assert round(pause()) == 60
    for _ in range(5):
        fail(MailReason.AUTHENTICATION, is_probe=True)
    assert round(pause()) == 600


def test_of_mails_that_fail_together_one_counts():
    for _ in range(4):
        fail()
    assert (row().failures, round(pause())) == (1, 5)


def test_a_success_ends_the_pause_and_the_count():
    fail()
    mail_health.succeeded()
    assert (row().failures, mail_health.permit()) == (0, Permit.GRANTED)
    assert row().last_success_at is not None
    assert (row().last_error, row().last_detail) == ("unreachable", "451 Later")


def test_trouble_with_one_mail_counts_and_starts_no_pause():
    fail(is_of_server=False)
    fail(is_of_server=False)
    assert (row().failures, mail_health.permit()) == (2, Permit.GRANTED)


def test_a_server_that_answers_the_try_is_back_whatever_it_says():
    fail()
    fail(MailReason.REJECTED, is_of_server=False, is_probe=True)
    assert mail_health.permit() == Permit.GRANTED
    fail()
    mail_health.answered()
    assert mail_health.permit() == Permit.GRANTED


def test_after_a_start_the_next_mail_tries_at_once():
    fail(MailReason.AUTHENTICATION)
    mail_health.try_at_once()
    assert mail_health.permit() == Permit.PROBE
