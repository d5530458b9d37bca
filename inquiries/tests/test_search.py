from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from inquiries import search
from inquiries.models import Analysis, Inquiry

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, params=["rare", "common"] if connection.vendor == "postgresql" else ["any"])
def _how_common(request, monkeypatch):
    """PostgreSQL asks in two ways: each has to find the same."""
    monkeypatch.setattr(search, "COMMON_FROM", 0 if request.param == "common" else 1)


def found(text: str) -> set[int]:
    return set(search.matching(Inquiry.objects.all(), text).values_list("pk", flat=True))


@pytest.fixture
def invoice(make_inquiry) -> int:
    return make_inquiry(
        customer_name="José Núñez",
        email="jose.nunez@ejemplo.co",
        message="La facturación del mes llegó dos veces 😀",
    ).pk


@pytest.fixture
def other(make_inquiry) -> int:
    return make_inquiry(message="Quiero comprar tres sillas").pk


@pytest.mark.parametrize(
    "text",
    [
        "facturación",
        "FACTURACION",
        "factur",
        "nuñez",
        "nunez jose",
        "jose.nunez@ejemplo.co",
        "ejemplo",
        "dos mes",
        "LLEGÓ",
        "facturacio\u0301n",
    ],
)
def test_words_are_found_without_accents_case_or_order(invoice, other, text):
    assert found(text) == {invoice}


@pytest.mark.parametrize("text", ["", "   ", "!!!", "😀", "sillas facturación", "acturación"])
def test_what_is_not_there_is_not_found(invoice, other, text):
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        '") OR 1 --',
        "NOT sillas",
        "a AND",
        "NEAR(",
        "'; DROP TABLE inquiries_inquiry; --",
        "col:sillas",
        "*",
        "\x00",
        "a & | !",
        "OʼBrien",
        "ŉ",
        "½",
    ],
)
def test_operators_are_only_words(invoice, other, text):
    assert found(text) <= {invoice, other}
    assert Inquiry.objects.count() == 2


def test_a_number_finds_its_inquiry(invoice, other):
    assert found(str(invoice)) == {invoice}
    assert found(f"#{invoice}") == {invoice}
    assert found("#999999999") == set()


def test_the_index_follows_an_update_and_a_deletion(invoice):
    Inquiry.objects.filter(pk=invoice).update(message="Ahora habla de envíos")
    assert found("envios") == {invoice}
    assert found("facturacion") == set()
    Inquiry.objects.filter(pk=invoice).delete()
    assert found("envios") == set()


def test_what_is_found_can_be_asked_for_inside_another_question(make_inquiry):
    inquiry = make_inquiry(message="Busco un zorzal")
    make_inquiry()
    hits = search.matching(Inquiry.objects.order_by(), "zorzal").values("pk")
    analyses = Analysis.objects.filter(inquiry__in=hits).select_related("inquiry")
    assert [analysis.inquiry for analysis in analyses] == [inquiry]


def test_install_is_harmless_when_repeated(invoice):
    search.install(connection)
    search.install(connection)
    assert search.is_installed(connection)
    assert found("factur") == {invoice}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite loses triggers")
def test_lost_triggers_are_noticed_and_the_index_is_rebuilt(invoice):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER inquiry_fts_update")
    assert not search.is_installed(connection)
    Inquiry.objects.filter(pk=invoice).update(message="Cambiado a escondidas")
    search.install(connection)
    assert found("escondidas") == {invoice}


@pytest.mark.django_db(transaction=True)
def test_new_rows_are_found_after_migrating_step_by_step(make_inquiry):
    """A migration that rebuilds the table drops its triggers; post_migrate brings them back."""
    executor = MigrationExecutor(connection)
    names = sorted(name for app, name in executor.loader.graph.nodes if app == "inquiries")
    call_command("migrate", "inquiries", "zero", verbosity=0)
    for name in names:
        call_command("migrate", "inquiries", name, verbosity=0)
    call_command("migrate", verbosity=0)
    new = make_inquiry().pk
    assert found("cuenta") == {new}
