"""Which indexes SQLite takes. Other databases look for themselves."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.http import QueryDict

from inquiries import planner
from inquiries.models import Inquiry, User
from inquiries.views.listing import Listing

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's figures and plans"),
]


def figures() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT idx, stat FROM sqlite_stat1 WHERE tbl = %s", [planner.TABLE])
        return dict(cursor.fetchall())


def index_names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_index_list(%s)", [planner.TABLE])
        return {name for (name,) in cursor.fetchall()}


def test_every_index_has_its_figures_from_the_first_day_on():
    assert set(figures()) == index_names()


def test_what_was_found_out_stays_and_what_is_missing_comes_back():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sqlite_stat1 SET stat = '7 1' WHERE idx = 'inquiry_labelled'")
        cursor.execute("DELETE FROM sqlite_stat1 WHERE idx = 'inquiry_status'")
    planner.install(connection)
    planner.install(connection)
    assert figures()["inquiry_labelled"] == "7 1"
    assert figures()["inquiry_status"] == planner.FIGURES["inquiry_status"]
    assert set(figures()) == index_names()


@pytest.mark.django_db(transaction=True)
def test_a_table_that_was_made_anew_gets_its_figures_again():
    call_command("migrate", "inquiries", "zero", verbosity=0)
    call_command("migrate", verbosity=0)
    assert set(figures()) == index_names()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "inquiry_waiting"),
        ("sort=-received", "inquiry_waiting"),
        ("category=Ventas", "inquiry_waiting"),
        ("sentiment=Negativo&category=Ventas", "inquiry_waiting"),
        ("sort=sentiment", "inquiry_sentiment"),
        ("sort=category&sentiment=Negativo", "inquiry_category"),
        ("review=1", "inquiry_review"),
        ("review=1&category=Ventas&sort=-received", "inquiry_review"),
        ("status=new", "inquiry_status"),
        ("status=answered&status=closed&sort=-received", "PRIMARY KEY"),
        ("status=closed&category=Ventas", "inquiry_status_category"),
        ("sort=-sentiment&status=closed", "inquiry_sentiment"),
        ("category=Ventas&status=all&sort=-received", "inquiry_category"),
        ("ai_state=failed&status=all", "inquiry_ai_state"),
        ("ai_state=failed&category=Ventas&status=closed", "inquiry_ai_state"),
        ("created_after=2026-05-01", "inquiry_created"),
        ("created_after=2026-05-01&created_before=2026-05-31&status=closed&category=Ventas", "inquiry_created"),
    ],
)
def test_a_list_is_read_by_the_index_that_has_few_rows_and_is_never_sorted(agent: User, categories, query, index):
    listing = Listing(agent, QueryDict(query))
    assert listing.is_valid
    plan = listing.table.data.data[:51].explain()
    first = next(line for line in plan.splitlines() if "inquiries_inquiry" in line)
    assert index in first or (index == "PRIMARY KEY" and "INDEX" not in first), plan
    assert "TEMP B-TREE" not in plan


def test_rows_come_out_of_what_the_plan_says(agent: User, make_inquiry, categories):
    waiting = make_inquiry(analysed=True)
    make_inquiry(analysed=True, status="closed")
    for query in ("", "category=Soporte Técnico", "sort=sentiment&sentiment=Negativo", "sort=-category"):
        assert [row.pk for row in Listing(agent, QueryDict(query)).rows] == [waiting.pk], query
    assert Inquiry.objects.count() == 2
