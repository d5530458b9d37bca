from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection, transaction

from inquiries import erasing, scrubbing, search, services
from inquiries.models import Inquiry
from inquiries.services import privacy
from inquiries.states import Source
from inquiries.tests.test_erasing import lived

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL frees deleted rows by its vacuum")
WORDS = ("zapalloplantado", "bergamotaplantada", "Plantadísima", "plantada@example.com")


def raw_bytes() -> bytes:
    """Everything that the database's files hold."""
    name = Path(connection.settings_dict["NAME"])
    return b"".join(path.read_bytes() for path in name.parent.glob(f"{name.name}*"))


def pragma(text: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        row = cursor.fetchone()
    return row[0] if row else 0


@pytest.fixture
def planted(make_inquiry, agent, db) -> Inquiry:
    inquiry = lived(
        make_inquiry,
        agent,
        message="zapalloplantado en la caja",
        email="plantada@example.com",
        customer_name="Plantadísima",
    )
    inquiry.analyses.update(sent_text="zapalloplantado", raw_answer="bergamotaplantada " * 2_000)
    for number in range(30):
        services.submit(
            customer_name="Otra",
            email="otra@example.com",
            message=f"Mensaje número {number} de otra",
            source=Source.FORM,
        )
    return inquiry


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_not_a_byte_of_an_erased_person_stays_in_the_files(planted):
    scrubbing.scrub()
    assert all(word.encode() in raw_bytes() for word in WORDS)
    pragma("secure_delete = OFF")  # whatever the library's build says
    report = privacy.erase_person("PLANTADA@example.com", actor=None)
    assert report.is_overwritten
    found = raw_bytes()
    assert [word for word in WORDS if word.encode() in found] == []
    assert b"de otra" in found
    connection.close()
    assert [word for word in WORDS if word.encode() in raw_bytes()] == []


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_an_erased_word_leaves_the_full_text_index_itself(planted):
    def words() -> bytes:
        with connection.cursor() as cursor:
            cursor.execute("SELECT block FROM inquiry_fts_data")
            return b"".join(row[0] for row in cursor.fetchall())

    assert b"zapalloplantado" in words()
    erasing.erase(Inquiry.objects.from_address("plantada@example.com"))
    assert b"zapallopl" not in words()
    assert search.matching(Inquiry.objects.all(), "mensaje otra").count() == 30


@sqlite_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("value", [0, 1, 2])
def test_the_connection_is_left_as_it_was(value):
    pragma(f"secure_delete = {('OFF', 'ON', 'FAST')[value]}")
    before = pragma("secure_delete")
    with scrubbing.overwriting():
        assert pragma("secure_delete") == 1
    assert pragma("secure_delete") == before == value


@sqlite_only
@pytest.mark.django_db(transaction=True)
def test_an_open_transaction_leaves_the_log_for_later(planted):
    with transaction.atomic():
        assert scrubbing.scrub() is False
    assert scrubbing.scrub() is True


@pytest.mark.django_db(transaction=True)
def test_scrubbing_is_harmless_when_repeated():
    assert scrubbing.scrub()
    assert scrubbing.scrub()
