from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from inquiries import validation
from inquiries.management.commands import load_demo
from inquiries.models import Analysis, Inquiry, InquiryEvent, Message, User
from inquiries.states import AnalysisState, Sentiment, Source, Status
from inquiries.tests.factories import CATEGORY_NAMES

SAMPLES = json.loads(load_demo.SAMPLES.read_text(encoding="utf-8"))


@pytest.fixture
def demo(settings, tmp_path, categories):
    settings.DATA_DIR = tmp_path / "demo"


def load() -> str:
    output = StringIO()
    call_command("load_demo", stdout=output)
    return output.getvalue()


def test_there_are_forty_different_samples():
    assert len({(sample["email"], sample["message"]) for sample in SAMPLES}) == 40


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["email"])
def test_a_sample_is_what_a_customer_may_send(sample):
    try:
        assert validation.clean_name(sample["customer_name"]) == sample["customer_name"]
        assert validation.clean_email(sample["email"]) == sample["email"]
        assert validation.clean_message(sample["message"]) == sample["message"]
    except ValidationError as error:
        pytest.fail(str(error))
    assert sample["email"].split("@")[1] in {"example.com", "example.org", "example.net"}
    assert sample["source"] in Source.values
    assert sample.get("correct", "Ventas") in CATEGORY_NAMES
    assert sample.get("sentiment", "Neutral") in Sentiment.values


@pytest.mark.django_db
def test_a_second_demo_doubles_nothing(demo):
    assert "40 new sample inquiries" in load()
    counts = [model.objects.count() for model in (Inquiry, Analysis, Message, InquiryEvent, User)]
    assert counts[:2] == [40, 40]
    assert load() == ""
    assert [model.objects.count() for model in (Inquiry, Analysis, Message, InquiryEvent, User)] == counts


@pytest.mark.django_db
def test_one_that_was_cut_short_is_completed(demo):
    load_demo.submit_missing(SAMPLES[:7])
    assert len(load_demo.submit_missing(SAMPLES)) == 33


@pytest.mark.django_db
def test_the_desk_looks_worked_in(demo):
    load()
    statuses = set(Inquiry.objects.values_list("status", flat=True))
    assert statuses == set(Status.values)
    answered = Inquiry.objects.filter(status=Status.ANSWERED)
    assert answered.count() == Message.objects.count() > 3
    assert set(InquiryEvent.objects.values_list("actor__username", flat=True)) == {"lucia", "mateo"}


@pytest.mark.django_db
def test_every_inquiry_waits_for_the_real_worker(demo):
    load_demo.submit_missing(SAMPLES)
    assert set(Inquiry.objects.values_list("ai_state", flat=True)) == {AnalysisState.QUEUED}
    assert Analysis.objects.due().count() == 40


@pytest.mark.django_db
def test_agents_have_the_passwords_that_the_start_prints(demo):
    load()
    for name in ("lucia", "mateo"):
        person = User.objects.get(username=name)
        assert person.check_password(f"demo-{name}")
        assert person.works_inbox
        assert not person.supervises


@pytest.mark.django_db
def test_it_keeps_out_of_an_ordinary_data_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "var"
    with pytest.raises(CommandError, match="make demo"):
        load()
    assert not Inquiry.objects.exists()
    assert not User.objects.exists()


@pytest.mark.django_db
def test_it_keeps_out_of_a_database_with_real_inquiries(demo, make_inquiry):
    make_inquiry()
    with pytest.raises(CommandError, match="real inquiries"):
        load()
    assert Inquiry.objects.count() == 1
    assert not User.objects.exists()


@pytest.mark.django_db
def test_an_analysed_inquiry_grows_old_as_a_whole(inquiry):
    before = Inquiry.objects.get(pk=inquiry.pk)
    load_demo.grow_old(inquiry.pk, timedelta(hours=10))
    after = Inquiry.objects.get(pk=inquiry.pk)
    assert before.created_at - after.created_at == timedelta(hours=10)
    assert before.analysed_at - after.analysed_at == timedelta(hours=10)
    assert after.row_version == before.row_version + 1


@pytest.mark.django_db
def test_an_inquiry_in_the_queue_stays_young(make_inquiry):
    waiting = make_inquiry()
    load_demo.grow_old(waiting.pk, timedelta(hours=10))
    assert timezone.now() - Inquiry.objects.get(pk=waiting.pk).created_at < timedelta(minutes=5)


@pytest.mark.django_db
def test_waiting_ends_with_the_analyses_or_with_the_time(make_inquiry, inquiry):
    load_demo.wait_for_analyses([inquiry.pk], 60)
    load_demo.wait_for_analyses([make_inquiry().pk], 0)
