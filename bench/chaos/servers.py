"""A Redis and a PostgreSQL of our own, which may be killed: nobody else's is touched."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from bench.installation import PostgresRedis, free_port, wait_until

TIMEOUT = 60.0  # seconds for a command of theirs


class NotInstalled(Exception):
    """A program that is needed is not on this machine; the text names it."""


class RedisServer:
    """redis-server on a free port; it keeps nothing, so whatever was queued dies with it."""

    def __init__(self) -> None:
        self.binary = shutil.which("redis-server")
        if self.binary is None:
            raise NotInstalled("redis-server is not installed")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait for its answer."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([str(self.binary), *options], stdout=subprocess.DEVNULL, cwd="/")
        wait_until(self.answers, "Redis")

    def answers(self) -> bool:
        """Tell whether it takes commands."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens on its port."""
        self.kill()
        yield
        self.start()

    @contextmanager
    def dropping(self) -> Iterator[None]:
        """Nobody answers on its port, not even to say so: a listener there takes no more callers.

        Its queue is full, so the kernel drops whoever wants to connect, as a firewall does.
        """
        self.kill()
        callers = [socket.socket() for _ in range(3)]
        with socket.create_server(("127.0.0.1", self.port), backlog=0):
            for caller in callers:
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", self.port))
            yield
        for caller in callers:
            caller.close()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It keeps its connections and answers nobody, as a host does that hangs."""
        self.freeze()
        yield
        self.thaw()

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)


class PostgresServer:
    """A cluster in a folder of its own. Root may not run one, so then it belongs to a user without rights."""

    def __init__(self) -> None:
        self.programs = _postgres_programs()
        self.owner = _plain_user() if os.getuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="pok-chaos-postgres-"))
        self.port = free_port()
        self.url = f"postgres://pok@127.0.0.1:{self.port}/pok"
        if self.owner:
            shutil.chown(self.folder, self.owner["user"], self.owner["group"])

    def start(self) -> None:
        """Make the cluster where there is none yet, start it and wait for its answer."""
        is_new = not (self.folder / "data").exists()
        if is_new:
            self._run("initdb", "--auth=trust", "--username=pok", "--encoding=UTF8", "--no-sync")
        listen = f"-p {self.port} -h 127.0.0.1 -k {self.folder}"
        self._run("pg_ctl", "start", "--wait", "--log", str(self.folder / "log"), "--options", listen)
        if is_new:
            with psycopg.connect(self.url.rpartition("/")[0] + "/postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE pok")

    def stop(self) -> None:
        """Stop it without letting anybody finish: what was not committed is gone, as after a power cut."""
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate")

    def remove(self) -> None:
        """Stop it and take the folder away."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", str(self.folder / "data"), *arguments]
        # The server would inherit a pipe and keep it open.
        output: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, cwd=self.folder, check=True, timeout=TIMEOUT, **output, **self.owner)


def _postgres_programs() -> Path:
    """The folder that holds initdb and pg_ctl. Raises NotInstalled."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    # Debian keeps them off the path, a folder for each version.
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NotInstalled("PostgreSQL's initdb and pg_ctl are not installed")


def _plain_user() -> dict[str, Any]:
    """How `subprocess` changes to a user without rights. Raises NotInstalled."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NotInstalled("no user without rights is there to run PostgreSQL")


class OwnServers(PostgresRedis):
    """Both, as the stores of an installation."""

    def __init__(self) -> None:
        self.redis = RedisServer()
        self.postgres = PostgresServer()

    def variables(self) -> dict[str, str]:
        """Start them; the variables that name them."""
        self.redis.start()
        self.postgres.start()
        return {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url}

    def remove(self) -> None:
        """End them and take their folders away."""
        self.redis.kill()
        self.postgres.remove()
