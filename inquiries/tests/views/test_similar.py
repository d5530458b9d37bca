from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from inquiries import similar
from inquiries.models import Analysis, Example, Inquiry, InquiryVector, SentPrompt

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_index():
    similar.forget()
    yield
    similar.forget()


def vector() -> bytes:
    data = np.zeros(similar.DIMENSIONS, dtype=np.float32)
    data[0] = 1.0
    return similar.pack(data)


@pytest.fixture
def past(make_inquiry, categories) -> Inquiry:
    """An answered inquiry that means the same as `inquiry`."""
    inquiry = make_inquiry(analysed=True, customer_name="Otra Persona", status="answered")
    Example.objects.create(
        inquiry=inquiry,
        category=categories["Ventas"],
        text="¿Cuánto cuesta?",
        answer="Hola [nombre], le escribimos a [correo].",
        encoder=similar.ENCODER,
        vector=vector(),
    )
    return inquiry


@pytest.fixture
def read(inquiry) -> Inquiry:
    """An inquiry whose meaning a worker has stored."""
    InquiryVector.objects.create(inquiry=inquiry, encoder=similar.ENCODER, vector=vector())
    return inquiry


def url(inquiry: Inquiry, name: str = "similar") -> str:
    return reverse(name, args=[inquiry.pk])


def start(client, inquiry, past, **extra):
    data = {"text": "", "version": inquiry.reply_version, "example": past.pk}
    return client.post(url(inquiry, "start_from"), data, **extra)


def test_similar_inquiries_are_listed_with_their_answers(client, agent, read, past):
    client.force_login(agent)
    page = client.get(url(read)).content.decode()
    assert f"#{past.pk}" in page
    assert "le escribimos a [correo]" in page


@pytest.mark.parametrize("name", ["similar", "sent"])
@pytest.mark.parametrize(("person", "status"), [("agent", 200), ("other_agent", 200), ("outsider", 404)])
def test_who_works_the_inbox_may_look(client, request, read, person, status, name):
    client.force_login(request.getfixturevalue(person))
    assert client.get(url(read, name)).status_code == status


@pytest.mark.parametrize("name", ["similar", "sent"])
def test_a_stranger_signs_in_first(client, read, name):
    assert client.get(url(read, name)).status_code == 302


