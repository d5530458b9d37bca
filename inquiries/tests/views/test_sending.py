"""Sending, undoing, and deciding about an email, by htmx and by plain forms."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from inquiries import services
from inquiries.models import Delivery, Inquiry, InquiryEvent, Message
from inquiries.states import DeliveryState, EventKind, Status
from inquiries.tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
BOTH = pytest.mark.parametrize("headers", [{}, HTMX])


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.HAS_MAIL = True


@pytest.fixture
def signed_in(agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def url(inquiry, verb: str = "") -> str:
    return f"/bandeja/{inquiry.pk}/{verb}/" if verb else f"/bandeja/{inquiry.pk}/"


def body(response) -> str:
    return response.content.decode()


def fresh(inquiry) -> Inquiry:
    return Inquiry.objects.get(pk=inquiry.pk)


def send(client: Client, inquiry, text: str = "Listo, Juana.", **headers: str):
    return client.post(url(inquiry, "enviar"), {"text": text, "version": inquiry.reply_version}, headers=headers)


def undo(client: Client, inquiry, answer: int, headers=HTMX, *, follow: bool = False):
    return client.post(url(inquiry, "no-enviar"), {"answer": answer}, headers=headers, follow=follow)


# --- Undo ------------------------------------------------------------------------------------
def test_sending_answers_with_the_undo_and_queues_the_email(signed_in, inquiry):
    html = body(send(signed_in, inquiry, **HTMX))
    message, email = Message.objects.get(), Delivery.objects.get()
    editor = html.split('id="editor"')[1]
    assert f'name="answer" value="{message.pk}"' in editor
    assert 'id="reply"' not in editor
    assert (email.message, email.due_at, email.state) == (message, message.published_at, DeliveryState.QUEUED)


@BOTH
def test_undoing_brings_the_text_back_into_the_editor(signed_in, inquiry, headers):
    send(signed_in, inquiry)
    response = undo(signed_in, inquiry, Message.objects.get().pk, headers, follow=True)
    html = body(response)
    assert response.status_code == 200
    assert "Listo, Juana.</textarea>" in html.split('id="reply"')[1]
    assert "message-success" in html
    assert not Message.objects.exists()
    assert Delivery.objects.get().state == DeliveryState.CANCELLED


@BOTH
def test_a_second_undo_says_the_same(signed_in, inquiry, headers):
    send(signed_in, inquiry)
    answer = Message.objects.get().pk
    statuses = [undo(signed_in, inquiry, answer, headers, follow=True).status_code for _ in range(2)]
    assert statuses == [200, 200]
    assert InquiryEvent.objects.filter(kind=EventKind.WITHDRAWN).count() == 1


@BOTH
def test_an_undo_that_comes_too_late_says_so(signed_in, inquiry, headers):
    send(signed_in, inquiry)
    factories.let_leave(inquiry)
    response = undo(signed_in, inquiry, Message.objects.get().pk, headers)
    assert response.status_code == 409
    assert "message-error" in body(response).split('id="messages"')[1]
    assert 'id="undo-form"' not in body(response)
    assert fresh(inquiry).status == Status.ANSWERED


def test_the_undo_of_a_reopened_inquiry_leaves_its_editor_alone(signed_in, inquiry, agent):
    send(signed_in, inquiry)
    services.reopen(fresh(inquiry), actor=agent)
    html = body(undo(signed_in, inquiry, Message.objects.get().pk))
    assert 'id="editor"' not in html
    assert 'id="sending"' in html


def test_a_colleague_undoes_and_an_outsider_does_not(client, signed_in, inquiry, other_agent, outsider):
    send(signed_in, inquiry)
    answer = Message.objects.get().pk
    client.force_login(outsider)
    assert undo(client, inquiry, answer).status_code == 404
    assert Message.objects.exists()
    client.force_login(other_agent)
    assert undo(client, inquiry, answer).status_code == 200
    assert not Message.objects.exists()


@BOTH
@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("no-enviar", {}),
        ("no-enviar", {"answer": "the last"}),
        ("no-enviar", {"answer": 2**63}),
        ("reenviar", {}),
        ("zanjar", {"delivery": 0}),
    ],
)
def test_a_form_without_its_number_is_refused(signed_in, inquiry, verb, data, headers):
    send(signed_in, inquiry)
    response = signed_in.post(url(inquiry, verb), data, headers=headers)
    assert response.status_code == 422
    assert "message-error" in body(response)
    assert Message.objects.count() == 1


def test_a_plain_form_without_a_session_shows_the_text_that_it_brought(inquiry):
    response = send(Client(), inquiry, "Mi texto")
    assert (response.status_code, "Mi texto" in body(response)) == (403, True)
    assert not Message.objects.exists()


# --- The email -------------------------------------------------------------------------------
def troubled(inquiry, agent, state: DeliveryState) -> Delivery:
    factories.answer(inquiry, actor=agent, text="Listo.")
    Delivery.objects.update(state=state, error="dropped", due_at=None)
    return Delivery.objects.get()


@BOTH
@pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.UNKNOWN])
def test_a_person_sends_the_email_again(signed_in, inquiry, agent, state, headers):
    email = troubled(inquiry, agent, state)
    response = signed_in.post(url(inquiry, "reenviar"), {"delivery": email.pk}, headers=headers, follow=True)
    email.refresh_from_db()
    assert (response.status_code, email.state) == (200, DeliveryState.QUEUED)
    assert "mail-queued" in body(response)
    assert re.search(r'id="poller"[^>]*hx-trigger="every 5s', body(response))
    assert InquiryEvent.objects.filter(kind=EventKind.RESENT, actor=agent).exists()


@BOTH
@pytest.mark.parametrize(
    ("state", "new"),
    [(DeliveryState.UNKNOWN, DeliveryState.SENT), (DeliveryState.FAILED, DeliveryState.CANCELLED)],
)
def test_a_person_says_what_became_of_it(signed_in, inquiry, agent, state, new, headers):
    email = troubled(inquiry, agent, state)
    response = signed_in.post(url(inquiry, "zanjar"), {"delivery": email.pk}, headers=headers, follow=True)
    email.refresh_from_db()
    assert (response.status_code, email.state) == (200, new)
    assert f"mail-{new}" in body(response)


@BOTH
@pytest.mark.parametrize("verb", ["reenviar", "zanjar"])
def test_an_email_that_needs_nobody_is_left_alone(signed_in, inquiry, agent, verb, headers):
    email = troubled(inquiry, agent, DeliveryState.SENT)
    response = signed_in.post(url(inquiry, verb), {"delivery": email.pk}, headers=headers)
    assert response.status_code == 409
    assert "message-error" in body(response)
    email.refresh_from_db()
    assert email.state == DeliveryState.SENT


@pytest.mark.parametrize("verb", ["reenviar", "zanjar"])
def test_only_an_inquirys_own_email_can_be_decided_about(
    signed_in, client, make_inquiry, inquiry, agent, outsider, verb
):
    email = troubled(inquiry, agent, DeliveryState.FAILED)
    other = make_inquiry()
    assert signed_in.post(url(other, verb), {"delivery": email.pk}).status_code == 404
    client.force_login(outsider)
    assert client.post(url(inquiry, verb), {"delivery": email.pk}).status_code == 404
    email.refresh_from_db()
    assert email.state == DeliveryState.FAILED
