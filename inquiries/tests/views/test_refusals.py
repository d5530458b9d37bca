"""What an action says when it cannot be done: by whom, why, beside what, and with which text kept."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from inquiries import services
from inquiries.models import Category, Inquiry, Message, SiteSettings
from inquiries.models.inquiry import REPLY_LENGTH
from inquiries.templatetags.desk import confidence_level, spoken

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
VERBS = ("categoria", "respuesta", "borrador", "enviar", "cerrar", "reabrir", "spam", "reintentar")


@pytest.fixture
def signed_in(agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def url(inquiry, verb: str = "") -> str:
    return f"/bandeja/{inquiry.pk}/{verb}/" if verb else f"/bandeja/{inquiry.pk}/"


def body(response) -> str:
    return response.content.decode()


def beside_the_editor(html: str) -> str:
    return html.split('id="reply-error"')[1].split("</div>", maxsplit=1)[0]


# --- Addresses that only take a form ----------------------------------------------------------
@pytest.mark.parametrize("verb", VERBS)
def test_who_comes_back_to_the_address_of_a_form_finds_its_page(client, signed_in, inquiry, verb):
    assert signed_in.get(url(inquiry, verb))["Location"] == url(inquiry)
    assert signed_in.put(url(inquiry, verb)).status_code == 405
    assert client.post(url(inquiry, verb))["Location"] == f"/entrar/?next={url(inquiry)}"


# --- The editor --------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", ["respuesta", "enviar", "borrador"])
@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("text", ["x" * (REPLY_LENGTH + 1), "uno\x07dos"])
def test_a_text_that_cannot_be_kept_is_refused_beside_the_editor(signed_in, inquiry, verb, headers, text):
    response = signed_in.post(url(inquiry, verb), {"text": text, "version": 0}, headers=headers)
    html = body(response)
    assert response.status_code == 422
    assert "message-error" in beside_the_editor(html)
    assert headers or f"{text}</textarea>" in html
    assert headers or "message-error" in html.split('id="messages"')[1].split("<header")[0]
    assert Inquiry.objects.get().reply is None


def test_the_limit_counts_a_line_break_as_one(signed_in, inquiry):
    text = "a\r\n" * (REPLY_LENGTH // 2)
    assert signed_in.post(url(inquiry, "respuesta"), {"text": text, "version": 0}).status_code == 302
    assert len(Inquiry.objects.get().reply) == REPLY_LENGTH


def test_the_editor_cuts_nothing_off(signed_in, inquiry):
    assert "maxlength" not in re.search(r'<textarea id="reply"[^>]*>', body(signed_in.get(url(inquiry))))[0]


def test_the_first_autosave_alone_brings_the_head_and_the_history(signed_in, inquiry):
    first = body(signed_in.post(url(inquiry, "respuesta"), {"text": "Uno", "version": 0}, headers=HTMX))
    assert 'id="head"' in first
    assert 'id="history"' in first
    assert "status-open" in first
    second = body(signed_in.post(url(inquiry, "respuesta"), {"text": "Dos", "version": 1}, headers=HTMX))
    assert 'id="head"' not in second


# --- Two people --------------------------------------------------------------------------------
def test_a_conflict_marks_the_lines_that_differ_and_only_those(signed_in, inquiry, other_agent):
    same = "".join(f"Línea {number}\n" for number in range(30))
    services.save_reply(inquiry, actor=other_agent, text=same + "<b>Otra</b>", version=0)
    html = body(signed_in.post(url(inquiry, "respuesta"), {"text": same + "Mía", "version": 0}, headers=HTMX))
    assert re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL) == ["Mía", "&lt;b&gt;Otra&lt;/b&gt;"]


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", ["enviar", "cerrar", "respuesta"])
@pytest.mark.parametrize(("ending", "word"), [("close", "cerró"), ("mark_spam", "spam")])
def test_what_somebody_else_ended_says_who_did(signed_in, inquiry, other_agent, verb, headers, ending, word):
    getattr(services, ending)(inquiry, actor=other_agent)
    response = signed_in.post(url(inquiry, verb), {"text": "Tarde", "version": 0}, headers=headers)
    html = body(response)
    panel = html.split('id="conflict"')[1].split("</p>")[0]
    assert response.status_code == 409
    for expected in ("data-is-over", "colega", word):
        assert expected in panel
    assert ("Tarde</textarea>" in html) is (verb != "cerrar")
    assert not Message.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_same_answer_twice_is_refused_and_a_changed_one_sent(signed_in, inquiry, agent, headers):
    services.reopen(services.send_answer(inquiry, actor=agent, text="Listo.", version=0), actor=agent)
    response = signed_in.post(url(inquiry, "enviar"), {"text": "Listo.\r\n", "version": 1}, headers=headers)
    assert response.status_code == 409
    assert "message-error" in beside_the_editor(body(response))
    signed_in.post(url(inquiry, "enviar"), {"text": "Listo, de nuevo.", "version": 1}, headers=headers)
    assert [message.body for message in Message.objects.all()] == ["Listo.", "Listo, de nuevo."]


# --- Words -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("confidence", "threshold", "level"),
    [
        (0.29, 0.3, "low"),
        (0.3, 0.3, "medium"),
        (0.64, 0.3, "medium"),
        (0.66, 0.3, "high"),
        (0.66, 0.7, "low"),
        (None, 0.0, "low"),
    ],
)
def test_low_is_exactly_what_goes_to_review(confidence, threshold, level):
    site = SiteSettings.get_solo()
    site.review_threshold = threshold
    site.save()
    assert confidence_level(confidence) == level


def test_a_language_is_named_or_not_mentioned():
    names = [spoken(code) for code in ("es", "en", "pt-BR")]
    assert all(names)
    assert len(set(names)) == 3
    assert spoken("xx") == spoken("") == ""


def test_without_an_active_category_it_says_so(signed_in, make_inquiry):
    inquiry = make_inquiry()
    Category.objects.update(is_active=False)
    form = body(signed_in.get(url(inquiry))).split('id="category-form"')[1].split("</form>")[0]
    assert 'class="choice ' not in form
    assert len(re.findall(r'<p class="small muted">[^<]+</p>', form)) == 1
