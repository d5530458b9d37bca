"""`delivery.run` against a real mail server: what each outcome leaves behind, and that no mail goes out twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from inquiries import delivery, jobs, mail_health, mailing, services
from inquiries.models import Delivery, Inquiry, Message, ServiceState
from inquiries.states import DeliveryState, MailReason, Status
from inquiries.tests.delivery.helpers import FAILED, QUEUED, SENT, UNKNOWN, facts, health, make_due, run, run_state
from inquiries.tests.factories import make_delivery
from inquiries.tests.smtp import DROP, SILENCE

pytestmark = pytest.mark.django_db


# --- it goes out ---
def test_a_mail_is_sent_once(server, row):
    assert facts(run(row)) == (SENT, "", True, False)
    assert row.finished_at is not None
    run(row)
    [received] = server.mails
    assert received.recipients == [row.recipient]
    assert received.message["Message-ID"] == row.mail_id


def test_the_handover_stands_in_the_row_before_the_text_goes_out(server, row, monkeypatch):
    seen: list[tuple] = []
    hand_over = delivery.Handover.__call__

    def watched(self: delivery.Handover) -> None:
        hand_over(self)
        row.refresh_from_db()
        seen.append((row.state, row.handed_at is not None, "DATA" in server.asked))

    monkeypatch.setattr(delivery.Handover, "__call__", watched)
    run(row)
    assert seen == [(DeliveryState.SENDING, True, False)]


def test_the_outcome_is_on_record_before_the_goodbye(server, row, monkeypatch):
    closed: list[str] = []
    monkeypatch.setattr("pok.mail._close", lambda _backend: closed.append(run_state(row)))
    run(row)
    assert closed == [SENT]


def test_a_bad_goodbye_takes_nothing_back(server, row):
    server.script["QUIT"] = DROP
    assert run(row).state == SENT


def test_the_pages_notice_an_answer_that_went_out(server, row):
    version = row.inquiry.row_version
    run(row)
    row.inquiry.refresh_from_db()
    assert row.inquiry.row_version == version + 1


def test_a_receipt_that_went_out_is_no_news(server, make_inquiry):
    inquiry = make_inquiry()
    assert run(make_delivery(inquiry)).state == SENT
    inquiry.refresh_from_db()
    assert inquiry.row_version == 0


def test_a_success_is_seen_by_all_workers(server, row):
    mail_health.failed(MailReason.UNREACHABLE, "", is_of_server=True, is_probe=False)
    run(row, is_probe=True)
    assert (health().failures, health().open_until) == (0, None)
    assert health().last_success_at is not None


# --- it is not to go out ---
@pytest.mark.parametrize("state", [SENT, FAILED, UNKNOWN, DeliveryState.CANCELLED])
def test_what_is_over_is_left_alone(server, row, state):
    Delivery.objects.filter(pk=row.pk).update(state=state, due_at=None)
    run(row)
    assert not server.asked


def test_an_answer_waits_for_the_end_of_its_undo_window(server, row):
    Message.objects.update(published_at=Now() + timedelta(seconds=30))
    assert facts(run(row)) == (QUEUED, "", False, True)
    assert row.attempts == 0
    assert not server.asked


def test_an_answer_that_was_taken_back_is_not_sent(server, row):
    Delivery.objects.filter(pk=row.pk).update(message=None)
    assert facts(run(row)) == (DeliveryState.CANCELLED, MailReason.UNDONE, True, True)
    assert not server.asked


def test_an_undo_and_a_worker_exclude_each_other(server, make_inquiry, agent, settings):
    inquiry = services.send_answer(make_inquiry(), actor=agent, text="Hola", version=0)
    row = services.queue_answer(inquiry.messages.get()) if not inquiry.deliveries.exists() else inquiry.deliveries.get()
    run(row)  # not due yet
    services.undo_send(inquiry, actor=agent)
    make_due(row)
    run(row)
    assert row.state == DeliveryState.CANCELLED
    assert not server.mails


def test_no_receipt_goes_to_what_turned_out_to_be_spam(server, make_inquiry):
    row = make_delivery(make_inquiry(status=Status.SPAM))
    assert run(row).state == DeliveryState.CANCELLED
    assert not server.asked


def test_what_was_erased_meanwhile_is_no_error(server, row):
    Inquiry.objects.all().delete()
    delivery.run(row.pk)
    assert not server.asked


def test_what_is_erased_during_the_talk_is_not_sent(server, row, monkeypatch):
    opened = delivery.opened

    def erase_then_open():
        Inquiry.objects.all().delete()
        return opened()

    monkeypatch.setattr(delivery, "opened", erase_then_open)
    delivery.run(row.pk)
    assert not server.mails
    assert "DATA" not in server.asked


def test_who_lost_the_claim_sends_nothing(server, row, monkeypatch):
    compose = mailing.compose

    def slow(found: Delivery):
        make_due(row)
        jobs.claim(Delivery, row.pk)  # another worker, after the lease
        return compose(found)

    monkeypatch.setattr(mailing, "compose", slow)
    assert run(row).state == DeliveryState.SENDING
    assert not server.mails
    assert "DATA" not in server.asked


# --- the server refuses ---
def test_an_unknown_address_fails_at_once_and_the_server_is_well(server, row):
    server.script["RCPT"] = "550 5.1.1 <juana@example.com>: no such user"
    assert facts(run(row)) == (FAILED, MailReason.BAD_ADDRESS, True, True)
    assert row.error_detail == "550 5.1.1 …: no such user"
    assert not ServiceState.objects.exists()


@pytest.mark.parametrize("stage", ["MAIL", "DATA", "TEXT"])
def test_a_refused_mail_fails_at_once_and_can_be_sent_again(server, row, stage, agent):
    server.script[stage] = "554 5.7.1 No"
    assert facts(run(row)) == (FAILED, MailReason.REJECTED, True, True)
    assert (health().failures, health().last_error, health().open_until) == (1, "rejected", None)
    server.script.clear()
    services.send_again(row, actor=agent)
    assert facts(run(row)) == (SENT, "", True, False)


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "TEXT"])
def test_for_now_is_tried_again_later_and_later(server, row, stage):
    server.script[stage] = "451 4.3.0 Later"
    assert facts(run(row)) == (QUEUED, MailReason.TEMPORARY, False, True)
    assert row.attempts == 1
    waits = [wait(row)]
    make_due(row)
    run(row)
    waits.append(wait(row))
    assert 3 < waits[0] < 7
    assert 7 < waits[1] < 13
    server.script.clear()
    make_due(row)
    assert run(row).state == SENT


def wait(row: Delivery) -> float:
    """Seconds until the next try."""
    assert row.due_at is not None
    assert row.started_at is not None
    return (row.due_at - row.started_at).total_seconds()


@pytest.mark.parametrize("stage", ["MAIL", "TEXT"])
def test_after_a_day_a_person_decides(server, row, stage):
    server.script[stage] = "451 4.3.0 Later"
    Delivery.objects.update(created_at=Now() - delivery.HORIZON - timedelta(seconds=1))
    assert facts(run(row)) == (FAILED, MailReason.TEMPORARY, True, True)


def test_the_pages_notice_trouble_once(server, row):
    server.script["MAIL"] = "451 4.3.0 Later"
    for _ in range(3):
        run(row)
        make_due(row)
    assert Inquiry.objects.get().row_version == 1


# --- the server is away ---
@pytest.mark.parametrize(
    ("stage", "step", "reason"),
    [
        ("GREETING", DROP, MailReason.UNREACHABLE),
        ("EHLO", SILENCE, MailReason.TIMEOUT),
        ("GREETING", "421 4.3.2 Later", MailReason.TEMPORARY),
        ("MAIL", "530 5.7.0 Sign in", MailReason.AUTHENTICATION),
    ],
)
def test_a_server_that_fails_costs_no_attempt_and_starts_a_pause(server, row, stage, step, reason):
    server.script[stage] = step
    assert facts(run(row)) == (QUEUED, reason, False, True)
    assert row.attempts == 0
    assert wait(row) < 8
    assert (health().failures, health().last_error) == (1, reason)
    assert mail_health.is_paused()


def test_nobody_listens(server, row, settings):
    settings.EMAIL_PORT = 1
    assert facts(run(row)) == (QUEUED, MailReason.UNREACHABLE, False, True)
    assert row.error_detail == "Connection refused"


def test_without_a_mail_server_mails_wait(server, row, settings):
    settings.HAS_MAIL = False
    assert facts(run(row)) == (QUEUED, MailReason.NOT_CONFIGURED, False, True)
    settings.HAS_MAIL = True
    make_due(row)
    assert run(row).state == SENT


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("step", [DROP, SILENCE])
def test_a_line_that_breaks_before_the_text_is_tried_again(server, row, stage, step):
    server.script[stage] = step
    reason = MailReason.UNREACHABLE if step == DROP else MailReason.TIMEOUT
    assert facts(run(row)) == (QUEUED, reason, False, True)
    assert (row.attempts, mail_health.is_paused()) == (1, False)
    server.script.clear()
    make_due(row)
    assert run(row).state == SENT
    assert len(server.mails) == 1


# --- nobody knows ---
@pytest.mark.parametrize(("step", "reason"), [(DROP, MailReason.DROPPED), (SILENCE, MailReason.TIMEOUT)])
def test_a_line_that_breaks_after_the_text_is_left_to_a_person(server, row, step, reason):
    server.script["TEXT"] = step
    assert facts(run(row)) == (UNKNOWN, reason, True, False)
    server.script.clear()
    make_due(row)  # whatever happens to the row
    run(row)
    assert len(server.mails) == 1


def test_a_worker_that_died_after_the_handover_leaves_it_to_a_person(server, row):
    dead = jobs.claim(Delivery, row.pk)
    assert dead is not None
    jobs.note(dead, handed_at=Now())
    make_due(row)
    assert facts(run(row)) == (UNKNOWN, MailReason.CRASHED, True, False)
    assert not server.asked


def test_a_worker_that_died_before_the_handover_is_made_good(server, row):
    jobs.claim(Delivery, row.pk)
    make_due(row)
    assert facts(run(row)) == (SENT, "", True, False)
    assert row.crashes == 1


def test_a_mail_that_takes_three_workers_down_fails(server, row):
    for _ in range(jobs.MAX_CRASHES):
        jobs.claim(Delivery, row.pk)
        make_due(row)
    assert facts(run(row)) == (FAILED, MailReason.CRASHED, True, True)
    assert not server.asked


def test_what_a_slow_worker_knows_beats_what_the_next_one_guessed(server, row, monkeypatch):
    hand_over = delivery.Handover.__call__

    def slow(self: delivery.Handover) -> None:
        hand_over(self)
        make_due(row)
        delivery.run(row.pk)  # another worker, after the lease
        assert run_state(row) == UNKNOWN

    monkeypatch.setattr(delivery.Handover, "__call__", slow)
    assert facts(run(row)) == (SENT, "", True, False)
    assert len(server.mails) == 1
