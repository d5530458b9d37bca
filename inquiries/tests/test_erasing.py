from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from inquiries import analysis as analysis_module
from inquiries import erasing, learning, search, services, similar
from inquiries.ai.engine import AnalysisRequest, ShownExample
from inquiries.ai.prompts import user_message
from inquiries.models import (
    Analysis,
    Correction,
    Delivery,
    Example,
    HeadVersion,
    IdempotencyKey,
    Inquiry,
    InquiryEvent,
    InquiryVector,
    Lease,
    Message,
    Outcome,
    SiteSettings,
)
from inquiries.states import AnalysisState, Purpose, Sentiment, Status
from inquiries.tests.factories import make_delivery
from inquiries.tests.fakes import RESULT, FakeEngine

pytestmark = pytest.mark.django_db
HERS = "Juana@Example.com"
VECTOR = b"\x00" * 2 * similar.DIMENSIONS


def lived(make_inquiry, agent, **fields) -> Inquiry:
    """An answered inquiry that has a row in every table."""
    inquiry = make_inquiry(analysed=True, **fields)
    services.correct_sentiment(inquiry, actor=agent, sentiment=Sentiment.NEUTRAL)
    inquiry.refresh_from_db()
    services.send_answer(inquiry, actor=agent, text="Ya está resuelto.", version=inquiry.reply_version)
    Message.objects.create(inquiry=inquiry, kind="note", body="Es clienta de años.", author=agent)
    make_delivery(inquiry)
    InquiryVector.objects.create(inquiry=inquiry, encoder=similar.ENCODER, vector=VECTOR)
    teach(inquiry, inquiry.message)
    IdempotencyKey.objects.create(scope="form", key=f"k{inquiry.pk}", body_digest="0" * 64, inquiry=inquiry)
    inquiry.refresh_from_db()
    return inquiry


def teach(inquiry: Inquiry, text: str) -> None:
    Example.objects.create(inquiry=inquiry, text=text, answer="Listo.", encoder=similar.ENCODER, vector=VECTOR)


def head(labels: int) -> HeadVersion:
    return HeadVersion.objects.create(fingerprint=f"{labels}", encoder="e", data=b"x", labels=labels)


def erase_hers() -> erasing.ErasureReport:
    return erasing.erase(Inquiry.objects.from_address(HERS))


HANGING = (Analysis, Correction, Delivery, InquiryEvent, Message, InquiryVector, Example, IdempotencyKey)


def test_everything_that_hangs_on_an_inquiry_goes_and_nobody_elses(make_inquiry, agent):
    mine = lived(make_inquiry, agent)
    other = lived(make_inquiry, agent, email="otra@example.com")
    before = {table.__name__: table.objects.filter(inquiry=mine).count() for table in HANGING}
    kept = {table: table.objects.filter(inquiry=other).count() for table in HANGING}
    assert all(before.values())
    report = erase_hers()
    assert report.rows == {"Inquiry": 1, **before}
    assert {table: table.objects.count() for table in HANGING} == kept
    assert list(Inquiry.objects.all()) == [other]


def test_outcomes_stay_without_their_inquiry(make_inquiry, agent):
    lived(make_inquiry, agent)
    assert erase_hers().kept_outcomes == 1
    outcome = Outcome.objects.get()
    assert (outcome.inquiry_id, outcome.analysis_id, outcome.category) == (None, None, "Soporte Técnico")


def test_the_address_counts_in_any_case_and_nothing_but_the_address(make_inquiry, categories):
    for email in ("juana@example.com", "JUANA@EXAMPLE.COM", "juana@example.com.ar", "xjuana@example.com"):
        make_inquiry(email=email)
    assert erasing.erase(Inquiry.objects.from_address("  juAna@example.com ")).inquiries == 2
    assert not Inquiry.objects.from_address("").exists()
    assert not Inquiry.objects.from_address("%").exists()


def test_the_full_text_index_forgets(make_inquiry, agent):
    lived(make_inquiry, agent, message="Un zapallo violeta en la caja")
    erase_hers()
    assert not search.matching(Inquiry.objects.all(), "zapallo").exists()


def test_versions_that_learnt_from_labels_go_so_that_workers_train_anew(make_inquiry, agent):
    lived(make_inquiry, agent)
    plain = head(labels=0)
    head(labels=3)
    assert erase_hers().heads == 1
    assert list(HeadVersion.objects.all()) == [plain]
    assert Lease.objects.filter(name=Lease.UNLEARNT).exists()


