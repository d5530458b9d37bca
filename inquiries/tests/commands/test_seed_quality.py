from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inquiries import budget
from inquiries.models import Analysis, Category, Correction, Inquiry, Outcome, Usage
from inquiries.quality import Question, report
from inquiries.states import DraftUse, Status

pytestmark = pytest.mark.django_db


def seed(*arguments: str) -> str:
    output = StringIO()
    call_command("seed_quality", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def history(categories):
    seed("700")


def test_it_makes_answered_inquiries_with_all_that_belongs_to_them(categories):
    assert seed("12").splitlines()[-1] == "12 / 12"
    assert Inquiry.objects.filter(status=Status.ANSWERED, messages__isnull=False).count() == 12
    assert Analysis.objects.count() == Outcome.objects.count() == 12
    assert sum(Usage.objects.values_list("calls", flat=True)) == 12


def test_the_progress_is_told_while_it_works(categories):
    assert seed("1100").splitlines() == ["500 / 1100", "1000 / 1100", "1100 / 1100"]


def test_the_history_fills_ninety_days_and_gets_better(history):
    found = report(Question("90"))
    assert found.total.replies == 700
    half = len(found.periods) // 2
    early, late = (sum(part.corrected for part in some) for some in (found.periods[:half], found.periods[half:]))
    assert early > late
    assert not Outcome.objects.filter(created_at__date__gt=budget.today()).exists()


def test_it_has_two_engines_two_prompt_versions_and_every_use_of_a_draft(history):
    assert set(Outcome.objects.values_list("engine", flat=True)) == {"embedded", "openai"}
    assert len(set(Outcome.objects.filter(engine="openai").values_list("prompt_version", flat=True))) == 2
    assert set(Outcome.objects.values_list("draft_use", flat=True)) == set(DraftUse.values)
    shares = [row.total.category.share for row in report(Question("90")).categories]
    assert len(set(shares)) > 1


def test_a_label_stands_where_a_person_set_the_category(history):
    assert Correction.objects.count() == Outcome.objects.filter(category_touched=True).count() > 0


def test_it_keeps_out_of_a_desk_with_inquiries(make_inquiry, categories):
    make_inquiry()
    with pytest.raises(CommandError, match="--force"):
        seed("3")
    assert Inquiry.objects.count() == 1
    Usage.objects.create(day=budget.today(), engine="openai", model="gpt-5-mini", calls=5)
    seed("60", "--force")
    assert Inquiry.objects.count() == 61
    assert sum(Usage.objects.values_list("calls", flat=True)) == 65


def test_without_a_category_it_says_what_is_missing(db):
    Category.objects.all().delete()
    with pytest.raises(CommandError, match="category"):
        seed("3")


@pytest.mark.parametrize("count", ["0", "-1", "x", "2000000"])
def test_a_count_that_makes_no_sense_is_refused(db, count):
    with pytest.raises(CommandError):
        seed(count)
