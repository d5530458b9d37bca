"""The customer's private page once there is more than one message: the conversation, and the form to write again."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from inquiries import services
from inquiries.forms import new_ticket, read_ticket
from inquiries.models import Analysis, Inquiry, Message
from inquiries.services.follow_up import MOST_FOLLOW_UPS
from inquiries.states import MessageKind, Status
from inquiries.tests import factories

pytestmark = pytest.mark.django_db
TYPED = "Un texto <único> & largo que nadie quiere escribir dos veces"
TYPED_ON_PAGE = "Un texto &lt;único&gt; &amp; largo que nadie quiere escribir dos veces"
STATES = ("received", "in-progress", "answered", "closed")


@pytest.fixture(autouse=True)
def _unthrottled(settings):
    settings.THROTTLE = "off"


@pytest.fixture
def answered(inquiry, agent) -> Inquiry:
    return factories.answer(inquiry, actor=agent, text="Pruebe a reiniciar.")


def address(inquiry: Inquiry, name: str = "follow_up") -> str:
    return reverse(name, args=[inquiry.public_token])


def write(client: Client, inquiry: Inquiry, text: str = "Sigue igual.", **changes: str):
    return client.post(address(inquiry), {"message": text, "ticket": new_ticket(age=60), **changes})


def page_of(client: Client, inquiry: Inquiry) -> str:
    return client.get(address(inquiry, "status")).content.decode()


def ticket_on(response) -> str:
    return re.search(r'name="ticket" value="([^"]+)"', response.content.decode())[1]  # type: ignore[index]


def state_on(page: str) -> str:
    return re.search(r"status-now status-([\w-]+)", page)[1]  # type: ignore[index]


def texts_of(inquiry: Inquiry) -> list[str]:
    return list(inquiry.messages.filter(kind=MessageKind.CUSTOMER).values_list("body", flat=True))


# --- Writing again -------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [Status.NEW, Status.OPEN, Status.ANSWERED, Status.CLOSED, Status.SPAM])
def test_the_form_is_there_in_every_state_and_the_message_too_afterwards(client, make_inquiry, categories, status):
    inquiry = make_inquiry(analysed=True, status=status)
    assert f'action="{address(inquiry)}"' in page_of(client, inquiry)

    response = write(client, inquiry, "uno\r\n<b>dos</b>")

    assert (response.status_code, response["Location"]) == (302, address(inquiry, "status"))
    page = client.get(response["Location"]).content.decode()
    assert "uno\n&lt;b&gt;dos&lt;/b&gt;" in page
    assert texts_of(inquiry) == ["uno\n<b>dos</b>"]
    assert state_on(page) in STATES


def test_the_conversation_stands_with_the_newest_first(client, answered):
    Message.objects.create(inquiry=answered, kind=MessageKind.NOTE, body="Nota interna")
    write(client, answered)

    page = page_of(client, answered)

    places = [page.index(text) for text in ("Sigue igual.", "Pruebe a reiniciar.", answered.message)]
    assert places == sorted(places)
    assert "Nota interna" not in page


def test_an_answered_inquiry_is_in_hand_again_and_the_page_polls_again(client, answered):
    before = page_of(client, answered)
    assert state_on(before) == "answered"
    assert "hx-trigger" not in before

    write(client, answered)

    after = page_of(client, answered)
    assert state_on(after) == "in-progress"
    poller = re.search(r'hx-get="([^"]+)"', after)[1]
    headers = {"HX-Request": "true"}
    assert client.get(poller, headers=headers).status_code == 204
    write(client, answered, "Y otra cosa.")
    changed = client.get(poller, headers=headers)
    assert (changed.status_code, "Y otra cosa." in changed.content.decode()) == (200, True)


def test_the_poller_never_brings_the_form(client, answered):
    write(client, answered)

    region = client.get(address(answered, "status"), headers={"HX-Request": "true"}).content.decode()

    assert "<form" not in region
    assert "Sigue igual." in region


# --- What nobody may learn -----------------------------------------------------------------------
@pytest.mark.parametrize("was_answered", [True, False])
def test_spam_looks_like_any_other_inquiry(client, make_inquiry, categories, agent, was_answered):
    pages = []
    for is_spam in (False, True):
        inquiry = make_inquiry(analysed=True)
        if was_answered:
            factories.answer(inquiry, actor=agent, text="Listo.")
        if is_spam:
            services.mark_spam(Inquiry.objects.get(pk=inquiry.pk), actor=agent)
        steps = [page_of(client, inquiry)]
        write(client, inquiry)
        steps.append(page_of(client, inquiry))
        pages.append([state_on(page) for page in steps] + ["spam" in "".join(steps).lower()])

    assert pages[0] == pages[1]
    assert not pages[1][-1]


def test_spam_costs_no_reading(client, make_inquiry, categories):
    inquiry = make_inquiry(analysed=True, status=Status.SPAM)
    write(client, inquiry)
    assert texts_of(inquiry) == ["Sigue igual."]
    assert not Analysis.objects.live().exists()


@pytest.mark.parametrize("token", ["x", "a" * 32, "a" * 5_000, "1"])
def test_a_token_of_nobody_is_nothing(client, inquiry, token):
    assert client.post(f"/consulta/{token}/responder/", {"message": "Hola", "ticket": new_ticket()}).status_code == 404
    assert not Message.objects.exists()


def test_each_customer_writes_to_their_own_inquiry_alone(client, make_inquiry, categories):
    mine, other, third = (make_inquiry(analysed=True, message=f"Mensaje {name}") for name in "ABC")

    write(client, mine, "Solo mío")

    assert [texts_of(inquiry) for inquiry in (mine, other, third)] == [["Solo mío"], [], []]
    for page in (page_of(client, other), page_of(client, third)):
        assert "Solo mío" not in page
        assert "Mensaje A" not in page


def test_the_page_stays_private_whatever_it_answers(client, answered):
    for response in (write(client, answered), write(client, answered, ""), client.get(address(answered, "status"))):
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "no-referrer"
        assert "noindex" in response["X-Robots-Tag"]


# --- The undo window -----------------------------------------------------------------------------
@pytest.mark.parametrize("was_answered", [True, False])
def test_an_answer_on_its_way_is_not_announced_and_comes_by_itself(client, inquiry, agent, was_answered):
    if was_answered:
        factories.answer(inquiry, actor=agent, text="La primera.")
        services.reopen(Inquiry.objects.get(pk=inquiry.pk), actor=agent)
    current = Inquiry.objects.get(pk=inquiry.pk)
    services.send_answer(current, actor=agent, text="La que viene.", version=current.reply_version)

    page = page_of(client, inquiry)
    assert (state_on(page), "La que viene." in page) == ("in-progress", False)
    poller = re.search(r'hx-get="([^"]+)"', page)[1]
    assert client.get(poller, headers={"HX-Request": "true"}).status_code == 204
    factories.let_leave(inquiry)
    last = client.get(poller, headers={"HX-Request": "true"})
    assert (last.status_code, "La que viene." in last.content.decode()) == (286, True)


def test_an_answer_that_leaves_after_the_inquiry_was_closed_still_comes(client, inquiry, agent):
    sent = services.send_answer(inquiry, actor=agent, text="La que viene.", version=0)
    services.close(sent, actor=agent)

    page = page_of(client, inquiry)
    assert state_on(page) == "closed"
    poller = re.search(r'hx-get="([^"]+)"', page)[1]
    factories.let_leave(inquiry)
    last = client.get(poller, headers={"HX-Request": "true"})
    assert (last.status_code, "La que viene." in last.content.decode()) == (286, True)


def test_what_leaves_after_a_follow_up_stands_above_it(client, inquiry, agent):
    services.send_answer(inquiry, actor=agent, text="La que viene.", version=0)
    write(client, inquiry, "Mientras tanto.")
    page = page_of(client, inquiry)
    assert (state_on(page), "La que viene." in page) == ("in-progress", False)

    Message.objects.filter(kind=MessageKind.CUSTOMER).update(published_at="2026-01-01T00:00:00Z")
    factories.let_leave(inquiry)

    page = page_of(client, inquiry)
    assert page.index("La que viene.") < page.index("Mientras tanto.")
    assert state_on(page) == "in-progress"


# --- Twins ---------------------------------------------------------------------------------------
def test_a_double_click_a_reload_and_a_step_back_give_one_message(client, answered):
    ticket = new_ticket(age=60)
    codes = [write(client, answered, ticket=ticket).status_code for _ in range(3)]

    assert codes == [302, 302, 302]
    assert texts_of(answered) == ["Sigue igual."]


def test_another_text_with_the_same_ticket_asks_and_keeps_the_text(client, answered):
    ticket = new_ticket(age=60)
    write(client, answered, ticket=ticket)

    response = write(client, answered, TYPED, ticket=ticket)

    assert response.status_code == 409
    assert TYPED_ON_PAGE in response.content.decode()
    assert texts_of(answered) == ["Sigue igual."]
    assert write(client, answered, TYPED, ticket=ticket_on(response)).status_code == 302
    assert texts_of(answered) == ["Sigue igual.", TYPED]


# --- What is wrong with it, and what goes wrong on our side ---------------------------------------
@pytest.mark.parametrize("text", ["", "   ", "¡¡!!", "hola\x00 hola", "a" * 10_001])
def test_bad_input_is_refused_beside_the_field_with_the_ticket_kept(client, answered, text):
    ticket = new_ticket(age=1)

    response = write(client, answered, text, ticket=ticket)

    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="id_message_error"' in page
    assert ticket_on(response) == ticket
    assert "Pruebe a reiniciar." in page
    assert texts_of(answered) == []


def test_a_too_long_text_is_kept(client, answered):
    assert "b" * 10_001 in write(client, answered, "b" * 10_001).content.decode()


@pytest.mark.parametrize("ticket", ["", "forged", new_ticket()[:-2]])
def test_a_ticket_that_is_not_ours_costs_one_more_click_and_no_text(client, answered, ticket):
    response = write(client, answered, TYPED, ticket=ticket)

    assert response.status_code == 422
    assert TYPED_ON_PAGE in response.content.decode()
    assert read_ticket(ticket_on(response))
    assert texts_of(answered) == []


def test_too_many_are_told_to_wait_and_keep_their_text(client, answered):
    with mock.patch("inquiries.views.status.public_limit", return_value=41.2):
        response = write(client, answered, TYPED)

    assert (response.status_code, response["Retry-After"]) == (429, "42")
    assert TYPED_ON_PAGE in response.content.decode()
    assert texts_of(answered) == []


def test_it_shares_the_limit_of_the_public_form(client, answered, settings):
    settings.THROTTLE = "on"
    allowed = int(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]["public"].split("/")[0])

    codes = [write(client, answered, f"Mensaje {number} más").status_code for number in range(allowed + 1)]

    assert codes == [302] * allowed + [429]


def test_mistakes_do_not_count_against_the_limit(client, answered):
    with mock.patch("inquiries.views.status.public_limit") as limit:
        write(client, answered, "")

    limit.assert_not_called()


def test_a_conversation_that_is_too_long_says_what_to_do_and_keeps_the_text(client, answered):
    Message.objects.bulk_create(
        Message(inquiry=answered, kind=MessageKind.CUSTOMER, body="x") for _ in range(MOST_FOLLOW_UPS)
    )

    response = write(client, answered, TYPED)

    page = response.content.decode()
    assert response.status_code == 409
    assert TYPED_ON_PAGE in page
    assert 'href="/"' in page


@pytest.mark.parametrize("broken", ["inquiries.views.status.by_token", "inquiries.views.status.services.follow_up"])
def test_a_database_that_is_down_costs_no_text_and_the_next_try_works(client, answered, broken):
    with mock.patch(broken, side_effect=OperationalError("gone")):
        response = write(client, answered, TYPED)

    page = response.content.decode()
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert TYPED_ON_PAGE in page
    assert f'action="{address(answered)}"' in page
    assert write(client, answered, TYPED, ticket=ticket_on(response)).status_code == 302


def test_no_cookie_is_needed_and_an_origin_that_is_hidden_does_no_harm(answered):
    browser = Client(enforce_csrf_checks=True, headers={"Origin": "null"})

    assert write(browser, answered).status_code == 302
    assert texts_of(answered) == ["Sigue igual."]


def test_a_reload_of_the_error_page_by_its_address_leads_back(client, answered):
    response = client.get(address(answered))

    assert (response.status_code, response["Location"]) == (302, address(answered, "status"))


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client, answered, method):
    assert getattr(client, method)(address(answered)).status_code == 405


# --- The page's price ----------------------------------------------------------------------------
def test_a_long_conversation_costs_no_query_more(client, answered, django_assert_num_queries):
    client.get("/")
    for number in range(10):
        write(client, answered, f"Mensaje {number} más")

    with django_assert_num_queries(2):
        page_of(client, answered)


# --- The receipt ---------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [Status.NEW, Status.SPAM])
@pytest.mark.parametrize("has_mail", [True, False])
def test_the_receipt_tells_of_the_email_and_not_of_spam(client, make_inquiry, settings, status, has_mail):
    settings.HAS_MAIL = has_mail
    page = client.get(address(make_inquiry(status=status), "receipt")).content.decode()
    assert ("como mucho un correo así por hora" in page) is has_mail