def test_whoever_taught_nothing_costs_no_training(make_inquiry, categories):
    make_inquiry(analysed=True)
    head(labels=3)
    assert erase_hers().heads == 0
    assert HeadVersion.objects.count() == 1


def test_a_label_counts_although_its_example_is_gone(make_inquiry, agent):
    lived(make_inquiry, agent)
    Example.objects.all().delete()
    head(labels=3)
    assert erase_hers().heads == 1


def test_the_index_of_this_process_is_emptied(make_inquiry, agent):
    similar.forget()  # what another test asked a moment ago would be answered with
    inquiry = lived(make_inquiry, agent)
    before = similar._index
    assert similar._index.nearest(similar.unpack(VECTOR), 5) == [(inquiry.pk, 0.0)]
    erase_hers()
    assert similar._index is not before
    assert similar._index.nearest(similar.unpack(VECTOR), 5) == []


def shown(text: str) -> str:
    examples = (ShownExample(text, "Ventas", "Neutral", "Listo."), ShownExample("¿Hacen envíos?"))
    return user_message(AnalysisRequest(text="Hola", customer_name="Luis", categories=(), examples=examples))


def test_their_words_go_from_what_was_sent_for_others(make_inquiry, agent):
    hers = lived(make_inquiry, agent, message="Mi zapallo violeta llegó roto")
    other = make_inquiry(analysed=True, email="luis@example.com")
    other.analyses.update(sent_text=shown(hers.message), shown_examples=2)
    assert erase_hers().cut_requests == 1
    assert other.analyses.get().sent_text == shown(hers.message).replace(
        "mensaje: Mi zapallo violeta llegó roto\ncategoría: Ventas\nsentimiento: Neutral\nrespuesta del equipo: Listo.",
        "[…]",
    )


def test_words_whose_example_is_gone_are_found_by_the_message(make_inquiry, agent):
    hers = lived(make_inquiry, agent, message="Mi zapallo violeta llegó roto")
    Example.objects.all().delete()
    other = make_inquiry(analysed=True, email="luis@example.com")
    other.analyses.update(sent_text=shown(hers.message), shown_examples=2)
    erase_hers()
    assert "zapallo" not in other.analyses.get().sent_text


@pytest.fixture
def during(monkeypatch, settings):
    """Run an analysis of `inquiry` by a service outside, while whose answer is on its way `act` happens."""
    settings.AI_ENGINE = "openai"
    monkeypatch.setattr(learning, "vector_of", lambda text: VECTOR)

    def run(inquiry: Inquiry, act) -> None:
        def answer(request):
            act()
            return RESULT

        engine = FakeEngine(answer)
        monkeypatch.setattr(analysis_module, "engine_called", lambda name, model="": engine)
        analysis_module.run(inquiry.analyses.get().pk)

    return run


def test_an_analysis_under_way_brings_nothing_back(make_inquiry, categories, during):
    inquiry = make_inquiry()
    during(inquiry, erase_hers)
    assert not Inquiry.objects.exists()
    assert not Analysis.objects.exists()
    assert not InquiryVector.objects.exists()


def test_a_stand_in_under_way_brings_nothing_back(make_inquiry, categories, during, settings):
    inquiry = make_inquiry()
    settings.AI_ENGINE = "embedded"
    during(inquiry, erase_hers)
    assert not Analysis.objects.exists()
    assert not InquiryVector.objects.exists()


def test_a_request_under_way_that_may_show_them_is_asked_anew(make_inquiry, agent, during):
    lived(make_inquiry, agent)
    other = make_inquiry(email="luis@example.com")
    during(other, erase_hers)
    row = other.analyses.get()
    assert (row.state, row.attempts, row.sent_text, row.crashes) == (AnalysisState.QUEUED, 0, "", 0)
    during(other, lambda: None)
    row.refresh_from_db()
    assert (row.state, row.crashes) == (AnalysisState.DONE, 0)


def test_a_batch_costs_the_same_for_few_and_many(make_inquiry, agent):
    def cost(number: int) -> int:
        for _ in range(number):
            lived(make_inquiry, agent)
        head(labels=1)
        with CaptureQueriesContext(connection) as queries:
            assert erase_hers().inquiries == number
        return len(queries)

    cost(1)
    few = cost(2)
    assert cost(12) == few


def test_each_batch_is_a_transaction_of_its_own(make_inquiry, categories, monkeypatch):
    monkeypatch.setattr(erasing, "BATCH", 2)
    for _ in range(5):
        make_inquiry()
    left = []
    report = erasing.erase(
        Inquiry.objects.from_address(HERS), pulse=lambda: left.append(Inquiry.objects.from_address(HERS).count())
    )
    assert left == [5, 3, 1, 0]
    assert report.inquiries == 5


