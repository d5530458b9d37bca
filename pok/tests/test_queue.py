from __future__ import annotations

import socket
import uuid

import pytest
from redis.exceptions import RedisError

from pok.queue import RedisQueue


def test_the_redis_queue_gives_back_what_was_put_in(redis_url: str):
    queue = RedisQueue(f"t{uuid.uuid4().hex}", url=redis_url, max_connections=4, immediate=False, results=False)
    ring = queue.task()(lambda pk: pk)
    ring(7)
    assert queue.dequeue().args == (7,)


def test_a_broker_that_is_down_is_tried_once_and_briefly():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    queue = RedisQueue("pok", url=f"redis://127.0.0.1:{port}/0", max_connections=4, immediate=False, results=False)
    ring = queue.task()(lambda pk: pk)
    with pytest.raises(RedisError):
        ring(7)
    options = queue.storage.pool.connection_kwargs
    assert max(options["socket_connect_timeout"], options["socket_timeout"]) <= 0.3
    assert queue.storage.pool.make_connection().retry.get_retries() == 0
