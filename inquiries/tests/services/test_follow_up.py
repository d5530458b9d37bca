from __future__ import annotations

import pytest

from inquiries import services
from inquiries.models import Analysis, Inquiry
from inquiries.services import IdempotencyConflict, follow_up
from inquiries.states import AnalysisState, EventKind, MessageKind, Purpose, Status
from inquiries.tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent():
    return factories.make_user("lucia", "Agentes")


@pytest.fixture
def answered(agent):
    inquiry = factories.make_inquiry()
    Analysis.objects.filter(inquiry=inquiry).delete()
    return factories.answer(inquiry, actor=agent, text="Listo.")


def fresh(inquiry):
    return Inquiry.objects.get(pk=inquiry.pk)


def test_a_follow_up_opens_the_inquiry_and_asks_for_a_reading(answered):
    assert follow_up(answered, text="Sigue sin andar.", key="k1")

    inquiry = fresh(answered)
    assert (inquiry.status, inquiry.ai_state, inquiry.reply) == (Status.OPEN, AnalysisState.QUEUED, None)
    assert inquiry.followed_up_at is not None
    assert inquiry.messages.filter(kind=MessageKind.CUSTOMER).get().body == "Sigue sin andar."
    assert inquiry.events.filter(kind=EventKind.FOLLOW_UP, actor=None).count() == 1
    assert Analysis.objects.live().get(inquiry=inquiry).purpose == Purpose.FOLLOW_UP


def test_a_twin_writes_nothing_and_another_text_is_refused(answered):
    follow_up(answered, text="Uno.", key="k1")

    assert not follow_up(answered, text="Uno.", key="k1")
    with pytest.raises(IdempotencyConflict):
        follow_up(answered, text="Dos.", key="k1")
    assert answered.messages.filter(kind=MessageKind.CUSTOMER).count() == 1


def test_a_text_that_a_person_has_typed_stays(answered, agent):
    services.reopen(answered, actor=agent)
    services.save_reply(answered, actor=agent, text="A medias", version=fresh(answered).reply_version)

    follow_up(answered, text="Hola.", key="k1")

    assert fresh(answered).reply == "A medias"
