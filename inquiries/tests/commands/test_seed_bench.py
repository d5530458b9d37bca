from __future__ import annotations

from collections import Counter
from datetime import timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from inquiries import search, services, validation
from inquiries.management.made_up import COMMON_WORD, RARE_WORD
from inquiries.models import Analysis, Category, Inquiry, InquiryEvent, Message, Outcome
from inquiries.states import AnalysisState, Source, Status
from inquiries.tests.factories import make_user

# PostgreSQL makes no index while a transaction has foreign keys to check at its end.
pytestmark = pytest.mark.django_db(transaction=True)


def seed(*arguments: str) -> str:
    output = StringIO()
    call_command("seed_bench", *arguments, stdout=output)
    return output.getvalue()


def found(text: str) -> int:
    return search.matching(Inquiry.objects.all(), text).count()


@pytest.fixture
def desk(categories):
    make_user("lucia", "Agentes")
    seed("2000")


def test_it_looks_like_a_desk_of_two_years(desk):
    statuses = Counter(Inquiry.objects.values_list("status", flat=True))
    assert set(statuses) == set(Status.values)
    assert statuses["closed"] > statuses["answered"] > statuses["spam"] > statuses["new"]
    times = list(Inquiry.objects.order_by("id").values_list("created_at", flat=True))
    assert times == sorted(times)
    assert timezone.now() - timedelta(days=732) < times[0] < timezone.now() - timedelta(days=700)
    assert times[-1] < timezone.now()
    assert Inquiry.objects.values("category").distinct().count() == 6  # five and none
    assert Inquiry.objects.needing_review().exists()


def test_what_it_makes_is_what_customers_may_send(desk):
    for inquiry in Inquiry.objects.all()[:200]:
        try:
            assert validation.clean_name(inquiry.customer_name) == inquiry.customer_name
            assert validation.clean_email(inquiry.email) == inquiry.email
            assert validation.clean_message(inquiry.message) == inquiry.message
        except ValidationError as error:
            pytest.fail(str(error))


def test_a_share_has_its_analysis_its_answer_and_its_history(desk):
    answered = Message.objects.filter(inquiry__answered_at__isnull=False)
    assert answered.count() == Message.objects.count() == Outcome.objects.count() > 100
    assert all(outcome.analysis.inquiry_id == outcome.inquiry_id for outcome in Outcome.objects.all()[:50])
    for inquiry in Inquiry.objects.filter(status=Status.CLOSED, events__isnull=False).distinct()[:20]:
        moves = list(inquiry.events.values_list("old", "new"))
        assert moves[0][0] == Status.NEW
        assert moves[-1][1] == inquiry.status
        assert all(before[1] == after[0] for before, after in pairwise(moves))


def test_every_inquiry_that_waits_for_the_machine_has_its_job(desk):
    waiting = Inquiry.objects.filter(ai_state=AnalysisState.QUEUED)
    assert waiting.exists()
    assert Analysis.objects.due().count() == waiting.count()
    assert not Analysis.objects.exclude(state=AnalysisState.QUEUED).filter(due_at__isnull=False).exists()


def test_words_are_rare_and_common(desk):
    assert found(RARE_WORD) == 1
    assert found(COMMON_WORD) > 200
    assert search.is_installed(connection)


def test_the_same_seed_makes_the_same_ones(categories):
    shown = ("customer_name", "email", "message", "status", "category", "sentiment", "confidence", "public_token")
    seed("30")
    first = list(Inquiry.objects.order_by("id").values_list(*shown))
    Inquiry.objects.all().delete()
    seed("30")
    assert list(Inquiry.objects.order_by("id").values_list(*shown)) == first
    Inquiry.objects.all().delete()
    seed("30", "--seed", "8")
    assert not set(Inquiry.objects.values_list(*shown)) & set(first)


def test_more_are_added_to_the_seeded_ones_and_real_ones_come_after(categories):
    seed("60")
    seed("20")  # less than are there: the index follows row by row
    assert Inquiry.objects.count() == 80
    assert Inquiry.objects.values("message").distinct().count() > 60
    real = services.submit(
        customer_name="Ana", email="ana@example.com", message="Busco un zorzal", source=Source.FORM
    ).inquiry
    assert real.pk > Inquiry.objects.exclude(pk=real.pk).order_by("-pk")[0].pk
    assert found("zorzal") == 1
    assert not InquiryEvent.objects.filter(inquiry=real).exists()


def test_it_keeps_out_of_a_desk_with_real_inquiries(make_inquiry, categories):
    make_inquiry()
    with pytest.raises(CommandError, match="--yes"):
        seed("3")
    assert Inquiry.objects.count() == 1
    seed("3", "--yes")
    assert Inquiry.objects.count() == 4


def test_without_a_category_it_says_what_is_missing():
    Category.objects.all().delete()
    with pytest.raises(CommandError, match="setup"):
        seed("3")


@pytest.mark.parametrize("count", ["0", "-1", "x", "99000000"])
def test_a_count_that_makes_no_sense_is_refused(count):
    with pytest.raises(CommandError):
        seed(count)


def test_the_index_is_mended_where_the_loading_fails(categories, make_inquiry, monkeypatch):
    make_inquiry(message="Busco un zorzal", public_token="bench-1")
    monkeypatch.setattr("inquiries.management.commands.seed_bench.Batch.save", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seed("3")
    assert search.is_installed(connection)
    assert found("zorzal") == 1
