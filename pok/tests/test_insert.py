from __future__ import annotations

import pytest
from django.db import IntegrityError, connection
from django.db.models import Model
from django.utils import timezone

from inquiries.models import Analysis, IdempotencyKey, Inquiry
from pok.insert import insert

pytestmark = pytest.mark.django_db
OWN = {"id", "public_token", "key", "inquiry_id", "created_at", "updated_at", "due_at"}  # differ from row to row


def columns(row: Model) -> dict[str, object]:
    found = type(row).objects.filter(pk=row.pk).values().get()  # type: ignore[attr-defined]
    return {name: value for name, value in found.items() if name not in OWN}


def inquiry(**changes: object) -> Inquiry:
    fields = {"customer_name": "Ana", "email": "ana@example.com", "message": "Hola", "flags": ["suspicious"]}
    return Inquiry(**(fields | changes))


def test_the_row_is_the_one_that_save_would_have_made():
    quick, saved = inquiry(), inquiry()
    insert(quick)
    saved.save()
    assert columns(quick) == columns(saved)
    for number, make in enumerate([lambda one: Analysis(inquiry=one), _key]):
        rows = make(quick), make(saved)
        insert(rows[0])
        rows[1].save()
        assert columns(rows[0]) == columns(rows[1]), number


def _key(one: Inquiry) -> IdempotencyKey:
    return IdempotencyKey(scope="form", key=f"k{one.pk}", body_digest="d", inquiry=one)


def test_what_the_database_made_is_in_the_row():
    row = inquiry()
    insert(row)
    stored = Inquiry.objects.get(pk=row.pk)
    assert (row.created_at, row.updated_at, row.followed_up_at) == (stored.created_at, stored.updated_at, None)
    assert abs((timezone.now() - row.created_at).total_seconds()) < 60
    row.customer_name = "Eva"
    row.save()  # it is known to be there
    assert Inquiry.objects.get().customer_name == "Eva"


def test_what_the_tables_refuse_is_refused():
    first = inquiry()
    insert(first)
    with pytest.raises(IntegrityError):
        insert(inquiry(public_token=first.public_token))


@pytest.mark.parametrize("changes", [{"id": 7}, {"created_at": timezone.now()}])
def test_a_value_that_the_database_sets_is_no_silent_loss(changes):
    with pytest.raises(ValueError, match="the database sets"):
        insert(inquiry(**changes))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only an old SQLite cannot")
def test_a_database_that_cannot_say_what_it_made_gets_a_plain_save(monkeypatch):
    monkeypatch.setattr("pok.insert.connection.features.can_return_columns_from_insert", False)
    row = inquiry()
    insert(row)
    assert Inquiry.objects.get().pk == row.pk
