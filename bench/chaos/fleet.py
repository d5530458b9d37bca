"""POK's processes, started again whenever they end, as supervisor or Docker does."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from bench.installation import Installation

WATCH = 0.2  # seconds between two looks


class Service:
    """One service: the command of its process, and the process of this moment."""

    def __init__(self, box: Installation, name: str, **variables: str) -> None:
        self.box = box
        self.command = [sys.executable, "-m", "pok.serve", name]
        self.variables = variables
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None

    def keep_up(self) -> None:
        """Start it where it does not run."""
        if self.process is None or self.process.poll() is not None:
            self.process = self.box.start(self.command, **self.variables)
            self.starts += 1

    def kill(self, rng: random.Random) -> None:
        """`kill -9` on its process or on one of that one's children."""
        if self.process is not None and self.process.poll() is None:
            victim = rng.choice([self.process.pid, *children_of(self.process.pid)])
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, as a new version's deployment does."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


class Fleet:
    """A web server and two workers; a thread keeps them up until `rest`."""

    def __init__(self, box: Installation, port: int) -> None:
        self.web = Service(box, "web", PORT=str(port))
        self.workers = [Service(box, "worker"), Service(box, "worker")]
        self._resting = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start everything and the watch over it."""
        self._thread.start()

    def rest(self) -> None:
        """Start nothing any more."""
        self._resting.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._resting.wait(WATCH):
            for service in (self.web, *self.workers):
                service.keep_up()


def children_of(pid: int) -> list[int]:
    """The direct children of a process of ours; none where the system does not tell."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
