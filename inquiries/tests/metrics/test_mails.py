from __future__ import annotations

import pytest

from inquiries import metrics
from inquiries.metrics import mails
from inquiries.models import Delivery
from inquiries.states import DeliveryKind, DeliveryState

pytestmark = pytest.mark.django_db


def _deliver(inquiry, state: DeliveryState) -> Delivery:
    is_over = state not in {DeliveryState.QUEUED, DeliveryState.SENDING}
    row = Delivery.objects.create(
        inquiry=inquiry,
        kind=DeliveryKind.RECEIPT,
        recipient=inquiry.email,
        state=state,
        mail_id=f"<{Delivery.objects.count()}@pok.example>",
    )
    if is_over:
        Delivery.objects.filter(pk=row.pk).update(due_at=None)
    return row


def test_without_any_mail():
    assert metrics.mail() == metrics.Mail(0, 0, 0)
    assert not metrics.troubled_mails()


def test_mails_by_state(inquiry):
    for state in (*DeliveryState, DeliveryState.UNKNOWN):
        _deliver(inquiry, DeliveryState(state))
    found = metrics.mail()
    assert found == metrics.Mail(queued=2, failed=1, unknown=2)
    assert found.troubled == 3


def test_counts_stop_at_the_cap(inquiry, monkeypatch):
    monkeypatch.setattr(mails, "COUNT_CAP", 2)
    for state in (DeliveryState.QUEUED, DeliveryState.FAILED):
        for _index in range(4):
            _deliver(inquiry, state)
    assert metrics.mail() == metrics.Mail(queued=3, failed=3, unknown=0)


def test_those_that_a_person_decides_about_come_newest_first(make_inquiry, django_assert_num_queries):
    rows = [
        _deliver(make_inquiry(), state) for state in (DeliveryState.FAILED, DeliveryState.SENT, DeliveryState.UNKNOWN)
    ]
    with django_assert_num_queries(1):
        found = [(mail.pk, mail.inquiry.pk) for mail in metrics.troubled_mails()]
    assert found == [(rows[2].pk, rows[2].inquiry_id), (rows[0].pk, rows[0].inquiry_id)]
