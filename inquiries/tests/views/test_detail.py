from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils.translation import gettext

from inquiries import services
from inquiries.models import Analysis, InquiryEvent
from inquiries.states import AnalysisState, Sentiment, Status
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
        (Status.NEW, {"cerrar", "spam", "publicar"}),
        (Status.OPEN, {"cerrar", "spam", "publicar"}),
        (Status.ANSWERED, {"reabrir", "spam"}),
        (Status.CLOSED, {"reabrir", "spam"}),
        (Status.SPAM, {"no-es-spam"}),
    ],
)
def test_each_status_offers_what_it_allows(signed_in, make_inquiry, status, buttons):
    inquiry = make_inquiry(status=status)
    html = body(signed_in.get(url(inquiry)))
    verbs = ("cerrar", "spam", "publicar", "reabrir", "no-es-spam")
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
    from inquiries.states import EventKind
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
def poll(client: Client, inquiry, version: int):
    return client.get(url(inquiry, "novedades/"), {"version": version}, headers=HTMX)


def test_polling_rests_while_nothing_changes_and_stops_when_the_machine_is_done(signed_in, make_inquiry):
    waiting = make_inquiry()
    assert "hx-trigger" in body(signed_in.get(url(waiting))).split('id="poller"')[1].split(">")[0]
    assert poll(signed_in, waiting, waiting.row_version).status_code == 204
    done = make_inquiry(analysed=True)
    assert "hx-trigger" not in body(signed_in.get(url(done))).split('id="poller"')[1].split(">")[0]
    assert poll(signed_in, done, done.row_version).status_code == 286


def test_the_last_poll_brings_the_regions_and_never_the_editor(signed_in, inquiry):
    response = poll(signed_in, inquiry, inquiry.row_version + 1)
    html = body(response)
    assert response.status_code == 286
    for region in ("head", "thread", "ai", "history", "poller", "draft"):
        assert re.search(rf'id="{region}"[^>]*hx-swap-oob', html)
    for never in ('id="editor"', 'id="reply"', 'id="messages"', "<html"):
        assert never not in html
    assert "Hola Juana, lamentamos lo ocurrido." in html


def test_the_history_is_in_the_order_of_time(signed_in, inquiry, agent, categories):
    services.correct_category(inquiry, actor=agent, category=categories["Ventas"])
    make_analysis(inquiry, purpose="redo", model="second-reading")
    html = body(signed_in.get(url(inquiry))).split('class="history"')[1]
    order = re.findall(r'id="((?:analysis|event)-\d+)"', html)
    readings = [place for place, name in enumerate(order) if name.startswith("analysis")]
    assert readings[0] < order.index(f"event-{InquiryEvent.objects.get(kind='category').pk}") < readings[1]


def test_a_published_text_in_the_editor_says_so(signed_in, inquiry, agent):
    fresh = services.publish_answer(inquiry, actor=agent, text="Hola Juana", version=0)
    services.reopen(fresh, actor=agent)
    assert "última respuesta publicada" in body(signed_in.get(url(inquiry)))


def test_a_plain_form_without_a_session_shows_the_text_that_it_brought(inquiry):
    response = Client().post(url(inquiry, "respuesta/"), {"text": "<b>Mi texto</b>", "version": 0})
    assert response.status_code == 403
    assert "&lt;b&gt;Mi texto&lt;/b&gt;" in body(response)
    assert f"next=/bandeja/{inquiry.pk}/" in body(response)
