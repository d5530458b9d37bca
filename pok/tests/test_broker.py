"""A Redis that is away: few attempts, and none that a customer waits for twice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from unittest import mock

import pytest
from django.core.cache.backends.redis import RedisCache
from huey.storage import PriorityRedisExpireStorage
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from pok import broker
from pok.broker import BrokerPool, Outage, RedisIsAway, outage_of
from pok.queue import RedisQueue


class HangsUp:
    """A server that takes connections, counts them and says nothing."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _address = self.listener.accept()
            except OSError:  # closed at the end of the test
                return
            self.calls += 1
            caller.close()


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> None:
    outage_of.cache_clear()


@pytest.fixture
def hangs_up() -> Iterator[HangsUp]:
    server = HangsUp()
    yield server
    server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()


@pytest.fixture
def swallows() -> Iterator[int]:
    """The port of a listener with a full queue: the kernel drops whoever wants to connect, as a firewall does."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    callers = []
    for _ in range(3):
        caller = socket.socket()
        caller.setblocking(False)
        caller.connect_ex(("127.0.0.1", port))
        callers.append(caller)
    yield port
    for each in (*callers, listener):
        each.close()


def ring(queue: RedisQueue) -> None:
    queue.storage.enqueue(b"entry")


def queue_at(port: int) -> RedisQueue:
    return RedisQueue("pok", url=f"redis://127.0.0.1:{port}/0", max_connections=4, immediate=False, results=False)


def cache_at(port: int) -> RedisCache:
    return RedisCache(f"redis://127.0.0.1:{port}/0", {"OPTIONS": {"pool_class": "pok.broker.BrokerPool"}})


def test_many_calls_make_one_attempt(hangs_up):
    queue, cache = queue_at(hangs_up.port), cache_at(hangs_up.port)
    for _ in range(5):
        with pytest.raises(RedisError):
            cache.incr("calls")
        with pytest.raises(RedisError):
            ring(queue)
    assert hangs_up.calls == 1


def test_a_worker_that_waits_for_entries_pauses_too(hangs_up):
    queue = queue_at(hangs_up.port)
    for _ in range(5):
        with pytest.raises(RedisError):
            queue.dequeue()
    assert hangs_up.calls == 1


def test_whoever_drops_packets_is_left_alone(swallows):
    with pytest.raises(RedisError) as first:
        ring(queue_at(swallows))
    with pytest.raises(RedisIsAway):
        cache_at(swallows).incr("calls")
    assert not isinstance(first.value, RedisIsAway)


def test_past_the_pause_there_is_another_attempt(hangs_up, monkeypatch):
    monkeypatch.setattr(broker, "PAUSE", 0.0)
    queue = queue_at(hangs_up.port)
    for _ in range(3):
        with pytest.raises(RedisError):
            ring(queue)
    assert hangs_up.calls == 3


def test_past_the_pause_only_one_caller_tries(monkeypatch):
    monkeypatch.setattr(broker, "PAUSE", 0.0)
    outage = Outage()
    outage.begin()
    monkeypatch.setattr(broker, "PAUSE", 60.0)
    assert [outage.may_try() for _ in range(3)] == [True, False, False]
    outage.end()
    assert [outage.may_try() for _ in range(3)] == [True, True, True]


def test_an_answer_that_comes_too_late_starts_the_pause(monkeypatch):
    queue = queue_at(1)
    with monkeypatch.context() as late:
        late.setattr(PriorityRedisExpireStorage, "enqueue", mock.Mock(side_effect=RedisTimeoutError))
        with pytest.raises(RedisTimeoutError):
            ring(queue)
    with pytest.raises(RedisIsAway):
        ring(queue)


def test_our_own_limit_of_connections_says_nothing_about_redis(redis_url):
    pool = BrokerPool.from_url(redis_url, max_connections=1)
    taken = pool.get_connection()
    with pytest.raises(RedisError):
        pool.get_connection()
    assert pool.outage.may_try()
    pool.release(taken)


def test_each_redis_has_its_own_pause():
    outage_of("one.example", 1).begin()
    assert outage_of("other.example", 1).may_try()
    assert not outage_of("one.example", 1).may_try()
