from __future__ import annotations

from functools import partial

import pytest

from inquiries import services
from inquiries.models import (
    Inquiry,
    InvalidMove,
    Message,
    StaleInquiry,
)
from inquiries.states import (
    EventKind,
    MessageKind,
    Status,
)
from inquiries.tests.services.helpers import kinds

pytestmark = pytest.mark.django_db


def test_saving_raises_the_version_and_opens(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text="Hola", version=0)
    assert (fresh.reply, fresh.reply_version, fresh.reply_by, fresh.status) == ("Hola", 1, agent, Status.OPEN)


def test_saving_the_untouched_draft_changes_nothing(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text=inquiry.suggested_reply, version=0)
    assert (fresh.reply, fresh.reply_version, fresh.status) == (None, 0, Status.NEW)


def test_the_second_of_two_writers_gets_the_text_of_the_first(inquiry, agent, other_agent):
    services.save_reply(inquiry, actor=agent, text="Primero", version=0)
    with pytest.raises(services.ReplyConflict) as caught:
        services.save_reply(inquiry, actor=other_agent, text="Segundo", version=0)
    assert caught.value.inquiry.reply == "Primero"
    inquiry.refresh_from_db()
    assert (inquiry.reply, inquiry.reply_by) == ("Primero", agent)


def test_a_repeated_save_is_no_conflict(inquiry, agent):
    services.save_reply(inquiry, actor=agent, text="Hola", version=0)
    assert services.save_reply(inquiry, actor=agent, text="Hola", version=0).reply_version == 1


def test_an_editing_session_is_one_event(inquiry, agent, other_agent):
    fresh = inquiry
    for number, text in enumerate(("H", "Ho", "Hola")):
        fresh = services.save_reply(fresh, actor=agent, text=text, version=number)
    assert kinds(inquiry).count(EventKind.REPLY) == 1
    services.save_reply(fresh, actor=other_agent, text="Hola!", version=3)
    assert kinds(inquiry).count(EventKind.REPLY) == 2


def test_an_emptied_reply_stays_empty(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text="", version=0)
    assert fresh.reply_text == ""


def test_the_draft_can_be_used_again(inquiry, agent):
    fresh = services.save_reply(inquiry, actor=agent, text="Hola", version=0)
    fresh = services.use_draft(fresh, actor=agent, version=1)
    assert (fresh.reply, fresh.reply_text, fresh.reply_version) == (None, inquiry.suggested_reply, 2)
    with pytest.raises(services.ReplyConflict):
        services.use_draft(fresh, actor=agent, version=1)


def test_sending_makes_the_message_and_the_status(inquiry, agent):
    fresh = services.send_answer(inquiry, actor=agent, text="Hola Juana", version=0)
    message = Message.objects.get()
    assert (fresh.status, fresh.reply) == (Status.ANSWERED, "Hola Juana")
    assert fresh.answered_at is not None
    assert (message.kind, message.body, message.author) == (MessageKind.ANSWER, "Hola Juana", agent)
    assert kinds(inquiry)[-1] == EventKind.PUBLISHED


def test_sending_the_untouched_draft_keeps_it_as_the_reply(inquiry, agent):
    fresh = services.send_answer(inquiry, actor=agent, text=inquiry.suggested_reply, version=0)
    assert fresh.reply == inquiry.suggested_reply


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_reply_is_not_sent(inquiry, agent, text):
    with pytest.raises(services.EmptyReply):
        services.send_answer(inquiry, actor=agent, text=text, version=0)
    assert not Message.objects.exists()


def test_a_second_click_sends_nothing(inquiry, agent):
    services.send_answer(inquiry, actor=agent, text="Hola", version=0)
    with pytest.raises((InvalidMove, StaleInquiry)):
        services.send_answer(inquiry, actor=agent, text="Hola", version=0)
    assert Message.objects.count() == 1


def test_the_last_answer_is_not_sent_again(inquiry, agent):
    fresh = services.send_answer(inquiry, actor=agent, text="Hola", version=0)
    fresh = services.reopen(fresh, actor=agent)
    with pytest.raises(services.AlreadySent):
        services.send_answer(fresh, actor=agent, text="Hola ", version=fresh.reply_version)
    services.send_answer(fresh, actor=agent, text="Hola otra vez", version=fresh.reply_version)
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    "verb",
    [partial(services.send_answer, text="Hola"), partial(services.save_reply, text="Hola"), services.use_draft],
)
def test_what_was_erased_meanwhile_takes_no_reply(inquiry, agent, verb):
    Inquiry.objects.filter(pk=inquiry.pk).delete()
    with pytest.raises(StaleInquiry):
        verb(inquiry, actor=agent, version=inquiry.reply_version)


def test_a_conflict_sends_nothing(inquiry, agent, other_agent):
    services.save_reply(inquiry, actor=other_agent, text="La otra", version=0)
    with pytest.raises(services.ReplyConflict):
        services.send_answer(inquiry, actor=agent, text="La mía", version=0)
    inquiry.refresh_from_db()
    assert (inquiry.reply, inquiry.status) == ("La otra", Status.OPEN)
    assert not Message.objects.exists()
