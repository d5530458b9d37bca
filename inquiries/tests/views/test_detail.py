from __future__ import annotations

import re
from html import unescape as html_unescape

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils.translation import gettext

from inquiries import services
from inquiries.models import Analysis, Delivery, InquiryEvent, Message
from inquiries.states import (
    AnalysisState,
    DeliveryKind,
    DeliveryState,
    EventKind,
    MailReason,
    MessageKind,
    Sentiment,
    Status,
)
from inquiries.tests import factories
from inquiries.tests.factories import make_analysis

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def url(inquiry, end: str = "") -> str:
    return f"/bandeja/{inquiry.pk}/{end}"


def body(response) -> str:
    return response.content.decode()


def test_it_shows_the_inquiry_the_reading_and_the_draft(signed_in, inquiry):
    html = body(signed_in.get(url(inquiry)))
    for words in (
        "Juana Pérez",
        "juana@example.com",
        "Hola, no puedo entrar a mi cuenta desde ayer.",
        "use-m3",
        "83 %",
        "Menciona «cuenta».",
        "Hola Juana, lamentamos lo ocurrido.",
    ):
        assert words in html
    assert re.search(r'value="Soporte Técnico" class="choice cat-azul" aria-pressed="true"', html)
    assert re.search(r'id="sentiment-Negativo"[^>]*aria-pressed="true"', html)


def test_line_breaks_and_the_first_empty_line_of_a_reply_are_kept(signed_in, make_inquiry):
    inquiry = make_inquiry(message="uno\n\ndos", reply="\n\nHola\n  <b>")
    html = body(signed_in.get(url(inquiry)))
    assert 'dir="auto" tabindex="0" role="group" aria-labelledby="message-title">uno\n\ndos</div>' in html
    # A browser drops the one line break that follows <textarea>.
    assert re.search(r'<textarea id="reply"[^>]*>\n\n\nHola\n  &lt;b&gt;</textarea>', html)


def test_markup_of_customers_is_text(signed_in, make_inquiry):
    inquiry = make_inquiry(customer_name="<i>Ana</i>", message="</textarea><script>x()</script>")
    html = body(signed_in.get(url(inquiry)))
    assert "<i>Ana" not in html
    assert "<script>x" not in html


@pytest.mark.parametrize(
    ("status", "buttons"),
    [
        (Status.NEW, {"cerrar", "spam", "enviar"}),
        (Status.OPEN, {"cerrar", "spam", "enviar"}),
        (Status.ANSWERED, {"reabrir", "spam"}),
        (Status.CLOSED, {"reabrir", "spam"}),
        (Status.SPAM, {"no-es-spam"}),
    ],
)
def test_each_status_offers_what_it_allows(signed_in, make_inquiry, status, buttons):
    inquiry = make_inquiry(status=status)
    html = body(signed_in.get(url(inquiry)))
    verbs = ("cerrar", "spam", "enviar", "reabrir", "no-es-spam")
    assert {verb for verb in verbs if f'action="{url(inquiry, verb)}/"' in html} == buttons


@pytest.mark.parametrize(
    ("fields", "is_offered"),
    [
        ({"ai_state": AnalysisState.FAILED, "ai_error": "quota"}, True),
        ({"ai_state": AnalysisState.SKIPPED, "ai_error": "disabled"}, True),
        ({"ai_state": AnalysisState.DONE, "is_provisional": True}, True),
        ({"ai_state": AnalysisState.DONE}, False),
        ({"ai_state": AnalysisState.RUNNING}, False),
        ({"ai_state": AnalysisState.SKIPPED, "ai_error": "spam", "status": Status.SPAM}, False),
    ],
)
def test_a_new_analysis_is_offered_where_there_is_none_or_a_provisional_one(
    signed_in, make_inquiry, fields, is_offered
):
    inquiry = make_inquiry(**fields)
    html = body(signed_in.get(url(inquiry)))
    assert ('id="retry-form"' in html) is is_offered
    assert inquiry.get_ai_error_display() in html


