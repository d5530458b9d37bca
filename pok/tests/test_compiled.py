from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inquiries.models import Analysis, Inquiry
from pok.compiled import Given, Update

pytestmark = pytest.mark.django_db
VALUES = {
    "claim_token": uuid.uuid4(),
    "masked": {"CORREO": 2, "clave": "ñ"},
    "flags": ["suspicious"],
    "cost": Decimal("0.000123"),
    "confidence": 0.5,
    "abstained": True,
    "finished_at": timezone.now(),
    "reply": "¡Hola! 100 % «seguro»",
    "tokens_in": 2**31 - 1,
    "category_row_id": None,
}


@pytest.fixture
def analysis(make_inquiry):
    return make_inquiry().analyses.get()


def test_it_writes_what_the_orm_writes(analysis, make_inquiry, categories):
    values = VALUES | {"category_row_id": next(iter(categories.values())).pk}
    other = make_inquiry().analyses.get()
    rows = Analysis.objects.filter(pk=Given("pk", Analysis))
    write = Update(rows, **{name: Given(name, Analysis) for name in values})
    for changes in (values, VALUES):
        assert write(pk=analysis.pk, **changes) == 1
        assert Analysis.objects.filter(pk=other.pk).update(**changes) == 1
        quick, plain = (Analysis.objects.filter(pk=pk).values(*values).get() for pk in (analysis.pk, other.pk))
        assert quick == plain == changes


def test_conditions_and_sums_come_through(analysis):
    write = Update(
        Analysis.objects.filter(pk=Given("pk", Analysis), due_at__lte=Now(), state=Given("old", Analysis, "state")),
        attempts=F("attempts") + Given("more", Analysis, "attempts"),
        due_at=Now() + timedelta(hours=1),
        worker=Case(When(state="queued", then=Given("worker", Analysis)), default=Value("nobody")),
    )
    assert write(pk=analysis.pk, old="running", more=2, worker="me") == 0
    assert write(pk=analysis.pk, old="queued", more=2, worker="me") == 1
    assert write(pk=analysis.pk, old="queued", more=2, worker="me") == 0  # it is not due any more
    analysis.refresh_from_db()
    assert (analysis.attempts, analysis.worker) == (2, "me")
    assert analysis.due_at > timezone.now() + timedelta(minutes=50)


def test_a_reference_may_stand_beside_the_old_one(make_inquiry, categories):
    inquiry, other = make_inquiry(), next(iter(categories.values()))
    kept = Case(When(category_by_person=True, then=F("category")), default=Given("category", Inquiry))
    write = Update(Inquiry.objects.filter(pk=Given("pk", Inquiry)), category=kept)
    write(pk=inquiry.pk, category=other.pk)
    assert Inquiry.objects.get().category == other
    write(pk=inquiry.pk, category=None)
    assert Inquiry.objects.get().category is None


def test_it_is_compiled_once(analysis, monkeypatch):
    write = Update(Analysis.objects.filter(pk=Given("pk", Analysis)), worker=Given("worker", Analysis))
    write(pk=analysis.pk, worker="first")
    monkeypatch.setattr(Update, "_compile", None)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        write(pk=analysis.pk, worker="second")
    assert len(queries) == 1
    assert Analysis.objects.get().worker == "second"


def test_a_value_that_is_missing_is_an_error(analysis):
    write = Update(Analysis.objects.filter(pk=Given("pk", Analysis)), worker=Given("worker", Analysis))
    with pytest.raises(KeyError):
        write(pk=analysis.pk)


def test_a_field_that_is_not_there_is_an_error():
    with pytest.raises(Exception, match="nothing"):
        Update(Inquiry.objects.all(), status=Given("nothing", Inquiry))
