from __future__ import annotations

import pytest
from django.test import Client

from inquiries import services
from inquiries.models import Correction, Inquiry, InquiryEvent, Message
from inquiries.models.inquiry import REPLY_LENGTH
from inquiries.states import AnalysisState, EventKind, Sentiment, Status

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
VERBS = (
    "categoria",
    "sentimiento",
    "deshacer",
    "respuesta",
    "borrador",
    "enviar",
    "no-enviar",
    "reenviar",
    "zanjar",
    "cerrar",
    "reabrir",
    "spam",
    "no-es-spam",
    "reintentar",
)


@pytest.fixture
def signed_in(agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def url(inquiry, verb: str) -> str:
    return f"/bandeja/{inquiry.pk}/{verb}/"


def body(response) -> str:
    return response.content.decode()


def fresh(inquiry) -> Inquiry:
    return Inquiry.objects.get(pk=inquiry.pk)


# --- Who may, and how ------------------------------------------------------------------------
@pytest.mark.parametrize("verb", VERBS)
def test_nobody_else_acts(client, outsider, inquiry, verb):
    before = Inquiry.objects.values().get(pk=inquiry.pk)
    assert client.post(url(inquiry, verb)).status_code == 302
    client.force_login(outsider)
    assert client.post(url(inquiry, verb), {"category": "Ventas", "text": "x", "version": 0}).status_code == 404
    assert Inquiry.objects.values().get(pk=inquiry.pk) == before


@pytest.mark.parametrize("verb", VERBS)
def test_only_post_acts(signed_in, inquiry, verb):
    response = signed_in.get(url(inquiry, verb))
    assert (response.status_code, response["Location"]) == (302, f"/bandeja/{inquiry.pk}/")
    assert signed_in.put(url(inquiry, verb)).status_code == 405
    assert signed_in.post(f"/bandeja/999999/{verb}/").status_code == 404


@pytest.mark.parametrize("verb", VERBS)
def test_a_foreign_page_cannot_act(agent, inquiry, verb):
    client = Client(enforce_csrf_checks=True)
    client.force_login(agent)
    assert client.post(url(inquiry, verb)).status_code == 403


def test_without_a_session_htmx_is_led_to_the_sign_in(client, inquiry):
    headers = HTMX | {"HX-Current-URL": f"http://testserver/bandeja/{inquiry.pk}/"}
    response = client.post(url(inquiry, "respuesta"), {"text": "x", "version": 0}, headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == f"/entrar/?next=/bandeja/{inquiry.pk}/"


# --- Labels ----------------------------------------------------------------------------------
def test_a_category_is_corrected_and_taken_back(signed_in, inquiry, agent):
    response = signed_in.post(url(inquiry, "categoria"), {"category": "Ventas"})
    assert response.status_code == 302
    assert response["Location"] == f"/bandeja/{inquiry.pk}/"
    now = fresh(inquiry)
    assert (now.category.name, now.category_by_person, now.status) == ("Ventas", True, Status.OPEN)
    assert Correction.objects.get().actor == agent
    assert 'id="undo-category"' in body(signed_in.get(f"/bandeja/{inquiry.pk}/"))
    signed_in.post(url(inquiry, "deshacer"), {"field": "category"})
    assert fresh(inquiry).category.name == "Soporte Técnico"
    assert 'id="undo-category"' not in body(signed_in.get(f"/bandeja/{inquiry.pk}/"))


def test_a_sentiment_is_corrected_by_htmx_in_place(signed_in, inquiry):
    response = signed_in.post(url(inquiry, "sentimiento"), {"sentiment": "Positivo"}, headers=HTMX)
    html = body(response)
    assert response.status_code == 200
    assert fresh(inquiry).sentiment == Sentiment.POSITIVE
    assert 'id="ai"' in html
    assert 'id="messages"' in html
    assert 'id="editor"' not in html


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("categoria", {"category": "Nada"}),
        ("categoria", {}),
        ("sentimiento", {"sentiment": "Furioso"}),
        ("deshacer", {"field": "status"}),
        ("respuesta", {"text": "x"}),
        ("respuesta", {"text": "x", "version": "one"}),
        ("respuesta", {"text": "x", "version": "99999999999999999999"}),
        ("respuesta", {"text": "x" * (REPLY_LENGTH + 1), "version": 0}),
        ("respuesta", {"text": "a\0b", "version": 0}),
        ("enviar", {"text": "x", "version": ""}),
        ("cerrar", {"reason": "x" * 201}),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_bad_input_is_refused_with_a_reason(signed_in, inquiry, verb, data, headers):
    response = signed_in.post(url(inquiry, verb), data, headers=headers)
    assert response.status_code == 422
    assert "message-error" in body(response)
    assert fresh(inquiry).row_version == inquiry.row_version


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_nothing_to_undo_is_said(signed_in, inquiry, headers):
    response = signed_in.post(url(inquiry, "deshacer"), {"field": "category"}, headers=headers)
    assert response.status_code == 409
    assert "message-error" in body(response)


# --- The reply -------------------------------------------------------------------------------
def test_an_autosave_answers_with_the_new_version(signed_in, inquiry, agent):
    response = signed_in.post(url(inquiry, "respuesta"), {"text": "Mi texto\r\n dos", "version": 0}, headers=HTMX)
    assert 'data-version="1"' in body(response)
    now = fresh(inquiry)
    assert (now.reply, now.reply_version, now.reply_by, now.status) == ("Mi texto\n dos", 1, agent, Status.OPEN)


def test_saving_without_javascript_leads_back(signed_in, inquiry):
    response = signed_in.post(url(inquiry, "respuesta"), {"text": "  Mi texto\n", "version": 0}, follow=True)
    assert response.redirect_chain == [(f"/bandeja/{inquiry.pk}/", 302)]
    assert fresh(inquiry).reply == "  Mi texto\n"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", ["respuesta", "enviar"])
def test_the_second_of_two_agents_sees_both_texts(signed_in, inquiry, other_agent, verb, headers):
    services.save_reply(inquiry, actor=other_agent, text="Texto de la colega", version=0)
    response = signed_in.post(url(inquiry, verb), {"text": "Texto mío", "version": 0}, headers=headers)
    html = body(response)
    assert response.status_code == 409
    for words in ("Texto de la colega", "Texto mío", 'data-version="1"', "colega"):
        assert words in html
    assert fresh(inquiry).reply == "Texto de la colega"
    assert not Message.objects.exists()


def test_the_conflict_page_lets_the_agent_keep_the_own_text(signed_in, inquiry, other_agent):
    services.save_reply(inquiry, actor=other_agent, text="Texto de la colega", version=0)
    html = body(signed_in.post(url(inquiry, "respuesta"), {"text": "Texto mío", "version": 0}))
    assert html.count("Texto mío</textarea>") == 2
    assert 'id="reply-version" name="version" value="1"' in html
    signed_in.post(url(inquiry, "respuesta"), {"text": "Texto mío", "version": 1})
    assert fresh(inquiry).reply == "Texto mío"


def test_a_text_for_an_inquiry_that_is_over_is_handed_back(signed_in, inquiry, other_agent):
    services.close(inquiry, actor=other_agent)
    response = signed_in.post(url(inquiry, "respuesta"), {"text": "Tarde", "version": 0}, headers=HTMX)
    assert response.status_code == 409
    assert "Tarde</textarea>" in body(response)
    assert "data-is-over" in body(response)
    assert fresh(inquiry).reply is None


def test_the_draft_comes_back(signed_in, inquiry, agent):
    services.save_reply(inquiry, actor=agent, text="Otra cosa", version=0)
    response = signed_in.post(url(inquiry, "borrador"), {"text": "Otra cosa", "version": 1}, headers=HTMX)
    assert fresh(inquiry).reply is None
    assert "lamentamos lo ocurrido.</textarea>" in body(response).split('id="reply"')[1]


# --- Sending ---------------------------------------------------------------------------------
def test_sending_shows_the_answer(signed_in, inquiry, agent):
    response = signed_in.post(url(inquiry, "enviar"), {"text": "Listo, Juana.", "version": 0}, follow=True)
    message = Message.objects.get()
    assert (message.body, message.author) == ("Listo, Juana.", agent)
    assert fresh(inquiry).status == Status.ANSWERED
    assert f'id="answer-{message.pk}"' in body(response)


def test_a_double_click_sends_once(signed_in, inquiry):
    for _ in range(2):
        response = signed_in.post(url(inquiry, "enviar"), {"text": "Listo.\r\n", "version": 0}, headers=HTMX)
        assert response.status_code == 200
    assert Message.objects.count() == 1
    assert InquiryEvent.objects.filter(kind=EventKind.PUBLISHED).count() == 1


def test_another_answer_to_what_is_answered_is_refused(signed_in, inquiry, other_agent):
    services.send_answer(inquiry, actor=other_agent, text="Primera", version=0)
    response = signed_in.post(url(inquiry, "enviar"), {"text": "Segunda", "version": 1}, headers=HTMX)
    assert response.status_code == 409
    assert "colega" in body(response).split('id="conflict"')[1]
    assert [message.body for message in Message.objects.all()] == ["Primera"]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_reply_is_not_sent(signed_in, inquiry, text, headers):
    response = signed_in.post(url(inquiry, "enviar"), {"text": text, "version": 0}, headers=headers)
    assert response.status_code == 422
    assert "message-error" in body(response)
    assert fresh(inquiry).status == Status.NEW


# --- The status ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("old", "verb", "new"),
    [
        (Status.NEW, "cerrar", Status.CLOSED),
        (Status.ANSWERED, "reabrir", Status.OPEN),
        (Status.CLOSED, "reabrir", Status.OPEN),
        (Status.OPEN, "spam", Status.SPAM),
        (Status.SPAM, "no-es-spam", Status.OPEN),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_status_moves(signed_in, make_inquiry, old, verb, new, headers):
    inquiry = make_inquiry(analysed=True, status=old)
    response = signed_in.post(url(inquiry, verb), {"reason": "Motivo"}, headers=headers)
    assert response.status_code == (200 if headers else 302)
    assert fresh(inquiry).status == new
    assert InquiryEvent.objects.get().reason == ("Motivo" if verb == "cerrar" else "")


@pytest.mark.parametrize(
    ("old", "verb"),
    [
        (Status.CLOSED, "cerrar"),
        (Status.OPEN, "reabrir"),
        (Status.SPAM, "spam"),
        (Status.CLOSED, "no-es-spam"),
        (Status.SPAM, "cerrar"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_move_that_is_not_there_is_a_409_that_says_so(signed_in, make_inquiry, old, verb, headers):
    inquiry = make_inquiry(status=old)
    response = signed_in.post(url(inquiry, verb), headers=headers)
    assert response.status_code == 409
    assert "message-error" in body(response)
    assert fresh(inquiry).status == old


def test_a_failed_analysis_is_asked_for_again(signed_in, make_inquiry):
    inquiry = make_inquiry(ai_state=AnalysisState.FAILED, ai_error="quota")
    response = signed_in.post(url(inquiry, "reintentar"), headers=HTMX)
    assert fresh(inquiry).ai_state == AnalysisState.QUEUED
    assert "hx-trigger" in body(response).split('id="poller"')[1].split(">")[0]
    assert signed_in.post(url(inquiry, "reintentar"), headers=HTMX).status_code == 409
