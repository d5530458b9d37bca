from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse

from inquiries import metrics, search
from inquiries.models import Heartbeat
from pok import health

URL = "/healthz"


@pytest.fixture
def worker(db) -> None:
    Heartbeat.objects.create(worker="caja:7", version="0.1.0", threads=8)


@pytest.fixture
def silent_server() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@contextmanager
def _no_database() -> Iterator[None]:
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("could not connect to server db-interna:5432")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(connections["default"]), "cursor", refuse)
        yield


def test_all_is_well(client, worker):
    response = client.get(URL)
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "version": "0.1.0",
        "checks": {"database": "ok", "queue": "ok", "worker": "ok", "search": "ok", "migrations": "ok"},
    }
    assert "no-store" in response["Cache-Control"]


def test_its_name_is_the_address_that_containers_ask():
    assert reverse("healthz") == URL


def test_a_missing_worker_degrades_and_does_not_end_the_web_server(client, db):
    response = client.get(URL)
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["checks"]["worker"] == "missing"


def test_a_database_that_does_not_answer_is_down(client, worker):
    with _no_database():
        response = client.get(URL)
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "down"
    assert body["checks"] == {
        "database": "down",
        "queue": "ok",
        "worker": "unknown",
        "search": "unknown",
        "migrations": "unknown",
    }
    assert "db-interna" not in response.content.decode()


def test_who_is_signed_in_gets_the_same_answer_without_the_database(client, agent):
    client.force_login(agent)
    with _no_database():
        assert client.get(URL).status_code == 503


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the triggers are SQLite's")
def test_lost_search_triggers_are_noticed(client, worker):
    trigger = next(iter(search.SQLITE_TRIGGERS))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {trigger}")
    response = client.get(URL)
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["search"] == "missing"


def test_migrations_that_wait_are_noticed_until_they_are_applied(client, worker, monkeypatch):
    monkeypatch.setattr(health, "_migrated", type(health._migrated)())
    plan = MigrationExecutor.migration_plan
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *args: [("one", False)])
    assert client.get(URL).json()["checks"]["migrations"] == "pending"
    monkeypatch.setattr(MigrationExecutor, "migration_plan", plan)
    assert client.get(URL).json()["checks"]["migrations"] == "ok"


def test_a_queue_that_cannot_be_used_degrades(client, worker, monkeypatch):
    def broken(*args: object, **kwargs: object) -> None:
        raise PermissionError

    monkeypatch.setattr(health.HUEY.storage, "ping", broken)
    response = client.get(URL)
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["queue"] == "down"


def test_a_redis_that_is_there(client, worker, settings, redis_url):
    settings.REDIS_URL = redis_url
    health._redis.cache_clear()
    assert client.get(URL).json()["checks"]["queue"] == "ok"


def test_a_redis_that_refuses_degrades(client, worker, settings):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://:secreto@127.0.0.1:{free.getsockname()[1]}/0"
    health._redis.cache_clear()
    response = client.get(URL)
    assert (response.status_code, response.json()["checks"]["queue"]) == (200, "down")
    assert "secreto" not in response.content.decode()


def test_a_redis_that_hangs_is_given_up_within_its_timeout(client, worker, settings, silent_server, monkeypatch):
    monkeypatch.setattr(health, "QUEUE_TIMEOUT", 0.2)
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_server}/0"
    health._redis.cache_clear()
    started = time.monotonic()
    assert client.get(URL).json()["checks"]["queue"] == "down"
    # A hang would last until the peer closes, which it never does; generous for a busy machine.
    assert time.monotonic() - started < 10


def test_it_writes_nothing_and_starts_no_session(client, worker, django_assert_max_num_queries):
    client.get(URL)
    with django_assert_max_num_queries(6) as queries:
        response = client.get(URL)
    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)
    assert not Session.objects.exists()
    assert not response.cookies


def test_it_only_reads(client, db):
    assert client.head(URL).status_code == 200
    assert client.post(URL).status_code == 405


# --- Ready for requests? -------------------------------------------------------------------------
READY = "/readyz"


@pytest.fixture
def backed_up(monkeypatch) -> None:
    _last_backup(monkeypatch, timedelta(hours=25))


def _last_backup(monkeypatch, age: timedelta | None) -> None:
    state = "none" if age is None else "old" if age > timedelta(hours=26) else "ok"
    monkeypatch.setattr(metrics, "backup", lambda: metrics.Backup(state))


def test_all_is_ready(client, worker, backed_up):
    response = client.get(READY)
    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "version": "0.1.0",
        "checks": dict.fromkeys(("database", "queue", "worker", "search", "migrations", "backup"), "ok"),
    }
    assert "no-store" in response["Cache-Control"]
    assert reverse("readyz") == READY


@pytest.mark.parametrize(("age", "word"), [(timedelta(hours=27), "old"), (None, "none")])
def test_a_backup_that_is_old_or_missing_turns_no_request_away(client, worker, monkeypatch, age, word):
    _last_backup(monkeypatch, age)
    response = client.get(READY)
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["backup"] == word


def test_backups_that_are_switched_off_are_no_fault(client, worker, settings):
    settings.BACKUP_DAYS = 0
    body = client.get(READY).json()
    assert (body["status"], body["checks"]["backup"]) == ("ready", "off")


def test_a_folder_of_backups_out_of_reach_is_said(client, worker, monkeypatch):
    def refuse() -> None:
        raise PermissionError("/srv/copias")

    monkeypatch.setattr(metrics, "backup", refuse)
    response = client.get(READY)
    assert (response.status_code, response.json()["checks"]["backup"]) == (200, "unknown")
    assert "copias" not in response.content.decode()


def test_without_a_worker_requests_are_still_welcome(client, backed_up, db):
    response = client.get(READY)
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["checks"]["worker"] == "missing"


def test_without_the_database_no_request_is_sent_here(client, worker):
    with _no_database():
        response = client.get(READY)
    assert (response.status_code, response.json()["status"]) == (503, "unready")
    assert set(response.json()["checks"].values()) == {"down", "ok", "unknown"}


def test_before_its_migrations_are_applied_no_request_is_sent_here(client, worker, backed_up, monkeypatch):
    monkeypatch.setattr(health, "_migrated", type(health._migrated)())
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *args: [("one", False)])
    response = client.get(READY)
    assert (response.status_code, response.json()["status"]) == (503, "unready")
    assert client.get(URL).status_code == 200  # restarting would apply none


def test_whoever_asks_gets_the_same_answer(client, agent, supervisor, outsider, worker, backed_up):
    answers = [client.get(READY).content]
    for person in (agent, supervisor, outsider):
        client.force_login(person)
        answers.append(client.get(READY).content)
    assert len(set(answers)) == 1


def test_being_ready_is_only_read(client, worker, django_assert_max_num_queries):
    client.get(READY)
    with django_assert_max_num_queries(8) as queries:
        response = client.get(READY)
    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)
    assert not Session.objects.exists()
    assert not response.cookies
    assert client.head(READY).status_code == 200
    assert client.post(READY).status_code == 405
