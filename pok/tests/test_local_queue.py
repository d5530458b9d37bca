from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from pok import local_queue
from pok.local_queue import LocalStorage, ring
from pok.queue import LocalQueue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "doorbell"


@pytest.fixture
def make_worker(folder: Path):
    """Make storages that listen, as worker processes do."""
    made: list[LocalStorage] = []

    def make() -> LocalStorage:
        storage = LocalStorage(folder=folder)
        storage.listen()
        made.append(storage)
        return storage

    yield make
    for storage in made:
        storage.close()


def heard(storage: LocalStorage, count: int) -> list[bytes]:
    return [entry for entry in (storage.dequeue() for _ in range(count)) if entry is not None]


def test_a_worker_gets_what_another_process_rings(folder, make_worker):
    worker = make_worker()
    LocalStorage(folder=folder).enqueue(b"seven")
    assert worker.dequeue() == b"seven"


def test_a_task_comes_through_as_it_was_called(folder):
    web, worker = (LocalQueue("pok", folder=folder, immediate=False, results=False) for _ in range(2))
    for queue in (web, worker):
        call = queue.task(name="call")(lambda pk: pk)
        call.called_by = queue
    worker.storage.listen()
    web.enqueue(call.s(7))
    assert worker.dequeue().args == (7,)
    worker.storage.close()


def test_entries_of_many_threads_arrive_whole(folder, make_worker):
    worker = make_worker()
    texts = [bytes([65 + number]) * (number * 20 + 1) for number in range(20)]
    threads = [threading.Thread(target=ring, args=(folder, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(heard(worker, 20)) == sorted(texts)


def test_a_worker_keeps_what_it_rings_itself(make_worker):
    first, second = make_worker(), make_worker()
    first.enqueue(b"mine")
    assert (first.queue_size(), second.queue_size()) == (1, 0)
    assert first.dequeue() == b"mine"


def test_urgent_entries_come_first(make_worker):
    worker = make_worker()
    worker.enqueue(b"later")
    worker.enqueue(b"now", priority=5)
    assert heard(worker, 2) == [b"now", b"later"]


def test_an_idle_worker_comes_back_without_an_entry(make_worker, monkeypatch):
    monkeypatch.setattr(local_queue, "WAIT", 0.01)
    assert make_worker().dequeue() is None


def test_without_a_worker_nobody_hears_and_nothing_fails(folder):
    ring(folder, b"x")
    folder.mkdir()
    ring(folder, b"x")


def test_the_pipe_of_a_dead_worker_goes_and_the_next_one_hears(folder, make_worker):
    worker = make_worker()
    for number in range(5):
        os.mkfifo(folder / f"dead{number}")
    for _ in range(6):
        ring(folder, b"x")
    assert len(heard(worker, 6)) == 6
    assert len(list(folder.iterdir())) < 6


def test_a_pipe_that_is_full_costs_nobody_anything(folder):
    folder.mkdir()
    os.mkfifo(folder / "deaf")
    reader = os.open(folder / "deaf", os.O_RDONLY | os.O_NONBLOCK)
    for _ in range(1_000):
        ring(folder, b"x" * 200)
    os.close(reader)


def test_more_than_fits_is_left_to_the_sweeper(make_worker, monkeypatch):
    monkeypatch.setattr(local_queue, "MOST_ENTRIES", 3)
    worker = make_worker()
    for _ in range(5):
        worker.enqueue(b"x")
    assert worker.queue_size() == 3


def test_a_worker_that_stops_takes_its_pipe_away(folder, make_worker):
    worker = make_worker()
    assert len(list(folder.iterdir())) == 1
    worker.close()
    assert not list(folder.iterdir())


def test_only_the_owner_may_ring(folder, make_worker):
    make_worker()
    (pipe,) = folder.iterdir()
    assert stat.S_IMODE(pipe.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_entry_that_would_not_be_written_in_one_piece_is_refused(folder):
    with pytest.raises(ValueError, match="ids only"):
        ring(folder, b"x" * 5_000)


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").touch()
    storage = LocalStorage(folder=tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        storage.ping()
    with pytest.raises(OSError, match="file"):
        storage.enqueue(b"x")
