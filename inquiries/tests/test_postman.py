"""`postman`: the threads that send. Their rounds are called by the tests; one test lets the real thread run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from inquiries import delivery, mail_health, postman
from inquiries.models import Delivery, ServiceState
from inquiries.states import DeliveryState, MailReason
from inquiries.tests.factories import make_delivery
from inquiries.tests.processes import wait_until
from inquiries.tests.smtp import MailServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(postman.THREADS) as pool:
        yield pool


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(postman, "_under_way", {})
    monkeypatch.setattr(postman, "_leaving", threading.Event())
    monkeypatch.setattr(postman, "_look", threading.Event())
    monkeypatch.setattr(postman, "PERIOD", 0.02)


@pytest.fixture
def runs(monkeypatch) -> Iterator[Runs]:
    runs = Runs()
    monkeypatch.setattr(delivery, "run", runs)
    yield runs
    runs.may_end.set()


class Runs:
    """In the place of `delivery.run`: remembers what it was given and ends when it may."""

    def __init__(self) -> None:
        self.given: list[tuple[int, bool]] = []
        self.may_end = threading.Event()

    def __call__(self, pk: int, *, is_probe: bool) -> None:
        self.given.append((pk, is_probe))
        self.may_end.wait(10)


def mails(make_inquiry, count: int) -> list[int]:
    inquiry = make_inquiry()
    return [make_delivery(inquiry).pk for _ in range(count)]


def settle(count: int, runs: Runs) -> None:
    wait_until(lambda: len(runs.given) == count, 5, "the threads have begun")


def test_due_mails_go_to_the_free_threads(make_inquiry, pool, runs):
    pks = mails(make_inquiry, 6)
    assert postman.hand_out(pool) == postman.THREADS == 4
    settle(4, runs)
    assert sorted(runs.given) == [(pk, False) for pk in pks[:4]]
    assert postman.hand_out(pool) == 0


def test_a_thread_that_is_free_again_gets_the_next(make_inquiry, pool, runs):
    mails(make_inquiry, 6)
    postman.hand_out(pool)
    runs.may_end.set()
    wait_until(lambda: not postman._under_way, 5, "the first four are over")
    assert postman._look.is_set()
    Delivery.objects.filter(pk__in=[pk for pk, _ in runs.given]).update(due_at=None)
    assert postman.hand_out(pool) == 2


def test_a_mail_under_way_is_not_begun_twice(make_inquiry, pool, runs):
    mails(make_inquiry, 2)
    assert [postman.hand_out(pool), postman.hand_out(pool)] == [2, 0]


def test_nothing_is_due(make_inquiry, pool, runs):
    Delivery.objects.filter(pk__in=mails(make_inquiry, 2)).update(due_at=Now() + timedelta(seconds=9))
    assert postman.hand_out(pool) == 0


def test_while_the_server_fails_one_mail_tries_and_the_others_wait(make_inquiry, pool, runs):
    pks = mails(make_inquiry, 3)
    mail_health.failed(MailReason.UNREACHABLE, "", is_of_server=True, is_probe=False)
    assert postman.hand_out(pool) == 0
    ServiceState.objects.update(open_until=Now() - timedelta(seconds=1))
    assert [postman.hand_out(pool), postman.hand_out(pool)] == [1, 0]
    settle(1, runs)
    assert runs.given == [(pks[0], True)]


def test_an_idle_pause_uses_up_no_try(pool, runs):
    mail_health.failed(MailReason.UNREACHABLE, "", is_of_server=True, is_probe=False)
    ServiceState.objects.update(open_until=Now() - timedelta(seconds=1))
    assert postman.hand_out(pool) == 0
    assert mail_health.permit() == mail_health.Permit.PROBE


def test_a_mail_that_raises_leaves_its_thread_free(make_inquiry, pool, monkeypatch):
    def broken(_pk: int, *, is_probe: bool) -> None:
        raise OperationalError

    monkeypatch.setattr(delivery, "run", broken)
    mails(make_inquiry, 1)
    assert postman.hand_out(pool) == 1
    wait_until(lambda: not postman._under_way, 5, "it is over")
    assert not postman._look.is_set()  # or it would be tried again without a pause


def test_who_leaves_waits_for_what_is_under_way(make_inquiry, pool, runs):
    mails(make_inquiry, 1)
    postman.hand_out(pool)
    leaving = threading.Thread(target=postman.leave)
    leaving.start()
    leaving.join(0.1)
    assert leaving.is_alive()
    runs.may_end.set()
    leaving.join(5)
    assert not leaving.is_alive()


def test_the_thread_sends_outlives_an_outage_and_ends(make_inquiry, settings, monkeypatch):
    settings.HAS_MAIL = True
    settings.EMAIL_BACKEND = "pok.mail.EmailBackend"
    due_ids, calls = delivery.due_ids, []

    def away_at_first(*arguments: Any) -> list[int]:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError
        return due_ids(*arguments)

    monkeypatch.setattr(delivery, "due_ids", away_at_first)
    mails(make_inquiry, 7)
    with MailServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        thread = threading.Thread(target=postman._loop)
        thread.start()
        wait_until(lambda: Delivery.objects.filter(state=DeliveryState.SENT).count() == 7, 10, "all are sent")
        postman.leave()
        thread.join(5)
    assert not thread.is_alive()
    assert len({mail.message["Message-ID"] for mail in server.mails}) == len(server.mails) == 7