def test_spam_says_why(signed_in, make_inquiry):
    inquiry = make_inquiry(status=Status.SPAM, spam_reason="honeypot")
    assert inquiry.get_spam_reason_display() in body(signed_in.get(url(inquiry)))


def test_history_tells_who_did_what_from_and_to(signed_in, inquiry, agent, categories):
    services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    services.close(inquiry_again := type(inquiry).objects.get(pk=inquiry.pk), actor=agent, reason="Por teléfono")
    html = body(signed_in.get(url(inquiry_again)))
    history = re.sub(r"<[^>]+>|\s+", " ", html[html.index('id="history"') :])
    assert re.search(r"agente .*Soporte Técnico +→ .* Ventas", history)
    assert "Por teléfono" in history
    assert "Cerrada" in history


def test_history_names_no_category_where_the_ai_named_none(signed_in, inquiry):
    Analysis.objects.filter(inquiry=inquiry).update(category="Ventas", abstained=True)
    html = body(signed_in.get(url(inquiry)))
    history = html[html.index('id="history"') :]
    assert gettext("No category") in history
    assert "Ventas" not in history


def test_every_kind_of_event_has_a_sentence(signed_in, inquiry, agent):
    from inquiries.templatetags.desk import event_sentence

    sentences = {event_sentence(InquiryEvent(kind=kind)) for kind in EventKind}
    assert len(sentences) == len(EventKind)


def test_a_category_no_longer_in_use_stays_visible_and_cannot_be_chosen(signed_in, inquiry, categories):
    old = categories["Soporte Técnico"]
    old.is_active = False
    old.save()
    html = body(signed_in.get(url(inquiry)))
    assert re.search(r'value="Soporte Técnico"[^>]*aria-pressed="true" disabled', html)


@pytest.mark.parametrize("end", ["", "novedades/"])
def test_strangers_sign_in_and_outsiders_find_nothing(client, outsider, inquiry, end):
    assert client.get(url(inquiry, end)).status_code == 302
    client.force_login(outsider)
    response = client.get(url(inquiry, end))
    assert response.status_code == 404
    assert "Juana" not in body(response)


