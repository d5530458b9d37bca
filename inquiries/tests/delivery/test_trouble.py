"""`delivery.run` where the trouble is our own, which mails come first, and what the log tells."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import structlog
from django.db import DataError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now

from inquiries import delivery, jobs, mailing
from inquiries.models import Delivery, ServiceState
from inquiries.states import MailReason
from inquiries.tests.delivery.helpers import FAILED, QUEUED, SENT, UNKNOWN, facts, make_due, run
from inquiries.tests.factories import make_answer, make_delivery
from pok.mail import Post

pytestmark = pytest.mark.django_db


# --- our own trouble ---
def test_a_bug_before_the_handover_fails_that_one_mail(server, row, monkeypatch):
    def broken(_row: Delivery) -> None:
        raise KeyError("Juana juana@example.com")

    monkeypatch.setattr(mailing, "compose", broken)
    with structlog.testing.capture_logs() as logs:
        assert facts(run(row)) == (FAILED, MailReason.INTERNAL, True, True)
    assert "KeyError" in row.error_detail
    assert "juana" not in str([line | {"exc_info": None} for line in logs])


def test_a_bug_after_the_handover_is_left_to_a_person(server, row, monkeypatch):
    def broken(self: Post, mail: object, *, before_data: Callable[[], None]) -> None:
        before_data()
        raise KeyError

    monkeypatch.setattr(Post, "send", broken)
    assert facts(run(row)) == (UNKNOWN, MailReason.INTERNAL, True, False)


def test_a_database_that_is_away_before_the_handover_costs_nothing(server, row, monkeypatch):
    note, calls = jobs.note, []

    def away(taken: jobs.Claim, **fields: object) -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError
        return note(taken, **fields)

    monkeypatch.setattr(jobs, "note", away)
    assert facts(run(row)) == (QUEUED, MailReason.INTERNAL, False, True)
    assert (row.attempts, row.crashes) == (0, 0)
    assert not ServiceState.objects.exists()
    make_due(row)
    assert run(row).state == SENT
    assert len(server.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_after_the_text_is_waited_for(server, row, monkeypatch):
    record, calls = jobs.record, []

    def away(taken: jobs.Claim, state: str, **fields: object) -> bool:
        calls.append(state)
        if len(calls) < 3:
            raise OperationalError
        return record(taken, state, **fields)

    monkeypatch.setattr(jobs, "record", away)
    assert facts(run(row)) == (SENT, "", True, False)
    assert calls == [SENT] * 3
    assert len(server.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_cannot_be_written_is_found_handed_over(server, row, monkeypatch):
    def broken(*_: object, **__: object) -> bool:
        raise DataError

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "record", broken)
        with pytest.raises(DataError):
            delivery.run(row.pk)
    make_due(row)
    assert facts(run(row)) == (UNKNOWN, MailReason.CRASHED, True, False)
    assert len(server.mails) == 1


class Look(threading.Event):
    """A step of the server that notes whether the sending thread holds a connection of the database meanwhile."""

    def __init__(self, wrapper: BaseDatabaseWrapper, held: list[bool]) -> None:
        super().__init__()
        self.wrapper, self.held = wrapper, held

    def is_set(self) -> bool:
        self.held.append(self.wrapper.connection is not None)
        return True


@pytest.mark.django_db(transaction=True)
def test_no_pooled_connection_is_held_during_the_talk(server, row):
    held: list[bool] = []
    server.script |= dict.fromkeys(("EHLO", "TEXT"), Look(connections["default"], held))
    assert run(row).state == SENT
    assert held == [connection.vendor == "sqlite"] * 2  # a file's is its thread's own


# --- which ones ---
def test_answers_go_before_receipts_and_the_longest_due_first(make_inquiry):
    inquiry = make_inquiry()
    receipt = make_delivery(inquiry, due_at=Now() - timedelta(hours=1))
    late, later = (
        make_delivery(inquiry, make_answer(inquiry), due_at=Now() - timedelta(minutes=minutes)) for minutes in (1, 2)
    )
    make_delivery(inquiry, make_answer(inquiry), due_at=Now() + timedelta(minutes=1))
    assert delivery.due_ids(10) == [later.pk, late.pk, receipt.pk]
    assert delivery.due_ids(1, without={later.pk}) == [late.pk]


# --- what is told ---
def test_lines_name_the_ids_and_nobody(server, row):
    server.script["RCPT"] = "550 5.1.1 <juana@example.com>: no such user"
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        run(row)
    [line] = logs
    assert (line["event"], line["inquiry_id"], line["delivery_id"]) == ("mail_not_sent", row.inquiry_id, row.pk)
    assert "juana" not in str(logs)
