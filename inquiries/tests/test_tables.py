from __future__ import annotations

import pytest
from django.http import QueryDict

from inquiries.models import Inquiry
from inquiries.states import Sentiment
from inquiries.tables import LAST_PAGE, PER_PAGE, build_table

pytestmark = pytest.mark.django_db


def ids(query: str) -> list[int]:
    return [row.record.pk for row in build_table(Inquiry.objects.all(), QueryDict(query)).paginated_rows]


@pytest.fixture
def three(make_inquiry) -> list[int]:
    moods = (Sentiment.POSITIVE, Sentiment.NEGATIVE, Sentiment.NEGATIVE)
    return [make_inquiry(sentiment=mood).pk for mood in moods]


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", [0, 1, 2]),
        ("sort=received", [0, 1, 2]),
        ("sort=-received", [2, 1, 0]),
        ("sort=sentiment", [2, 1, 0]),
        ("sort=-sentiment", [0, 1, 2]),
        ("sort=message", [0, 1, 2]),
        ("sort=--received", [0, 1, 2]),
        ("sort=nonsense", [0, 1, 2]),
        ("page=0", [0, 1, 2]),
        ("page=nine", [0, 1, 2]),
        ("page=9999999999999", [0, 1, 2]),
        ("page=²", [0, 1, 2]),
    ],
)
def test_the_address_gives_the_order_and_nonsense_the_first_view(three, query, order):
    assert ids(query) == [three[place] for place in order]


def test_a_page_costs_one_query_and_counts_nothing(make_inquiry, django_assert_num_queries):
    for _ in range(PER_PAGE + 1):
        make_inquiry()
    with django_assert_num_queries(1) as captured:
        first = ids("")
    assert len(first) == PER_PAGE
    assert "COUNT" not in captured.captured_queries[0]["sql"].upper()
    assert len(ids("page=2")) == 1
    assert ids("page=7") == first


def test_no_page_lies_past_the_cap(make_inquiry, django_assert_num_queries):
    make_inquiry()
    with django_assert_num_queries(2) as captured:
        ids("page=5000")
    assert f"OFFSET {(LAST_PAGE - 1) * PER_PAGE}" in captured.captured_queries[0]["sql"]


@pytest.mark.parametrize("sort", ["received", "-received", "sentiment", "-sentiment", "category", "-category"])
def test_every_order_is_total(sort):
    table = build_table(Inquiry.objects.all(), QueryDict(f"sort={sort}"))
    assert table.data.data.query.order_by[-1].lstrip("-") == "id"
