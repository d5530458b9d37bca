from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.http import QueryDict
from django.utils import timezone

from inquiries.filters import InquiryFilter
from inquiries.models import Inquiry
from inquiries.states import AnalysisState, Sentiment, Status

pytestmark = pytest.mark.django_db


def names(query: str) -> set[str]:
    filterset = InquiryFilter(QueryDict(query), queryset=Inquiry.objects.all())
    assert filterset.is_valid(), filterset.errors
    return {inquiry.customer_name for inquiry in filterset.qs}


@pytest.fixture
def two(make_inquiry, categories):
    make_inquiry(analysed=True, customer_name="Ana", status=Status.OPEN, needs_review=True)
    make_inquiry(
        customer_name="Bruno",
        message="Quiero saber el precio del avión",
        category=categories["Ventas"],
        sentiment=Sentiment.POSITIVE,
        status=Status.SPAM,
        ai_state=AnalysisState.FAILED,
        needs_review=True,
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Ana", "Bruno"}),
        ("category=Ventas", {"Bruno"}),
        ("category=Soporte+T%C3%A9cnico", {"Ana"}),
        ("sentiment=Positivo", {"Bruno"}),
        ("status=open", {"Ana"}),
        ("status=open&status=spam", {"Ana", "Bruno"}),
        ("status=closed", set()),
        ("ai_state=failed", {"Bruno"}),
        ("q=avion", {"Bruno"}),
        ("q=AVI", {"Bruno"}),
        ("q=cuenta&sentiment=Positivo", set()),
        ("review=1", {"Ana"}),
        ("unknown=1", {"Ana", "Bruno"}),
    ],
)
def test_each_filter_keeps_its_inquiries(two, query, expected):
    assert names(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "category=Nada",
        "sentiment=Furioso",
        "status=new&status=lost",
        "ai_state=thinking",
        "review=maybe",
        "created_after=ayer",
        "created_after=2026-02-30",
        "created_before=9999-12-31",
        "created_after=0001-01-01",
        "created_before=2026-01-01T25:00",
        "q=%00",
        "q=" + "x" * 201,
    ],
)
def test_a_bad_value_is_an_error(two, query):
    filterset = InquiryFilter(QueryDict(query), queryset=Inquiry.objects.all())
    assert not filterset.is_valid()
    assert set(filterset.errors) == {query.split("=")[0]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("created_after=2026-05-10", {"late", "next"}),
        ("created_before=2026-05-10", {"early", "late"}),
        ("created_after=2026-05-10&created_before=2026-05-10", {"late"}),
        ("created_after=2026-05-10T23:30", {"late", "next"}),
        ("created_before=2026-05-10T23:30", {"early"}),
        ("created_before=2026-05-10T23:30:00%2B02:00", {"early"}),
        ("created_after=2026-05-11T01:30:00%2B02:00", {"late", "next"}),
    ],
)
def test_a_date_is_a_whole_day_and_a_moment_is_a_moment(make_inquiry, query, expected):
    moments = {
        "early": datetime(2026, 5, 9, 12, tzinfo=UTC),
        "late": datetime(2026, 5, 10, 23, 59, 59, tzinfo=UTC),
        "next": datetime(2026, 5, 11, 0, 0, tzinfo=UTC),
    }
    for name, moment in moments.items():
        make_inquiry(customer_name=name, created_at=moment)
    assert names(query) == expected


def test_a_date_is_read_in_the_zone_of_the_person(make_inquiry):
    make_inquiry(customer_name="night", created_at=datetime(2026, 5, 11, 2, tzinfo=UTC))
    with timezone.override("America/Argentina/Buenos_Aires"):
        assert names("created_after=2026-05-11") == set()
        assert names("created_before=2026-05-10") == {"night"}


def test_several_statuses_need_no_distinct():
    filterset = InquiryFilter(QueryDict("status=new&status=open"), queryset=Inquiry.objects.all())
    assert "DISTINCT" not in str(filterset.qs.query)
