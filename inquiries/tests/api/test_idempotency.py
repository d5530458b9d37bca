"""The header `Idempotency-Key`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inquiries.models import Analysis, IdempotencyKey, Inquiry
from inquiries.states import Status
from inquiries.tests.api.conftest import BODY
from inquiries.tests.api.servers import at_once


@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.django_db
def test_the_same_body_gives_the_same_inquiry(post, make_key, with_key):
    key = make_key() if with_key else ""
    first = post(key=key, Idempotency_Key="pedido-1")
    second = post(key=key, Idempotency_Key="pedido-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert (Inquiry.objects.count(), Analysis.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_another_body_is_a_conflict(post, key):
    post(key=key, Idempotency_Key="pedido-1")
    response = post(BODY | {"message": "Otra cosa"}, key=key, Idempotency_Key="pedido-1")
    assert response.status_code == 409
    assert list(response.json()) == ["detail"]
    assert Inquiry.objects.count() == 1


@pytest.mark.django_db
def test_a_body_that_means_the_same_is_the_same(post, key):
    post(key=key, Idempotency_Key="pedido-1")
    reordered = dict(reversed(BODY.items())) | {"customer_name": "  Juan   Pérez "}
    assert post(reordered, key=key, Idempotency_Key="pedido-1")["Idempotent-Replayed"] == "true"


@pytest.mark.django_db
def test_keys_of_different_callers_do_not_meet(post, make_key):
    callers = [make_key(), make_key(), ""]
    assert len({post(key=key, Idempotency_Key="1").json()["id"] for key in callers}) == 3


@pytest.mark.django_db
def test_a_key_is_forgotten_after_a_day(post, key):
    first = post(key=key, Idempotency_Key="1").json()["id"]
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert post(BODY | {"message": "Otra cosa"}, key=key, Idempotency_Key="1").json()["id"] != first


@pytest.mark.django_db
def test_a_refused_body_takes_no_key(post, key):
    assert post({}, key=key, Idempotency_Key="1").status_code == 400
    assert post(key=key, Idempotency_Key="1").status_code == 201


@pytest.mark.parametrize("text", ["", "x" * 256, "clave-ñ", "a\tb", "a\x7fb", "\x80"])
@pytest.mark.django_db
def test_a_bad_key_is_named(post, text):
    response = post(Idempotency_Key=text)
    assert response.status_code == 400
    assert list(response.json()) == ["Idempotency-Key"]
    assert not Inquiry.objects.exists()


@pytest.mark.parametrize("text", ["x", "~" * 255, "a b", '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
@pytest.mark.django_db
def test_printable_ascii_is_fine(post, text):
    assert post(Idempotency_Key=text).status_code == 201


@pytest.mark.django_db
def test_a_replay_tells_a_customer_nothing_about_spam(post):
    post(Idempotency_Key="1")
    Inquiry.objects.update(status=Status.SPAM)
    assert post(Idempotency_Key="1").json()["status"] == "new"


@pytest.mark.process
def test_concurrent_twins_make_one_inquiry(server):
    body = BODY | {"message": "Somos gemelas"}
    answers = at_once(12, lambda _: server.create(body, Idempotency_Key="gemelas"))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.data["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    listed = server.call("GET", "/api/inquiries/?page_size=100", with_key=True).data["results"]
    assert len([row for row in listed if row["message"] == body["message"]]) == 1


@pytest.mark.process
def test_concurrent_strangers_with_one_key_get_one_inquiry_and_conflicts(server):
    answers = at_once(8, lambda n: server.create(BODY | {"message": f"Distinta {'x' * n}"}, Idempotency_Key="choque"))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
