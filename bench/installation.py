"""A fresh POK for one measurement: its folder, database, queue and processes, all taken away afterwards.

    with Installation(PostgresRedis()) as box:
        url = box.start_web()

POK_BENCH_DATABASE_URL names a PostgreSQL server where databases may be made, POK_BENCH_REDIS_URL a Redis database
that may be emptied.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

ROOT = Path(__file__).resolve().parents[1]
# All runs share the collected static files: compressing them takes longer than most measurements.
STATIC = ROOT / "bench" / "results" / "static"
POSTGRES = os.environ.get("POK_BENCH_DATABASE_URL") or "postgres://root@127.0.0.1:5432/postgres"
REDIS = os.environ.get("POK_BENCH_REDIS_URL") or "redis://127.0.0.1:6379/12"
PATIENCE = 60.0  # seconds for a process to be ready
OURS = ("POK_", "DJANGO_", "OPENAI_")
BLANK = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "TIME_ZONE", "PORT")


class Sqlite:
    """One box with nothing installed."""

    name = "SQLite"

    def variables(self) -> dict[str, str]:
        """Make what is needed; the variables that name it."""
        return {}

    def remove(self) -> None:
        """Nothing lies outside the folder."""


class PostgresRedis:
    """A database of its own on a PostgreSQL server, and an emptied Redis database."""

    name = "PostgreSQL + Redis"
    made = 0

    def __init__(self) -> None:
        PostgresRedis.made += 1
        self.database = f"pok_bench_{os.getpid()}_{PostgresRedis.made}"

    def variables(self) -> dict[str, str]:
        """Make what is needed; the variables that name it."""
        self._admin(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        self._admin(f'CREATE DATABASE "{self.database}"')
        redis.Redis.from_url(REDIS).flushdb()
        url = urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{self.database}"))
        return {"DATABASE_URL": url, "REDIS_URL": REDIS}

    def remove(self) -> None:
        """Drop the database and empty Redis."""
        self._admin(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        redis.Redis.from_url(REDIS).flushdb()

    def _admin(self, command: str) -> None:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(command.encode())


Stores = Sqlite | PostgresRedis


class Installation:
    """One POK on these stores; `variables` are added to the environment of its processes."""

    def __init__(self, stores: Stores, **variables: str) -> None:
        self.stores = stores
        self.folder = Path(tempfile.mkdtemp(prefix="pok-bench-"))
        self.processes: list[subprocess.Popen[bytes]] = []
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        fixed = {
            "POK_DATA_DIR": str(self.folder),
            "POK_STATIC_DIR": str(STATIC),
            "POK_ADMIN_PASSWORD": "bench",
            "POK_THROTTLE": "off",
            "POK_BACKUP_DAYS": "0",  # the first worker of the day would make one meanwhile
            "POK_AI_ENGINE": "openai",
        }
        self.environment = clean | dict.fromkeys(BLANK, "") | fixed | stores.variables() | variables

    def __enter__(self) -> Installation:
        try:
            with only_one(STATIC.with_suffix(".lock")):
                self.manage("setup")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            sys.stderr.write(self.story())
        self.close()

    def close(self) -> None:
        """End the processes and take everything away."""
        for process in self.processes:
            end(process)
        self.stores.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def manage(self, *arguments: str) -> str:
        """Run a management command; its output. Raises RuntimeError with it where the command fails."""
        command = [sys.executable, "manage.py", *arguments]
        run = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if run.returncode:
            raise RuntimeError(f"{' '.join(arguments[:1])}: {run.stdout}{run.stderr}")
        return run.stdout

    def shell(self, code: str) -> str:
        """Run Python code with Django set up; its output."""
        return self.manage("shell", "-v", "0", "--no-imports", "-c", code)

    def start_web(self, **variables: str) -> Web:
        """Serve by the product's own command; wait until it answers."""
        return self.start_server([sys.executable, "-m", "pok.serve", "web"], **variables)

    def start_worker(self, **variables: str) -> subprocess.Popen[bytes]:
        """Start the product's own worker; wait until its heartbeat is there."""
        before = self.ask("SELECT COUNT(*) FROM inquiries_heartbeat")
        process = self.start([sys.executable, "-m", "pok.serve", "worker"], **variables)
        wait_until(lambda: self.ask("SELECT COUNT(*) FROM inquiries_heartbeat") != before, "the worker to come up")
        return process

    def start_openai(self, latency: float) -> str:
        """Start a fake AI service that takes so many seconds for an answer; its address for OPENAI_BASE_URL."""
        port = free_port()
        self.start([sys.executable, "manage.py", "fake_openai", "--port", str(port), "--latency", str(latency)])
        wait_until(lambda: answers(port), "the fake AI service")
        return f"http://127.0.0.1:{port}/v1"

    def ask(self, query: str) -> Any:
        """The first value that the query finds, past Django; None where it finds nothing."""
        with self.reading() as ask:
            return ask(query)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Callable[[str], Any]]:
        """The same for many queries on one connection."""
        connection: Any
        if url := self.environment["DATABASE_URL"]:
            connection = psycopg.connect(url, autocommit=True)
        else:
            connection = sqlite3.connect(self.folder / "pok.sqlite3")
        with contextlib.closing(connection):
            yield lambda query: (connection.execute(query).fetchone() or [None])[0]

    def start_server(self, command: list[str], **variables: str) -> Web:
        """Start a web server that listens on $PORT; wait until it answers."""
        port = free_port()
        process = self.start(command, PORT=str(port), **variables)
        wait_until(lambda: answers(port) or process.poll() is not None, "the web server to answer")
        if process.poll() is not None:
            raise RuntimeError(f"the web server ended:\n{self.story()}")
        return Web(process, port)

    def start(self, command: list[str], **variables: str) -> subprocess.Popen[bytes]:
        """Start a process whose output goes to the installation's log."""
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def story(self) -> str:
        """The last lines that the processes wrote."""
        log = self.folder / "output.log"
        return log.read_text(errors="replace")[-4_000:] if log.exists() else ""


class Web:
    """A running web server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Let one process of this machine at a time into the block."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process that this run started: politely, then by force."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
    if process.poll() is None:
        process.kill()
    process.wait(10)


def free_port() -> int:
    """A port of this machine on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Tell whether an HTTP server answers there, whatever it says."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def wait_until(is_true: Callable[[], object], what: str, seconds: float = PATIENCE, pause: float = 0.05) -> None:
    """Return once it is true. Raises TimeoutError."""
    end_at = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > end_at:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(pause)
