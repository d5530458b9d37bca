from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format

from inquiries.models import Inquiry, SiteSettings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def old(make_inquiry, categories) -> list[Inquiry]:
    made = [make_inquiry(status="closed") for _ in range(2)]
    for days, inquiry in zip((50, 40), made, strict=True):
        Inquiry.objects.filter(pk=inquiry.pk).update(updated_at=Now() - timedelta(days=days))
        inquiry.refresh_from_db()
    make_inquiry()
    return made


def run(*words: str) -> list[str]:
    output = StringIO()
    call_command("retention", *words, stdout=output)
    return output.getvalue().splitlines()


def set_rules(**days: int) -> None:
    SiteSettings.objects.update_or_create(pk=1, defaults=days)


def day(when: datetime) -> str:
    return date_format(timezone.localtime(when), "DATE_FORMAT")


def test_without_rules_it_says_so():
    assert len(run()) == len(run("--dry-run")) == 1
    assert Inquiry.objects.count() == 3


def test_a_dry_run_tells_each_rule_with_its_oldest_and_newest_date(old):
    set_rules(retention_days=30, spam_retention_days=7)
    answered, spam, _end = run("--dry-run")
    assert "30" in answered
    assert ": 2 (" in answered
    assert day(old[0].updated_at) in answered
    assert day(old[1].updated_at) in answered
    assert spam.endswith(": 0")
    assert Inquiry.objects.count() == 3


def test_what_is_erased_is_reported(old):
    set_rules(retention_days=45)
    lines = run()
    assert "  Consultas: 1" in lines
    assert Inquiry.objects.count() == 2
    assert not Inquiry.objects.filter(pk=old[0].pk).exists()


def test_a_night_with_nothing_to_do_says_nought():
    set_rules(retention_days=60)
    assert run()[-1].strip() == "0"
    assert Inquiry.objects.count() == 3