def test_the_region_comes_alone(client, agent, read, past):
    client.force_login(agent)
    response = client.get(url(read), headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


def test_before_a_worker_has_read_it_the_page_says_so(client, agent, inquiry):
    client.force_login(agent)
    assert client.get(url(inquiry)).context["neighbours"] is None


def test_starting_from_an_answer_addresses_this_customer(client, agent, read, past):
    client.force_login(agent)
    response = start(client, read, past)
    assert response.status_code == 302
    read.refresh_from_db()
    assert read.reply == "Hola Juana, le escribimos a [correo]."
    assert (read.reply_by, read.reply_version) == (agent, 1)


def test_a_mark_that_is_left_cannot_be_sent(client, agent, read, past):
    client.force_login(agent)
    start(client, read, past)
    response = client.post(
        url(read, "send"), {"text": "Hola, le escribimos a [correo].", "version": 1}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 409
    assert "[correo]" in response.content.decode()
    read.refresh_from_db()
    assert read.status == "open"


def test_a_colleagues_text_is_not_replaced(client, agent, other_agent, read, past):
    Inquiry.objects.filter(pk=read.pk).update(reply="Del colega", reply_version=5, reply_by=other_agent)
    client.force_login(agent)
    response = client.post(
        url(read, "start_from"), {"text": "", "version": 0, "example": past.pk}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 409
    read.refresh_from_db()
    assert read.reply == "Del colega"


@pytest.mark.parametrize("example", ["", "x", "0", "999999999999999999999"])
def test_a_number_that_is_none_is_refused(client, agent, read, example):
    client.force_login(agent)
    data = {"text": "", "version": 0, "example": example}
    assert client.post(url(read, "start_from"), data, headers={"HX-Request": "true"}).status_code == 422


def test_an_inquiry_without_an_answer_is_no_start(client, agent, read, past):
    Example.objects.update(answer="")
    client.force_login(agent)
    assert start(client, read, past).status_code == 404


def test_an_outsider_starts_nothing(client, outsider, read, past):
    client.force_login(outsider)
    assert start(client, read, past).status_code == 404


# --- what was sent ---
def test_the_page_shows_word_for_word_what_was_sent(client, agent, inquiry):
    system = SentPrompt.objects.create(digest="0" * 64, text="Trabajas en el equipo de Acme.")
    Analysis.objects.filter(inquiry=inquiry).update(
        sent_text="<mensaje>mi correo es [CORREO_1]</mensaje>",
        sent_system=system,
        masked={"correo": 1},
        engine="openai",
        shown_examples=2,
    )
    client.force_login(agent)
    page = client.get(url(inquiry, "sent")).content.decode()
    assert "&lt;mensaje&gt;mi correo es [CORREO_1]&lt;/mensaje&gt;" in page
    assert "Trabajas en el equipo de Acme." in page


def test_the_page_says_when_nothing_left(client, agent, inquiry):
    client.force_login(agent)
    response = client.get(url(inquiry, "sent"))
    assert response.context["analysis"] is None


def test_a_trial_leaves_this_machine_like_a_reading(client, agent, make_inquiry):
    inquiry = make_inquiry(analysed=True)
    row = Analysis.objects.get(inquiry=inquiry)
    row.pk, row.purpose, row.sent_text, row.engine = None, "compare", "<mensaje>para probar</mensaje>", "openai"
    row.save()
    client.force_login(agent)
    assert reverse("sent", args=[inquiry.pk]) in client.get(inquiry.get_absolute_url()).content.decode()
    assert "&lt;mensaje&gt;para probar&lt;/mensaje&gt;" in client.get(url(inquiry, "sent")).content.decode()


def test_a_later_trial_does_not_hide_the_reading(client, agent, make_inquiry):
    inquiry = make_inquiry(analysed=True)
    row = Analysis.objects.get(inquiry=inquiry)
    row.sent_text = "lo leído"
    row.save()
    row.pk, row.purpose, row.sent_text = None, "compare", "lo probado"
    row.save()
    client.force_login(agent)
    assert client.get(url(inquiry, "sent")).context["analysis"].sent_text == "lo leído"


def test_each_request_can_be_read(client, agent, make_inquiry):
    inquiry = make_inquiry(analysed=True)
    first = Analysis.objects.get(inquiry=inquiry)
    Analysis.objects.filter(pk=first.pk).update(sent_text="la primera vez")
    row = Analysis.objects.get(pk=first.pk)
    row.pk, row.sent_text = None, "la segunda vez"
    row.save()
    client.force_login(agent)
    page = client.get(url(inquiry, "sent")).content.decode()
    assert "la segunda vez" in page
    assert f"?lectura={first.pk}" in page
    assert "la primera vez" in client.get(url(inquiry, "sent"), {"lectura": first.pk}).content.decode()
    assert "la segunda vez" in client.get(url(inquiry, "sent"), {"lectura": "x"}).content.decode()


@pytest.mark.parametrize(("error", "was_asked"), [("bad_answer", True), ("timeout", True), ("paused", False)])
def test_a_request_without_a_usable_answer_left_this_machine_too(client, agent, make_inquiry, error, was_asked):
    inquiry = make_inquiry(analysed=True)
    Analysis.objects.filter(inquiry=inquiry).update(error=error, engine="embedded")
    client.force_login(agent)
    page = client.get(url(inquiry, "sent"))
    assert page.context["unanswered"] is was_asked
    assert (b"panel empty" in page.content) is not was_asked
    link = reverse("sent", args=[inquiry.pk])
    assert (link in client.get(inquiry.get_absolute_url()).content.decode()) is was_asked


def test_the_page_of_similar_inquiries_has_a_heading(client, agent, read):
    client.force_login(agent)
    assert client.get(url(read)).content.count(b"<h1") == 1
