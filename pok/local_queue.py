"""The doorbell of one box with nothing installed: pipes in the data folder, entries in the workers' memory.

A worker process keeps a named pipe there and sleeps until somebody writes to it; whoever rings writes to one of the
pipes. Nothing is written to a disk and nobody polls, and nothing needs to be kept: the database row is the truth, so
what a worker takes with it when it dies, or what nobody heard, its sweeper or another one brings back.
"""

from __future__ import annotations

import atexit
import errno
import os
import random
import struct
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from select import PIPE_BUF

from huey.storage import MemoryStorage

WAIT = 1.0  # seconds that an idle worker waits before it looks whether it should stop
MOST_ENTRIES = 10_000  # in memory; the sweeper brings the rest
SIZE = struct.Struct("!H")


class LocalStorage(MemoryStorage):  # type: ignore[misc]
    """Entries of this process, where it is a worker; elsewhere the way to a worker."""

    blocking = True

    def __init__(self, name: str = "huey", *, folder: Path) -> None:
        super().__init__(name)
        self.folder = folder
        self._filled = threading.Condition(self._lock)
        self._ear: Ear | None = None

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Add an entry here, or ring at a worker; without a worker nobody hears it. Raises OSError."""
        if self._ear is None:
            ring(self.folder, data)
        else:
            self._add(data, priority)

    def dequeue(self) -> bytes | None:
        """Wait for an entry, a second at most; who calls this is a worker."""
        self.listen()
        with self._filled:
            if not self._queue:
                self._filled.wait(WAIT)
            entry: bytes | None = super().dequeue()
            return entry

    def listen(self) -> None:
        """Be a worker from now on."""
        with self._lock:
            if self._ear is None:
                self._ear = Ear(self.folder, self._add)
                atexit.register(self.close)

    def ping(self) -> None:
        """Raise OSError where no pipe could be made."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if not os.access(self.folder, os.W_OK):
            raise PermissionError(self.folder.name)

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()

    def _add(self, data: bytes, priority: float | None = None) -> None:
        with self._filled:
            if len(self._queue) < MOST_ENTRIES:
                super().enqueue(data, priority)
                self._filled.notify()


class Ear:
    """A worker's pipe, and the thread that reads it."""

    def __init__(self, folder: Path, hear: Callable[[bytes], None]) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._hear = hear
        self._path = folder / uuid.uuid4().hex
        unready = folder / f"{self._path.name}.new"
        os.mkfifo(unready, 0o600)
        # For both ways, so that it neither waits for a writer nor ends with the last one.
        self._pipe = os.open(unready, os.O_RDWR)
        unready.rename(self._path)  # whoever sees it finds a reader
        threading.Thread(target=self._listen, name="doorbell", daemon=True).start()

    def close(self) -> None:
        """Take the pipe away; the thread goes with the process."""
        self._path.unlink(missing_ok=True)

    def _listen(self) -> None:
        heard = b""
        while True:
            heard += os.read(self._pipe, 65_536)
            while len(heard) >= SIZE.size and len(heard) >= SIZE.size + SIZE.unpack_from(heard)[0]:
                end = SIZE.size + SIZE.unpack_from(heard)[0]
                self._hear(heard[SIZE.size : end])
                heard = heard[end:]


def ring(folder: Path, data: bytes) -> None:
    """Write an entry to a worker's pipe. Raises OSError where the folder or a pipe cannot be used."""
    piece = SIZE.pack(len(data)) + data
    if len(piece) > PIPE_BUF:  # what is written in one piece, so that those of two writers never mix
        raise ValueError("an entry holds ids only")
    try:
        pipes = [entry for entry in os.listdir(folder) if "." not in entry]
    except FileNotFoundError:  # no worker has ever run
        return
    random.shuffle(pipes)
    for name in pipes:
        if _write(folder / name, piece):
            return


def _write(path: Path, piece: bytes) -> bool:
    """Write to a pipe; False where its worker is dead, whose pipe goes, or deaf with a full one."""
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno != errno.ENXIO:  # nobody reads it
            raise
        path.unlink(missing_ok=True)
        return False
    try:
        os.write(pipe, piece)
    except (BlockingIOError, BrokenPipeError):
        return False
    finally:
        os.close(pipe)
    return True
