"""The customer writes again: what is written, what is read anew, what a person has typed, races with a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Barrier, Event
from unittest import mock

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from inquiries import analysis as analysis_module
from inquiries import caps, erasing, jobs, learning, services
from inquiries.models import Analysis, IdempotencyKey, Inquiry, Message, StaleInquiry, Usage
from inquiries.services import IdempotencyConflict, TooManyFollowUps
from inquiries.services import follow_up as write
from inquiries.services.follow_up import MOST_FOLLOW_UPS
from inquiries.states import AIReason, AnalysisState, EventKind, MessageKind, Purpose, Status
from inquiries.tests import factories
from inquiries.tests.fakes import FakeEngine, result
from inquiries.tests.services.helpers import kinds

pytestmark = pytest.mark.django_db


def follow_up(inquiry: Inquiry, text: str = "Sigue sin andar.", key: str = "k1") -> Inquiry:
    assert write(fresh(inquiry), text=text, key=key)
    return fresh(inquiry)


def fresh(inquiry: Inquiry) -> Inquiry:
    return Inquiry.objects.get(pk=inquiry.pk)


def live(inquiry: Inquiry) -> Analysis:
    return Analysis.objects.live().get(inquiry=inquiry)


@pytest.fixture
def bells(monkeypatch) -> list[int]:
    """The analyses that a follow-up rang for; bells of rolled back transactions are not heard."""
    # The package names the verb as its module is called.
    module, queueing = (import_module(f"inquiries.services.{name}") for name in ("follow_up", "queueing"))
    rung: list[int] = []
    monkeypatch.setattr(queueing, "ring", rung.append)
    monkeypatch.setattr(module, "ring", rung.append)
    return rung


@pytest.fixture(autouse=True)
def _read_by_a_fake(monkeypatch, settings):
    settings.THROTTLE = "off"
    monkeypatch.setattr(learning, "vector_of", lambda text: None)


@pytest.fixture
def answered(inquiry, agent) -> Inquiry:
    return factories.answer(inquiry, actor=agent, text="Listo.")


def engine(monkeypatch, *answers) -> FakeEngine:
    fake = FakeEngine(*answers)
    monkeypatch.setattr(analysis_module, "engine_called", lambda name, model="": fake)
    return fake


# --- What is written -----------------------------------------------------------------------------
@pytest.mark.parametrize("end", ["answer", "close"])
def test_a_follow_up_opens_the_inquiry_and_asks_for_a_reading(
    inquiry, agent, end, bells, django_capture_on_commit_callbacks
):
    if end == "answer":
        factories.answer(inquiry, actor=agent, text="Listo.")
    else:
        services.close(inquiry, actor=agent)
    with django_capture_on_commit_callbacks(execute=True):
        again = follow_up(inquiry)
    assert (again.status, again.ai_state, again.suggested_reply) == (Status.OPEN, AnalysisState.QUEUED, None)
    assert again.followed_up_at is not None
    assert again.messages.filter(kind=MessageKind.CUSTOMER).get().body == "Sigue sin andar."
    assert again.events.get(kind=EventKind.FOLLOW_UP).actor is None
    moved = again.events.filter(kind=EventKind.STATUS).last()
    assert (moved.actor, moved.new) == (None, Status.OPEN)
    assert live(again).purpose == Purpose.FOLLOW_UP
    assert bells == [live(again).pk]


@pytest.mark.parametrize("status", [Status.NEW, Status.OPEN])
def test_a_status_that_waits_stays_and_only_a_persons_act_opens(make_inquiry, categories, status):
    again = follow_up(make_inquiry(analysed=True, status=status))
    assert again.status == status
    assert kinds(again) == [EventKind.FOLLOW_UP]


def test_the_pollers_notice(answered):
    assert follow_up(answered).row_version > answered.row_version


def test_spam_takes_the_message_and_stays_spam_unread(make_inquiry, categories):
    spam = make_inquiry(status=Status.SPAM, ai_state=AnalysisState.SKIPPED, ai_error=AIReason.SPAM)
    again = follow_up(spam)
    assert (again.status, again.ai_state, again.ai_error) == (Status.SPAM, AnalysisState.SKIPPED, AIReason.SPAM)
    assert again.messages.count() == 1
    assert not Analysis.objects.live().exists()


def test_what_was_erased_meanwhile_is_said_to_be_gone(inquiry):
    stale = fresh(inquiry)
    erasing.erase(Inquiry.objects.all())
    with pytest.raises(StaleInquiry):
        write(stale, text="Hola", key="k1")
    assert not IdempotencyKey.objects.exists()


def test_a_conversation_has_an_end_and_nothing_is_left_of_the_one_too_many(inquiry):
    Message.objects.bulk_create(
        Message(inquiry=inquiry, kind=MessageKind.CUSTOMER, body="x") for _ in range(MOST_FOLLOW_UPS - 1)
    )
    follow_up(inquiry)
    version = fresh(inquiry).row_version
    with pytest.raises(TooManyFollowUps):
        write(fresh(inquiry), text="Otra", key="k2")
    assert (fresh(inquiry).row_version, inquiry.messages.count()) == (version, MOST_FOLLOW_UPS)
    assert not IdempotencyKey.objects.filter(key="k2").exists()


# --- Twins ---------------------------------------------------------------------------------------
def test_a_twin_writes_nothing_and_another_text_is_refused(answered):
    follow_up(answered, "Uno.")
    version = fresh(answered).row_version
    assert not write(fresh(answered), text="Uno.", key="k1")
    with pytest.raises(IdempotencyConflict):
        write(fresh(answered), text="Dos.", key="k1")
    assert (fresh(answered).row_version, answered.messages.filter(kind=MessageKind.CUSTOMER).count()) == (version, 1)


def test_a_key_of_another_inquiry_is_no_twin(answered, make_inquiry):
    follow_up(answered, "Uno.")
    with pytest.raises(IdempotencyConflict):
        write(make_inquiry(analysed=True), text="Uno.", key="k1")


# --- The editor ----------------------------------------------------------------------------------
def test_the_sent_text_makes_room_for_the_new_draft(answered):
    again = follow_up(answered)
    assert (again.reply, again.reply_by, again.reply_text) == (None, None, "")
    assert again.reply_version == answered.reply_version + 1


def test_a_text_that_a_person_has_typed_stays(answered, agent):
    services.reopen(answered, actor=agent)
    typed = services.save_reply(answered, actor=agent, text="A medias", version=fresh(answered).reply_version)
    again = follow_up(answered)
    assert (again.reply, again.reply_by, again.reply_version) == ("A medias", agent, typed.reply_version)


def test_where_nobody_typed_the_version_stays(inquiry):
    """It changes only when a person changes the text: whoever is typing meets no conflict."""
    assert follow_up(inquiry).reply_version == inquiry.reply_version


# --- An answer that can still be taken back ------------------------------------------------------
@pytest.fixture
def held(inquiry, agent) -> Inquiry:
    return services.send_answer(inquiry, actor=agent, text="Listo.", version=0)


def test_an_answer_on_its_way_leaves_all_the_same_and_the_inquiry_is_open(held):
    again = follow_up(held)
    assert again.status == Status.OPEN
    assert again.messages.pending().get().body == "Listo."
    factories.let_leave(again)
    assert [message.kind for message in again.messages.thread()] == [MessageKind.ANSWER, MessageKind.CUSTOMER]
    assert fresh(again).status == Status.OPEN


def test_it_can_still_be_taken_back(held, agent):
    follow_up(held)
    undone = services.undo_send(held, actor=agent)
    assert (undone.status, undone.reply) == (Status.OPEN, "Listo.")
    assert [message.kind for message in undone.messages.all()] == [MessageKind.CUSTOMER]


# --- The reading ---------------------------------------------------------------------------------
@pytest.mark.parametrize("purpose", [Purpose.ARRIVAL, Purpose.REDO, Purpose.RETRY])
def test_a_reading_that_waits_becomes_this_one_and_is_due_now(make_inquiry, purpose):
    inquiry = make_inquiry()
    waiting = Analysis.objects.filter(inquiry=inquiry)
    waiting.update(purpose=purpose, due_at=Now() + jobs.LEASE * 100, attempts=4, error=AIReason.PAUSED)
    follow_up(inquiry)
    row = live(inquiry)
    assert (row.purpose, row.state, row.attempts, row.error) == (Purpose.FOLLOW_UP, AnalysisState.QUEUED, 0, "")
    assert list(jobs.due_ids(Analysis, 5)) == [row.pk]
    assert Analysis.objects.count() == 1


def test_a_reading_under_way_begins_anew_and_what_it_brings_is_booked_and_dropped(
    make_inquiry, categories, monkeypatch
):
    inquiry = make_inquiry()
    texts = []

    def meanwhile(request):
        texts.append(request.newest)
        if len(texts) == 1:
            follow_up(inquiry)
        return result(reply=f"Sobre: {request.newest}")

    engine(monkeypatch, meanwhile, meanwhile)
    analysis_module.run(live(inquiry).pk)
    again = fresh(inquiry)
    assert (again.ai_state, again.suggested_reply) == (AnalysisState.QUEUED, None)
    assert (live(again).attempts, live(again).crashes) == (0, 0)
    analysis_module.run(live(inquiry).pk)
    assert texts == [inquiry.message, "Sigue sin andar."]
    assert fresh(inquiry).suggested_reply == "Sobre: Sigue sin andar."
    assert Usage.objects.exclude(engine=caps.PUBLIC).get().calls == 2


def test_a_comparison_under_way_is_left_alone(inquiry):
    trial = Analysis.objects.create(inquiry=inquiry, purpose=Purpose.COMPARE)
    follow_up(inquiry)
    trial.refresh_from_db()
    assert trial.purpose == Purpose.COMPARE
    assert Analysis.objects.live().filter(inquiry=inquiry).count() == 2


def test_an_ai_that_is_off_reads_nothing_and_says_so(answered, settings):
    settings.AI_ENGINE = "off"
    again = follow_up(answered)
    assert (again.ai_state, again.ai_error) == (AnalysisState.SKIPPED, AIReason.DISABLED)
    assert not Analysis.objects.live().exists()
    assert again in Inquiry.objects.unread()


def test_a_reading_under_way_is_ended_where_the_ai_was_switched_off(make_inquiry, settings):
    inquiry = make_inquiry()
    taken = jobs.claim(Analysis, live(inquiry).pk)
    settings.AI_ENGINE = "off"
    again = follow_up(inquiry)
    assert (again.ai_state, again.ai_error) == (AnalysisState.SKIPPED, AIReason.DISABLED)
    assert not jobs.record(taken, AnalysisState.DONE)


def test_past_the_days_cap_people_read_it(answered):
    with mock.patch.object(caps, "is_past_daily_cap", return_value=True):
        again = follow_up(answered)
    assert (again.ai_state, again.ai_error) == (AnalysisState.SKIPPED, AIReason.DAILY_CAP)
    assert again.category is not None
    assert again in Inquiry.objects.unread()


def test_a_reading_that_has_its_place_keeps_it_past_the_cap(make_inquiry):
    inquiry = make_inquiry()
    with mock.patch.object(caps, "is_past_daily_cap", return_value=True) as asked:
        assert follow_up(inquiry).ai_state == AnalysisState.QUEUED
    asked.assert_not_called()


# --- What the reading changes --------------------------------------------------------------------
def read_again(inquiry: Inquiry, monkeypatch, **values: object) -> Inquiry:
    engine(monkeypatch, result(**values))
    analysis_module.run(live(inquiry).pk)
    return fresh(inquiry)


def test_the_category_follows_a_reading_that_names_one(answered, monkeypatch, categories):
    follow_up(answered, "Además quiero comprar otra.")
    again = read_again(answered, monkeypatch, category="Ventas", sentiment="Positivo")
    assert (again.category, again.sentiment) == (categories["Ventas"], "Positivo")


def test_who_abstains_leaves_the_category_and_its_doubt(answered, monkeypatch, categories):
    follow_up(answered, "Gracias")
    again = read_again(answered, monkeypatch, category="Consulta General", abstains=True, sentiment="Positivo")
    assert (again.category, again.sentiment) == (categories["Soporte Técnico"], "Positivo")
    assert not again.needs_review


def test_who_abstains_where_there_was_none_asks_for_a_person(make_inquiry, categories, monkeypatch):
    inquiry = make_inquiry()
    follow_up(inquiry, "Hola?")
    again = read_again(inquiry, monkeypatch, abstains=True)
    assert (again.category, again.needs_review) == (None, True)


def test_a_persons_labels_win(answered, agent, categories, monkeypatch):
    services.reopen(answered, actor=agent)
    services.correct_category(fresh(answered), actor=agent, category=categories["Reclamo"])
    follow_up(answered)
    again = read_again(answered, monkeypatch, category="Ventas")
    assert (again.category, again.category_by_person) == (categories["Reclamo"], True)


def test_a_stand_ins_reading_is_redone_whatever_was_labelled_and_answered_before(
    answered, agent, categories, monkeypatch
):
    services.reopen(answered, actor=agent)
    services.correct_category(fresh(answered), actor=agent, category=categories["Reclamo"])
    follow_up(answered)
    Analysis.objects.live().update(purpose=Purpose.REDO)
    fake = engine(monkeypatch, result(reply="Otra vez."))
    analysis_module.run(live(answered).pk)
    assert fresh(answered).suggested_reply == "Otra vez."
    assert fake.history[0].newest == "Sigue sin andar."


def test_a_redo_is_overtaken_by_a_person_who_writes(answered, agent, monkeypatch):
    again = follow_up(answered)
    services.save_reply(again, actor=agent, text="Ya lo veo.", version=again.reply_version)
    Analysis.objects.live().update(purpose=Purpose.REDO)
    fake = engine(monkeypatch)
    analysis_module.run(live(answered).pk)
    assert fake.history == []


# --- Two at the same moment ----------------------------------------------------------------------
def together(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads of their own, begun at the same moment; return what each gave or raised."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        try:
            barrier.wait(10)
            return call()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_eight_twins_at_once_write_one(make_inquiry, agent):
    for number in range(5):
        answered = factories.answer(make_inquiry(analysed=True), actor=agent, text="Listo.")
        key = f"k{number}"
        results = together(*[lambda asked=answered, key=key: write(asked, text="Hola", key=key)] * 8)
        assert sorted(results, key=str) == [False] * 7 + [True]
        assert answered.messages.filter(kind=MessageKind.CUSTOMER).count() == 1
        assert Analysis.objects.live().filter(inquiry=answered).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_last_of_many_is_in_the_reading_whenever_a_worker_comes(make_inquiry, categories, monkeypatch):
    """Follow-ups while workers claim, read and record: the reading that stands includes them all."""
    for number in range(8):
        inquiry = make_inquiry(analysed=number % 2 == 0)
        engine(monkeypatch, *[lambda request: result(reply=f"{len(request.thread)} de 3")] * 30)

        def worker(pk=inquiry.pk):
            for _ in range(6):
                for row in Analysis.objects.live().filter(inquiry=pk).values_list("pk", flat=True):
                    analysis_module.run(row)

        def customer(asked=inquiry, number=number):
            for part in range(3):
                write(fresh(asked), text=f"Parte {part}", key=f"{number}-{part}")

        results = together(worker, customer, worker)
        assert results == [None, None, None]
        worker()
        again = fresh(inquiry)
        assert (again.ai_state, again.suggested_reply) == (AnalysisState.DONE, "3 de 3")
        assert not Analysis.objects.live().filter(inquiry=inquiry).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_no_deadlock_with_a_worker_that_records_or_an_erasure(make_inquiry, categories):
    """Each locks the analysis before the inquiry."""
    inquiry = make_inquiry()
    row = live(inquiry)
    has_analysis, asks = Event(), Event()

    def holder():
        with transaction.atomic():
            Analysis.objects.filter(pk=row.pk).update(attempts=F("attempts"))
            has_analysis.set()
            asks.wait(10)
            time.sleep(0.3)  # by now the customer waits for the analysis
            list(Inquiry.objects.select_for_update().filter(pk=inquiry.pk))

    def customer():
        has_analysis.wait(10)
        asks.set()
        return write(inquiry, text="Hola", key="k1")

    assert together(holder, customer) == [None, True]
