from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inquiries.models import Inquiry, InquiryEvent, InvalidMove, StaleInquiry
from inquiries.models.inquiry import SHOWN_IN_QUEUE
from inquiries.states import AnalysisState, Status

pytestmark = pytest.mark.django_db


def test_inquiries_are_visible_to_those_who_work_the_inbox(inquiry, agent, other_agent, supervisor, outsider):
    for person in (agent, other_agent, supervisor):
        assert list(Inquiry.objects.visible_to(person)) == [inquiry]
    assert not Inquiry.objects.visible_to(outsider).exists()
    assert not Inquiry.objects.visible_to(AnonymousUser()).exists()


def test_a_deactivated_person_sees_nothing(inquiry, agent):
    agent.is_active = False
    assert not Inquiry.objects.visible_to(agent).exists()


def test_a_move_is_one_update_and_one_event(inquiry, agent):
    inquiry.move_to(Status.CLOSED, actor=agent, reason="Repetida")
    event = InquiryEvent.objects.get()
    assert (event.old, event.new, event.actor, event.reason) == ("new", "closed", agent, "Repetida")
    assert Inquiry.objects.get().status == Status.CLOSED


def test_a_move_that_lost_the_race_writes_nothing(inquiry, agent):
    twin = Inquiry.objects.get(pk=inquiry.pk)
    inquiry.move_to(Status.OPEN, actor=agent)
    with pytest.raises(StaleInquiry):
        twin.move_to(Status.CLOSED, actor=agent)
    assert InquiryEvent.objects.count() == 1


def test_a_move_that_does_not_exist_is_refused(make_inquiry, agent):
    with pytest.raises(InvalidMove):
        make_inquiry(status=Status.SPAM).move_to(Status.ANSWERED, actor=agent)


def test_every_change_raises_the_row_version(inquiry):
    before = inquiry.row_version
    Inquiry.objects.filter(pk=inquiry.pk).touch(language="pt")
    inquiry.refresh_from_db()
    assert inquiry.row_version == before + 1
    assert inquiry.updated_at > inquiry.created_at


def test_a_count_stops_at_its_cap(make_inquiry):
    for _ in range(5):
        make_inquiry()
    assert Inquiry.objects.all().capped_count(cap=3) == 4
    assert Inquiry.objects.all().capped_count() == 5


def test_all_counters_are_one_question_and_stop_at_the_cap(make_inquiry, django_assert_num_queries):
    for status in (Status.NEW, Status.NEW, Status.NEW, Status.OPEN, Status.SPAM):
        make_inquiry(status=status, needs_review=True)
    with django_assert_num_queries(1):
        counts = Inquiry.objects.counted(cap=2)
    assert counts == {"new": 3, "open": 1, "answered": 0, "closed": 0, "spam": 1, "review": 3}
    some = Inquiry.objects.filter(status=Status.SPAM)
    assert some.counted_lately() == dict.fromkeys(counts, 0) | {"spam": 1}
    assert set(Inquiry.objects.none().counted_lately().values()) == {0}


def test_versions_are_of_what_is_shown_and_of_the_newest(make_inquiry, django_assert_num_queries):
    first, second, third = (make_inquiry(row_version=version) for version in (3, 4, 5))
    with django_assert_num_queries(1):
        assert Inquiry.objects.all().versions([first.pk, 999_999_999]) == {first.pk: 3, third.pk: 5}
    second.delete()
    assert Inquiry.objects.all().versions([second.pk]) == {third.pk: 5}
    assert Inquiry.objects.none().versions([first.pk]) == {}
    assert [row.newest for row in Inquiry.objects.with_newest().order_by("pk")] == [third.pk, third.pk]
    assert Inquiry.objects.all().newest() == third.pk


def test_the_editor_shows_the_persons_text_then_the_draft_then_nothing(make_inquiry):
    assert make_inquiry().reply_text == ""
    assert make_inquiry(suggested_reply="IA").reply_text == "IA"
    assert make_inquiry(suggested_reply="IA", reply="yo").reply_text == "yo"
    assert make_inquiry(suggested_reply="IA", reply="").reply_text == ""


def test_review_is_for_what_waits(make_inquiry):
    waiting = make_inquiry(needs_review=True)
    make_inquiry(needs_review=True, status=Status.ANSWERED)
    make_inquiry(needs_review=False)
    assert list(Inquiry.objects.needing_review()) == [waiting]


def test_tokens_cannot_be_guessed_and_differ(make_inquiry):
    tokens = {make_inquiry().public_token for _ in range(20)}
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 32


def test_the_status_url_comes_from_the_settings_not_from_a_host(inquiry, settings):
    settings.BASE_URL = "https://ayuda.example"
    assert inquiry.status_url == f"https://ayuda.example/consulta/{inquiry.public_token}/"


@pytest.mark.parametrize(("state", "works"), [("queued", True), ("running", True), ("done", False), ("failed", False)])
def test_the_machine_is_at_work_until_a_terminal_state(make_inquiry, state, works):
    assert Inquiry(ai_state=AnalysisState(state)).is_being_analysed is works


def test_a_row_of_the_queue_costs_no_further_query(inquiry, django_assert_num_queries):
    with django_assert_num_queries(1):
        for row in Inquiry.objects.for_queue():
            assert row.category.name
            assert row.category.colour
            assert [getattr(row, name) for name in SHOWN_IN_QUEUE if "__" not in name]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's query plan")
@pytest.mark.parametrize(
    "queryset",
    [
        lambda: Inquiry.objects.filter(status="answered").order_by("-id"),
        lambda: Inquiry.objects.order_by("-created_at", "-id"),
        lambda: Inquiry.objects.filter(sentiment="Negativo").order_by("-id"),
        lambda: Inquiry.objects.filter(ai_state="failed").order_by("-id"),
    ],
)
def test_orders_of_the_inbox_need_no_sorting(queryset):
    with CaptureQueriesContext(connection):
        plan = queryset()[:25].explain()
    assert "TEMP B-TREE" not in plan
    assert "SCAN" not in plan or "USING INDEX" in plan


def test_the_full_text_column_is_the_databases_own_affair():
    with pytest.raises(FieldDoesNotExist):
        Inquiry._meta.get_field("search")
