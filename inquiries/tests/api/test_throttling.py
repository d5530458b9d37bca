"""How often a caller may call."""

from __future__ import annotations

import json
import time
from unittest import mock

import pytest
from django.core.cache import caches
from django.db import OperationalError
from django.test import RequestFactory
from redis.exceptions import ConnectionError as RedisDown

from inquiries.api import throttling
from inquiries.models import Inquiry
from inquiries.tests.api.conftest import BODY, CREATE
from inquiries.tests.api.servers import at_once

RATES = {"public": "3/min", "public_day": "5/day", "key": "4/min"}


@pytest.fixture(autouse=True)
def _throttle(settings, db):
    settings.THROTTLE = "on"
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": RATES}
    caches["default"].clear()


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the test moves."""

    class Clock:
        now = 1_800_000_000.0

        def time(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(throttling, "time", clock)
    return clock


def request_from(address: str, forwarded: str = ""):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return RequestFactory().post("/", REMOTE_ADDR=address, headers=headers)


def test_the_public_is_held_back_with_the_time_to_wait(post):
    assert [post().status_code for _ in range(3)] == [201] * 3
    response = post()
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 60
    assert response["Retry-After"] in response.json()["detail"]
    assert Inquiry.objects.count() == 3


def test_a_made_up_forwarded_address_does_not_pass(post):
    codes = [post(X_Forwarded_For=f"10.1.1.{n}").status_code for n in range(4)]
    assert codes == [201, 201, 201, 429]


def test_refused_data_counts_too(post):
    assert [post({}).status_code for _ in range(4)] == [400, 400, 400, 429]


def test_another_address_is_another_caller(client):
    def send(address: str) -> int:
        return client.post(CREATE, BODY, content_type="application/json", REMOTE_ADDR=address).status_code

    assert [send("10.0.0.1") for _ in range(4)] == [201, 201, 201, 429]
    assert send("10.0.0.2") == 201


def test_a_key_has_its_own_rate(post, get, make_key):
    first, second = make_key(), make_key()
    for _ in range(4):
        post()
    assert [post(key=first).status_code for _ in range(3)] == [201] * 3
    assert get(key=first).status_code == 200
    assert get(key=first).status_code == 429
    assert get(key=second).status_code == 200


def test_people_at_work_are_not_throttled(client, agent):
    client.force_login(agent)
    assert {client.get("/api/inquiries/").status_code for _ in range(6)} == {200}


def test_the_form_and_the_api_count_together(post):
    assert [throttling.public_limit(request_from("127.0.0.1")) for _ in range(3)] == [None] * 3
    assert post().status_code == 429
    assert 0 < throttling.public_limit(request_from("127.0.0.1")) <= 60


def test_the_window_ends(clock):
    waits = [throttling.hit("public", "a") for _ in range(4)]
    assert waits == [None, None, None, 60]
    clock.now += 59
    assert throttling.hit("public", "a") == 1
    clock.now += 1
    assert throttling.hit("public", "a") is None


def test_a_clock_that_was_set_back_locks_nobody_out(clock):
    for _ in range(4):
        throttling.hit("public", "a")
    clock.now -= 3_600
    assert throttling.hit("public", "a") is None


def test_a_day_has_a_limit_of_its_own(clock):
    passed = []
    for _ in range(6):
        passed.append(throttling.public_limit(request_from("10.0.0.1")))
        clock.now += 61
    assert passed[:5] == [None] * 5
    assert 3_600 < passed[5] <= 86_400


def test_it_can_be_switched_off(post, settings):
    settings.THROTTLE = "off"
    assert {post().status_code for _ in range(6)} == {201}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.9"),
        (0, "1.2.3.4", "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (2, "1.2.3.4", "1.2.3.4"),
        (1, " , ", "10.0.0.9"),
        (1, "1.2.3.4:50123", "1.2.3.4"),
        (1, "[2001:db8:1:2::7]:50123", "2001:db8:1:2::"),
    ],
)
def test_only_our_own_proxies_are_believed(settings, proxies, forwarded, address):
    settings.NUM_PROXIES = proxies
    assert throttling.client_address(request_from("10.0.0.9", forwarded)) == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("[2001:db8:1:2::7]", "2001:db8:1:2::"),
    ],
)
def test_an_ipv6_network_is_one_caller(peer, address):
    assert throttling.client_address(request_from(peer)) == address


@pytest.mark.parametrize("peer", ["", "unix:", "una-caja", "[", "1.2.3:4", "x" * 5_000, "a b\n"])
def test_what_is_no_address_makes_a_usable_name(peer):
    name = throttling.client_address(request_from(peer))
    assert len(name) <= 45
    assert name.isalnum()


@pytest.mark.parametrize("error", [RedisDown("refused"), OperationalError("no such table"), OSError("reset")])
def test_a_cache_that_is_down_lets_calls_through_and_is_told_once(post, monkeypatch, error):
    warnings = []
    monkeypatch.setattr(throttling.log, "warning", lambda event, **_: warnings.append(event))
    monkeypatch.setattr(throttling, "_cache_is_down", False)

    def fail(*_arguments: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(throttling, "_count", fail)
        assert {post().status_code for _ in range(6)} == {201}
        assert warnings == ["throttle_cache_down"]
    assert post().status_code == 201
    with monkeypatch.context() as broken:  # and again after it came back
        broken.setattr(throttling, "_count", fail)
        post()
    assert len(warnings) == 2


def test_a_cache_that_failed_is_asked_once_a_call(post, monkeypatch):
    asked = mock.Mock(side_effect=OperationalError("database is locked"))
    monkeypatch.setattr(throttling, "_count", asked)
    assert post().status_code == 201
    assert asked.call_count == 1


@pytest.mark.parametrize("clock", [-3_600, 3_600])
def test_a_host_with_a_wrong_clock_lets_nobody_wait_longer_than_a_window(monkeypatch, clock):
    monkeypatch.setattr(throttling, "_count", lambda _name, period: (1_000, period + clock))
    assert 1 <= throttling.hit("public", "somebody") <= 60


def test_a_redis_that_refuses_costs_no_time(settings):
    settings.CACHES = settings.CACHES | {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.5},
        }
    }
    started = time.monotonic()
    assert throttling.hit("public", "a") is None
    assert time.monotonic() - started < 1.5


@pytest.mark.redis
def test_redis_counts_the_same(settings, redis_url):
    settings.CACHES = settings.CACHES | {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": "pok-test",
        }
    }
    cache = caches["default"]
    name = f"test-{time.time_ns()}"
    waits = [throttling.hit("public", name) for _ in range(5)]
    assert waits[:3] == [None] * 3
    assert all(0 < wait <= 60 for wait in waits[3:])
    assert cache.get(f"throttle:public:{name}:since") is not None


@pytest.mark.redis
def test_redis_loses_no_count_among_threads(settings, redis_url):
    settings.CACHES = settings.CACHES | {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": redis_url,
            "KEY_PREFIX": "pok-test",
        }
    }
    name = f"threads-{time.time_ns()}"
    waits = at_once(12, lambda _: throttling.hit("public", name))
    assert waits.count(None) == 3


@pytest.mark.process
def test_exactly_the_limit_passes_among_threads_of_a_server(server):
    """With the rates of the settings: 20 a minute, however many come at the same moment."""
    body = json.dumps(BODY).encode()

    def send(number: int):
        return server.call("POST", CREATE, body, Content_Type="application/json", X_Forwarded_For=f"10.2.2.{number}")

    codes = sorted(answer.status for answer in at_once(30, send))
    assert codes == [201] * 20 + [429] * 10