def test_an_interrupted_erasure_is_finished_by_the_next(make_inquiry, agent, monkeypatch):
    monkeypatch.setattr(erasing, "BATCH", 2)
    for _ in range(5):
        lived(make_inquiry, agent)
    beats = []

    def stop():
        beats.append(1)
        if len(beats) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erasing.erase(Inquiry.objects.from_address(HERS), pulse=stop)
    assert Inquiry.objects.count() == 3
    assert erase_hers().inquiries == 3
    assert not Analysis.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_crosses_another_writer_is_repeated(make_inquiry, categories, monkeypatch):
    make_inquiry()
    batch, calls = erasing._erase_batch, []

    def crossed(chosen):
        calls.append(1)
        if len(calls) < erasing.TRIES:
            raise OperationalError("deadlock detected")
        return batch(chosen)

    monkeypatch.setattr(erasing, "_erase_batch", crossed)
    assert erase_hers().inquiries == 1
    assert len(calls) == erasing.TRIES


def old(inquiry: Inquiry, days: int, status: str) -> Inquiry:
    Inquiry.objects.filter(pk=inquiry.pk).update(status=status, updated_at=Now() - timedelta(days=days, hours=1))
    return inquiry


@pytest.fixture
def rules(db) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults={"retention_days": 365, "spam_retention_days": 30})


@pytest.fixture
def aged(make_inquiry, categories) -> dict[str, Inquiry]:
    ages = {
        "answered": (365, Status.ANSWERED),
        "closed": (800, Status.CLOSED),
        "spam": (30, Status.SPAM),
        "young": (364, Status.ANSWERED),
        "young spam": (29, Status.SPAM),
        "new": (4_000, Status.NEW),
        "open": (4_000, Status.OPEN),
    }
    return {name: old(make_inquiry(), days, status) for name, (days, status) in ages.items()}


def left(aged: dict[str, Inquiry]) -> set[str]:
    there = set(Inquiry.objects.values_list("pk", flat=True))
    return {name for name, inquiry in aged.items() if inquiry.pk in there}


def test_rules_take_what_is_over_and_old_and_never_what_waits(rules, aged):
    report = erasing.retention(dry_run=False)
    assert left(aged) == {"young", "young spam", "new", "open"}
    assert report.erased is not None
    assert report.erased.inquiries == 3
    assert [(due.days, due.inquiries) for due in report.due] == [(365, 2), (30, 1)]


def test_a_dry_run_tells_the_same_and_changes_nothing(rules, aged):
    HeadVersion.objects.create(fingerprint="f", encoder="e", data=b"x", labels=3)
    everything = [list(table.objects.order_by("pk").values()) for table in (Inquiry, Analysis, HeadVersion, Lease)]
    report = erasing.retention(dry_run=True)
    assert report.erased is None
    assert [(due.days, due.inquiries) for due in report.due] == [(365, 2), (30, 1)]
    answered, closed = (Inquiry.objects.get(pk=aged[name].pk) for name in ("answered", "closed"))
    assert (report.due[0].oldest, report.due[0].newest) == (closed.updated_at, answered.updated_at)
    assert everything == [
        list(table.objects.order_by("pk").values()) for table in (Inquiry, Analysis, HeadVersion, Lease)
    ]


def test_without_rules_everything_is_kept(aged):
    report = erasing.retention(dry_run=False)
    assert (report.due, report.erased) == ((), None)
    assert len(left(aged)) == len(aged)


def test_each_rule_stands_alone_and_any_number_of_days_is_taken(aged):
    SiteSettings.objects.update_or_create(pk=1, defaults={"retention_days": 2_147_483_647, "spam_retention_days": 1})
    erasing.retention(dry_run=False)
    assert left(aged) == {"answered", "closed", "young", "new", "open"}


def test_what_is_taken_up_again_meanwhile_stays(rules, aged, monkeypatch):
    def reopen():
        Inquiry.objects.filter(pk=aged["closed"].pk).touch(status=Status.OPEN)

    erasing.retention(dry_run=False, pulse=reopen)
    assert left(aged) == {"closed", "young", "young spam", "new", "open"}


def test_a_redo_that_waits_for_its_hour_goes_too(rules, aged):
    Analysis.objects.filter(inquiry=aged["answered"]).update(state=AnalysisState.DONE, due_at=None)
    Analysis.objects.create(inquiry=aged["answered"], purpose=Purpose.REDO)
    erasing.retention(dry_run=False)
    assert not Analysis.objects.filter(purpose=Purpose.REDO).exists()
