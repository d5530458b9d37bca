"""GET /api/inquiries/."""

from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from inquiries.states import Status
from inquiries.tests.api.conftest import LIST
from inquiries.tests.api.test_create import WHOLE


def ids(response):
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["results"]]


def test_newest_first_whole_inquiries_of_every_status(get, key, make_inquiry):
    made = [make_inquiry(status=status).pk for status in Status]
    response = get(key=key)
    assert list(response.json()) == ["next", "previous", "results"]
    assert ids(response) == made[::-1]
    assert list(response.json()["results"][0]) == WHOLE


def test_an_empty_list(get, key):
    assert get(key=key).json() == {"next": None, "previous": None, "results": []}


def test_pages_follow_each_other_both_ways(client, get, key, make_inquiry):
    made = [make_inquiry().pk for _ in range(5)][::-1]
    headers = {"Authorization": f"Api-Key {key}"}
    first = get(key=key, page_size=2)
    make_inquiry()  # what arrives meanwhile moves nothing
    second = client.get(first.json()["next"], headers=headers)
    third = client.get(second.json()["next"], headers=headers)
    back = client.get(third.json()["previous"], headers=headers)
    assert [ids(page) for page in (first, second, third, back)] == [made[:2], made[2:4], made[4:], made[2:4]]
    assert third.json()["next"] is None


def test_pages_of_a_span_of_time_follow_each_other_by_the_time(client, get, key, make_inquiry):
    now = timezone.now()
    # Two of the same moment, and numbers that do not rise with the time.
    ages = (3, 1, 2, 2, 5)
    made = [make_inquiry(created_at=now - timedelta(days=age)).pk for age in ages]
    expected = [made[1], made[3], made[2], made[0]]
    headers = {"Authorization": f"Api-Key {key}"}
    since = (now - timedelta(days=4)).isoformat()
    found, url = [], ""
    while url is not None:
        page = client.get(url, headers=headers) if url else get(key=key, page_size=1, created_after=since)
        found += ids(page)
        url = page.json()["next"]
    assert found == expected


@pytest.mark.parametrize("position", ["7", "ayer", "2026-01-31", "2026-01-31 10:00:00", "0001-01-01 00:00:00+00:00"])
def test_a_cursor_of_a_span_is_a_moment(get, key, position):
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()
    assert get(key=key, created_after="2020-01-01", cursor=cursor).status_code == 400


def test_a_page_holds_25(get, key, make_inquiry):
    for _ in range(26):
        make_inquiry()
    assert len(ids(get(key=key))) == 25
    assert len(ids(get(key=key, page_size=100))) == 26


@pytest.mark.parametrize("size", ["0", "-1", "101", "abc", "", "1.5", "9" * 5000, "٣"])
def test_a_bad_page_size_is_refused(get, key, size):
    response = get(key=key, page_size=size)
    assert response.status_code == 400
    assert list(response.json()) == ["page_size"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "",
        "ñ",
        *(base64.b64encode(text).decode() for text in (b"p=abc", b"p=1_0", b"p=" + b"9" * 40, b"o=x", b"p=\xff")),
    ],
)
def test_a_bad_cursor_is_refused(get, key, cursor):
    response = get(key=key, cursor=cursor)
    # An empty position is simply the beginning.
    assert response.status_code == (400 if cursor else 200)
    assert cursor == "" or list(response.json()) == ["cursor"]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"category": "Soporte Técnico"}, ["done"]),
        ({"category": "Ventas"}, []),
        ({"sentiment": "Negativo"}, ["done"]),
        ({"sentiment": "Positivo"}, []),
        ({"status": "open"}, ["open"]),
        ({"status": ["open", "spam"]}, ["spam", "open"]),
        ({"ai_state": "queued"}, ["spam", "open", "new"]),
        ({"created_after": "2020-01-01"}, ["spam", "open", "done", "new"]),
        ({"created_before": "2020-01-01T00:00:00Z"}, []),
        ({"q": "jirafa"}, ["open"]),
        ({"q": "JIRAFÁ", "status": "new"}, []),
        ({"desconocido": "1"}, ["spam", "open", "done", "new"]),
    ],
)
def test_filters_of_the_inbox(get, key, make_inquiry, categories, parameters, found):
    made = {
        "new": make_inquiry(),
        "done": make_inquiry(analysed=True, status=Status.ANSWERED),
        "open": make_inquiry(status=Status.OPEN, message="Quiero una jirafa de peluche"),
        "spam": make_inquiry(status=Status.SPAM),
    }
    assert ids(get(key=key, **parameters)) == [made[name].pk for name in found]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("category", "Nada"),
        ("category", "a\x00b"),
        ("sentiment", "Furioso"),
        ("sentiment", "negativo"),
        ("status", "abierta"),
        ("ai_state", "hecho"),
        ("created_after", "ayer"),
        ("created_after", "99999-01-01"),
        ("created_before", "2026-02-30"),
        ("q", "a\x00b"),
        ("q", "x" * 10_000),
    ],
)
def test_a_bad_filter_value_is_named(get, key, categories, name, value):
    response = get(key=key, **{name: value})
    assert response.status_code == 400
    assert list(response.json()) == [name]


def test_filters_stay_on_the_next_page(client, get, key, make_inquiry):
    made = [make_inquiry(status=status).pk for status in (Status.OPEN, Status.NEW, Status.OPEN)]
    first = get(key=key, status="open", page_size=1)
    second = client.get(first.json()["next"], headers={"Authorization": f"Api-Key {key}"})
    assert ids(first) + ids(second) == [made[2], made[0]]


@pytest.mark.parametrize("rows", [1, 12])
def test_two_queries_however_many_rows(get, key, make_inquiry, agent, categories, rows, django_assert_num_queries):
    for _ in range(rows):
        make_inquiry(analysed=True, assignee=agent)
    get(key=key)  # the first use of a minute is written down
    with django_assert_num_queries(2):  # the key, the page
        assert len(ids(get(key=key))) == rows


@pytest.mark.parametrize("who", ["agent", "other_agent", "supervisor"])
def test_the_team_reads_with_its_session(client, request, inquiry, who):
    client.force_login(request.getfixturevalue(who))
    assert ids(client.get(LIST)) == [inquiry.pk]


def test_an_account_without_a_role_is_refused(client, outsider, inquiry):
    client.force_login(outsider)
    response = client.get(LIST)
    assert response.status_code == 403
    assert list(response.json()) == ["detail"]


def test_a_deactivated_person_is_out_at_once(client, agent, inquiry):
    client.force_login(agent)
    agent.is_active = False
    agent.save()
    assert client.get(LIST).status_code == 401


def test_nobody_is_asked_for_a_key(client, inquiry):
    response = client.get(LIST)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Api-Key")
    assert response["Cache-Control"] == "no-store"


def test_posting_to_the_list_is_refused_whoever_it_is(client, agent):
    assert client.post(LIST).status_code == 405
    client.force_login(agent)
    assert client.post(LIST).status_code == 405


def test_head_answers_like_get(client, key, inquiry):
    response = client.head(LIST, headers={"Authorization": f"Api-Key {key}"})
    assert (response.status_code, response.content) == (200, b"")