@pytest.mark.parametrize("who", ["agent", "other_agent", "supervisor"])
def test_the_team_may_open_it(client, request, inquiry, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(url(inquiry)).status_code == 200


@pytest.mark.parametrize("end", ["", "novedades/"])
def test_what_is_not_there_is_404_and_writing_405(signed_in, inquiry, end):
    assert signed_in.get(f"/bandeja/999999/{end}").status_code == 404
    assert signed_in.post(url(inquiry, end)).status_code == 405


def test_the_number_of_queries_is_bounded(signed_in, inquiry, agent, django_assert_max_num_queries):
    for mood in (Sentiment.POSITIVE, Sentiment.NEUTRAL, Sentiment.NEGATIVE):
        inquiry = services.correct_sentiment(inquiry, actor=agent, sentiment=mood)
    signed_in.get(url(inquiry))
    with django_assert_max_num_queries(12):
        signed_in.get(url(inquiry))


# --- The poller ------------------------------------------------------------------------------
def version_of(html: str) -> str:
    return re.search(r'name="version" value="([^"]*-[^"]*)"', html)[1]  # type: ignore[index]


def poller_of(html: str) -> str:
    return html.split('id="poller"')[1].split(">", maxsplit=1)[0]


def poll(client: Client, inquiry, version: str, **more):
    return client.get(url(inquiry, "novedades/"), {"version": version} | more, headers=HTMX)


def shown(client: Client, inquiry) -> str:
    return body(client.get(url(inquiry)))


def test_polling_rests_while_nothing_changes_and_stops_when_the_machine_is_done(signed_in, make_inquiry):
    waiting = make_inquiry()
    html = shown(signed_in, waiting)
    assert "hx-trigger" in poller_of(html)
    assert poll(signed_in, waiting, version_of(html)).status_code == 204
    done = make_inquiry(analysed=True)
    html = shown(signed_in, done)
    assert "hx-trigger" not in poller_of(html)
    assert poll(signed_in, done, version_of(html)).status_code == 286


def test_the_last_poll_brings_the_regions_and_never_the_editor(signed_in, inquiry):
    response = poll(signed_in, inquiry, "old")
    html = body(response)
    assert response.status_code == 286
    for region in ("head", "thread", "ai", "history", "poller", "draft", "sending"):
        assert re.search(rf'id="{region}"[^>]*hx-swap-oob', html)
    for never in ('id="editor"', 'id="reply"', 'id="messages"', "<html"):
        assert never not in html
    assert "Hola Juana, lamentamos lo ocurrido." in html


def test_the_poll_goes_on_until_the_answer_has_left(signed_in, inquiry, agent):
    services.send_answer(inquiry, actor=agent, text="Listo.", version=0)
    html = shown(signed_in, inquiry)
    assert 'hx-trigger="every 5s, wake"' in poller_of(html)
    assert poll(signed_in, inquiry, version_of(html)).status_code == 204
    factories.let_leave(inquiry)
    last = poll(signed_in, inquiry, version_of(html))
    assert last.status_code == 286
    assert 'id="undo-form"' not in body(last)
    assert "hx-trigger" not in poller_of(body(last))


def test_an_email_that_changes_is_news_though_the_inquiry_is_not(signed_in, answered_by_mail):
    inquiry, email = answered_by_mail
    html = shown(signed_in, inquiry)
    assert 'hx-trigger="every 5s, wake"' in poller_of(html)
    assert poll(signed_in, inquiry, version_of(html)).status_code == 204
    Delivery.objects.filter(pk=email.pk).update(state=DeliveryState.SENDING)
    news = poll(signed_in, inquiry, version_of(html))
    assert (news.status_code, "mail-sending" in body(news)) == (200, True)
    Delivery.objects.filter(pk=email.pk).update(state=DeliveryState.SENT, due_at=None, finished_at=Now())
    last = poll(signed_in, inquiry, version_of(body(news)))
    assert (last.status_code, "mail-sent" in body(last)) == (286, True)


def test_only_a_page_without_an_editor_gets_one_from_the_poll(signed_in, inquiry, agent):
    services.send_answer(inquiry, actor=agent, text="Listo.", version=0)
    html = shown(signed_in, inquiry)
    services.undo_send(inquiry, actor=agent)
    assert 'id="editor"' not in body(poll(signed_in, inquiry, version_of(html)))
    assert "Listo.</textarea>" in body(poll(signed_in, inquiry, version_of(html), bare="1"))


def test_polling_costs_one_query_more_than_the_inquiry(signed_in, answered_by_mail, django_assert_max_num_queries):
    inquiry, _email = answered_by_mail
    version = version_of(shown(signed_in, inquiry))
    with django_assert_max_num_queries(6):  # session, user, permissions (2), inquiry, thread
        assert poll(signed_in, inquiry, version).status_code == 204


# --- The thread ------------------------------------------------------------------------------
@pytest.fixture
def answered_by_mail(inquiry, agent, settings):
    """An answer that has left, and its email that has not."""
    settings.HAS_MAIL = True
    inquiry = factories.answer(inquiry, actor=agent, text="Listo.")
    message = Message.objects.get()
    Delivery.objects.filter(message=message).delete()
    email = Delivery.objects.create(
        inquiry=inquiry, message=message, kind=DeliveryKind.ANSWER, recipient=inquiry.email, mail_id="<1@pok>"
    )
    return inquiry, email


def test_follow_ups_and_answers_stand_in_their_order_and_notes_do_not(signed_in, inquiry, agent):
    factories.answer(inquiry, actor=agent, text="Primera respuesta.")
    Message.objects.create(inquiry=inquiry, kind=MessageKind.CUSTOMER, body="Sigue sin andar <b>.")
    Message.objects.create(inquiry=inquiry, kind=MessageKind.NOTE, body="Nota", author=agent)
    services.reopen(type(inquiry).objects.get(), actor=agent)
    services.send_answer(inquiry, actor=agent, text="Segunda respuesta.", version=1)
    thread = shown(signed_in, inquiry).split('id="thread"')[1].split("</section>")[0]
    places = [
        thread.index(words) for words in ("Primera respuesta.", "Sigue sin andar &lt;b&gt;.", "Segunda respuesta.")
    ]
    assert places == sorted(places)
    assert "Nota" not in thread
    assert thread.count("is-pending") == 1
    assert thread.index("is-pending") > places[1]


def test_a_colleague_sees_what_is_on_its_way_and_may_undo_it(client, inquiry, agent, other_agent):
    services.send_answer(inquiry, actor=agent, text="Listo.", version=0)
    client.force_login(other_agent)
    html = shown(client, inquiry)
    left = int(re.search(r'data-milliseconds="(\d+)"', html)[1])
    assert 0 < left <= 10_000
    assert f'name="answer" value="{Message.objects.get().pk}"' in html


@pytest.mark.parametrize(
    ("state", "error", "mark", "offers"),
    [
        ("queued", "", "mail-queued", []),
        ("queued", "unreachable", "mail-queued", []),
        ("sending", "", "mail-sending", []),
        ("sent", "", "mail-sent", []),
        ("failed", "bad_address", "mail-failed", ["resend", "settle"]),
        ("unknown", "dropped", "mail-unknown", ["resend", "settle"]),
        ("cancelled", "bad_address", "mail-cancelled", []),
    ],
)
def test_each_state_of_an_email_has_its_words_and_buttons(signed_in, answered_by_mail, state, error, mark, offers):
    inquiry, email = answered_by_mail
    Delivery.objects.update(state=state, error=error)
    thread = shown(signed_in, inquiry).split('id="thread"')[1].split("</section>")[0]
    assert f"tag {mark}" in thread
    assert not error or str(MailReason(error).label) in html_unescape(thread)
    assert [name for name in ("resend", "settle") if f'id="{name}-{email.pk}"' in thread] == offers


def test_without_mail_the_customer_reads_it_at_the_link(signed_in, inquiry, agent, settings):
    settings.HAS_MAIL = False
    factories.answer(inquiry, actor=agent, text="Listo.")
    assert gettext("The customer reads it at their link.") in shown(signed_in, inquiry)


def test_an_answer_of_before_there_was_mail_says_nothing_about_it(signed_in, inquiry, agent, settings):
    factories.answer(inquiry, actor=agent, text="Listo.")
    settings.HAS_MAIL = True
    assert "mail-state" not in shown(signed_in, inquiry)


def test_a_follow_up_in_the_history_is_the_customers(signed_in, inquiry):
    InquiryEvent.objects.create(inquiry=inquiry, kind=EventKind.FOLLOW_UP)
    history = shown(signed_in, inquiry).split('id="history"')[1]
    assert re.search(r"<strong><bdi>Juana Pérez</bdi></strong> \w+", history)


def test_the_history_is_in_the_order_of_time(signed_in, inquiry, agent, categories):
    services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    make_analysis(inquiry, purpose="redo", model="second-reading")
    html = body(signed_in.get(url(inquiry))).split('class="history"')[1]
    order = re.findall(r'id="((?:analysis|event)-\d+)"', html)
    readings = [place for place, name in enumerate(order) if name.startswith("analysis")]
    assert readings[0] < order.index(f"event-{InquiryEvent.objects.get(kind='category').pk}") < readings[1]


def test_a_text_in_the_editor_that_was_sent_says_so(signed_in, inquiry, agent):
    fresh = services.send_answer(inquiry, actor=agent, text="Hola Juana", version=0)
    services.reopen(fresh, actor=agent)
    assert 'id="sent-hint"' not in shown(signed_in, inquiry)
    factories.let_leave(inquiry)
    assert 'id="sent-hint"' in shown(signed_in, inquiry)


def test_a_plain_form_without_a_session_shows_the_text_that_it_brought(inquiry):
    response = Client().post(url(inquiry, "respuesta/"), {"text": "<b>Mi texto</b>", "version": 0})
    assert response.status_code == 403
    assert "&lt;b&gt;Mi texto&lt;/b&gt;" in body(response)
    assert f"next=/bandeja/{inquiry.pk}/" in body(response)
