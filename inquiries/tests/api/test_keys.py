"""The header `Authorization: Api-Key <key>`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inquiries.models import ApiKey, Inquiry
from inquiries.tests.api.conftest import LIST

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("can_read", "status"), [(True, 200), (False, 403)])
def test_reading_needs_its_scope(get, make_key, can_read, status):
    assert get(key=make_key(can_read=can_read)).status_code == status


@pytest.mark.parametrize(("can_create", "status"), [(True, 201), (False, 403)])
def test_creating_needs_its_scope(post, make_key, can_create, status):
    assert post(key=make_key(can_create=can_create)).status_code == status
    assert Inquiry.objects.count() == (1 if can_create else 0)


@pytest.mark.parametrize("text", ["", "x", "pok_", "pok_" + "a" * 43, "ñandú", "pok_\x00", "a b c", "x" * 5_000])
def test_a_wrong_key_is_401_even_where_nobody_needs_one(client, post, text):
    for response in (
        client.get(LIST, headers={"Authorization": f"Api-Key {text}"}),
        post(Authorization=f"Api-Key {text}"),
    ):
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Api-Key")
        assert list(response.json()) == ["detail"]
    assert not Inquiry.objects.exists()


def test_a_revoked_key_is_401(get, post, key):
    ApiKey.objects.update(revoked_at=timezone.now())
    assert (get(key=key).status_code, post(key=key).status_code) == (401, 401)


def test_a_key_stops_with_its_owner(get, make_key, agent):
    key = make_key(owner=agent)
    assert get(key=key).status_code == 200
    agent.is_active = False
    agent.save()
    assert get(key=key).status_code == 401


def test_the_key_decides_not_the_session_beside_it(client, make_key, agent, inquiry):
    client.force_login(agent)
    response = client.get(LIST, headers={"Authorization": f"Api-Key {make_key(can_read=False)}"})
    assert response.status_code == 403


def test_the_scheme_is_read_without_regard_to_case(client, key):
    assert client.get(LIST, headers={"Authorization": f"API-KEY {key}"}).status_code == 200


def test_another_scheme_is_nobody(client, post, key):
    # A proxy in front may ask for a password of its own.
    assert client.get(LIST, headers={"Authorization": f"Bearer {key}"}).status_code == 401
    assert "ai_state" not in post(Authorization="Basic eDp5").json()


def test_the_last_use_is_written_at_most_once_a_minute(get, key, django_assert_num_queries):
    get(key=key)
    first = ApiKey.objects.get().last_used_at
    assert timezone.now() - first < timedelta(seconds=30)
    with django_assert_num_queries(2):  # the key, the list: nothing written
        get(key=key)
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    get(key=key)
    assert ApiKey.objects.get().last_used_at > first


def test_the_key_itself_is_nowhere_in_the_table(key):
    assert key not in str(ApiKey.objects.values().get())
