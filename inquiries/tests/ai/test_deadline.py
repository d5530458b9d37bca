"""No server, however slow, keeps a call longer than its deadline."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from inquiries.ai.deadline import Budget, budget
from inquiries.ai.engine import AIError, ErrorKind
from inquiries.ai.fake_server import FakeOpenAI
from inquiries.tests.ai.openai_helpers import make_engine, make_request, timed_failure

DEADLINE = 0.8
MARGIN = 1.0


@pytest.mark.parametrize("scenario", ["hang", "drip", "drip_headers"])
def test_slow_server_meets_the_deadline(scenario):
    with (
        FakeOpenAI(scenario=scenario, drip_interval=0.1) as server,
        make_engine(server.base_url, deadline=DEADLINE) as engine,
    ):
        engine._shared_client()
        error, seconds = timed_failure(lambda: engine.analyse(make_request()))
    assert (error.kind, error.permanent) == (ErrorKind.TIMEOUT, False)
    assert DEADLINE * 0.9 <= seconds <= DEADLINE + MARGIN


def test_slow_proxy_meets_the_deadline(monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeOpenAI(scenario="drip", drip_interval=0.1) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url.removesuffix("/v1"))
        with make_engine("http://vendor.invalid/v1", deadline=DEADLINE) as engine:
            engine._shared_client()
            error, seconds = timed_failure(lambda: engine.analyse(make_request()))
    assert len(proxy.requests) == 1
    assert error.kind is ErrorKind.TIMEOUT
    assert seconds <= DEADLINE + MARGIN


def test_latency_below_the_deadline_is_waited_for():
    with (
        FakeOpenAI(latency=0.3) as server,
        make_engine(server.base_url, deadline=5.0) as engine,
    ):
        assert engine.analyse(make_request()).category == "Facturación"


def test_a_drip_that_ends_in_time_is_an_answer():
    with (
        FakeOpenAI(scenario="drip", drip_interval=0.0002) as server,
        make_engine(server.base_url, deadline=10.0) as engine,
    ):
        assert engine.analyse(make_request()).category == "Facturación"


def test_a_late_call_leaves_the_next_one_its_full_time():
    with FakeOpenAI() as server, make_engine(server.base_url, deadline=DEADLINE) as engine:
        engine._shared_client()
        server.play("drip")
        error, _ = timed_failure(lambda: engine.analyse(make_request()))
        assert error.kind is ErrorKind.TIMEOUT
        server.latency = DEADLINE / 2
        assert engine.analyse(make_request()).category == "Facturación"


def test_a_reader_that_never_reads_meets_the_deadline():
    # The kernel's buffers take a megabyte or so; the rest of this request has nowhere to go.
    name = "a" * 8_000_000
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        with make_engine(url, model=name, deadline=DEADLINE) as engine:
            engine._shared_client()
            error, seconds = timed_failure(lambda: engine.analyse(make_request()))
    assert error.kind is ErrorKind.TIMEOUT
    assert seconds <= DEADLINE + MARGIN


def test_no_thread_is_left_behind():
    with (
        FakeOpenAI(scenario="hang") as server,
        make_engine(server.base_url, deadline=0.2) as engine,
    ):
        names = _client_threads()
        timed_failure(lambda: engine.analyse(make_request()))
        assert _client_threads() == names


def _client_threads() -> set[str]:
    """Every thread but the fake server's own, one per connection."""
    return {thread.name for thread in threading.enumerate() if "process_request_thread" not in thread.name}


def test_every_address_of_a_name_shares_the_deadline(monkeypatch):
    # 192.0.2.0/24 is for documentation (RFC 5737): nothing answers there.
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{last}", 9)) for last in range(1, 9)]
    tried = []

    def connect(address, timeout=None, **_):
        tried.append(timeout)
        time.sleep(min(timeout, 0.2))
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket, "create_connection", connect)
    with make_engine("http://many.invalid/v1", deadline=0.5) as engine:
        engine._shared_client()
        error, seconds = timed_failure(lambda: engine.analyse(make_request()))
    assert error.kind is ErrorKind.TIMEOUT
    assert seconds <= 0.5 + MARGIN
    assert 2 <= len(tried) <= 4
    assert tried == sorted(tried, reverse=True)


def test_budget_shrinks_the_wanted_timeout():
    ample = Budget(time.monotonic() + 10, 100)
    assert ample.seconds(1.0) == 1.0
    assert 9 < ample.seconds(None) <= 10
    with pytest.raises(AIError) as caught:
        Budget(time.monotonic() - 1, 100).seconds(5.0)
    assert caught.value.kind is ErrorKind.TIMEOUT


def test_budget_counts_bytes():
    small = Budget(time.monotonic() + 10, 100)
    small.spend(100)
    with pytest.raises(AIError) as caught:
        small.spend(1)
    assert caught.value.kind is ErrorKind.BAD_ANSWER


def test_budgets_of_two_threads_are_apart():
    from inquiries.ai.deadline import _BUDGET

    seen = []
    with budget(seconds=1, max_bytes=1):
        other = threading.Thread(target=lambda: seen.append(_BUDGET.get()))
        other.start()
        other.join(5)
        assert _BUDGET.get() is not None
    assert seen == [None]
    assert _BUDGET.get() is None
