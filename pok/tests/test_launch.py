"""`make run` as its user sees it: real processes, a data folder and a port of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pok import launch
from pok.tests.test_settings import OURS, ROOT

PASSWORD = "una-clave-larga-7"


class Launched:
    """One POK with its folder and port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.output = folder.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith((*OURS, "PYTEST"))}
        blank = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "TIME_ZONE", "OPENAI_API_KEY"), "")
        own = {"POK_DATA_DIR": str(self.folder), "PORT": str(self.port), "POK_ADMIN_PASSWORD": PASSWORD}
        return clean | blank | own

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Start where it is expected to fail."""
        command = [sys.executable, "-m", "pok.launch"]
        environment = self.environment | variables
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def start(self) -> None:
        with self.output.open("ab") as output:
            command = [sys.executable, "-m", "pok.launch"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        said = self.output.read_text().count("POK is running.")
        wait_until(lambda: self.output.read_text().count("POK is running.") > said, "the banner", self.is_alive)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=40)

    def children(self, word: str) -> list[int]:
        assert self.process is not None
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(maxsplit=2) for line in listed.splitlines()]
        return [int(pid) for pid, parent, args in rows if int(parent) == self.process.pid and word in args]

    def ask(self, path: str, body: object = None) -> int:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def states(self) -> list[str]:
        with contextlib.closing(sqlite3.connect(self.folder / "pok.sqlite3")) as database:
            return [row[0] for row in database.execute("SELECT ai_state FROM inquiries_inquiry ORDER BY id")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_true: Callable[[], bool], what: str, may_go_on: Callable[[], bool] = lambda: True) -> None:
    end = time.monotonic() + 60
    while not is_true():
        assert time.monotonic() < end, f"not in time: {what}"
        assert may_go_on(), f"it ended before {what}"
        time.sleep(0.1)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def pok(tmp_path) -> Iterator[Launched]:
    launched = Launched(tmp_path / "data")
    yield launched
    if launched.is_alive():
        launched.signal(signal.SIGKILL)


@pytest.mark.process
def test_from_nothing_to_an_analysed_inquiry_and_a_clean_end(pok):
    pok.start()
    inquiry = {"customer_name": "Ana", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta"}
    assert pok.ask("/api/inquiries/create", inquiry) == 201
    wait_until(lambda: pok.states() == ["done"], "the analysis")
    assert pok.ask("/") == 200

    # A second start on the same folder harms nothing.
    refused = pok.run(PORT=str(free_port()))
    assert (refused.returncode, refused.stderr) == (1, f"POK: it runs already on the data folder {pok.folder}.\n")

    # What dies is started again.
    workers = pok.children("pok.serve worker")
    os.kill(workers[0], signal.SIGKILL)
    wait_until(lambda: pok.children("pok.serve worker") not in ([], workers), "another worker")
    assert pok.ask("/api/inquiries/create", inquiry) == 201
    wait_until(lambda: pok.states() == ["done", "done"], "the second analysis")

    children = pok.children("pok.serve")
    assert pok.signal(signal.SIGTERM) == 0
    assert all(map(is_gone, children))

    # The second start keeps everything; a supervisor that is killed takes its programs along.
    pok.start()
    assert pok.states() == ["done", "done"]
    assert pok.output.read_text().count("preparing the static files") == 1
    children = pok.children("pok.serve")
    assert len(children) == 2
    pok.signal(signal.SIGKILL)
    wait_until(lambda: all(map(is_gone, children)), "the end of the programs")
    wait_until(lambda: _is_free(pok.port), "the port")


def _is_free(port: int) -> bool:
    try:
        launch.check_port("127.0.0.1", port)
    except launch.CannotStart:
        return False
    return True


@pytest.mark.process
def test_a_taken_port_is_one_line(pok):
    with socket.socket() as other:
        other.bind(("127.0.0.1", pok.port))
        other.listen()
        refused = pok.run()
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"POK: port {pok.port} cannot be used (address already in use); ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.process
def test_an_unwritable_folder_is_one_line(pok, tmp_path):
    (tmp_path / "file").touch()
    refused = pok.run(POK_DATA_DIR=str(tmp_path / "file" / "data"))
    assert refused.returncode == 1
    assert (
        refused.stderr == f"POK: POK_DATA_DIR={tmp_path}/file/data: the folder cannot be written (Not a directory).\n"
    )


@pytest.mark.process
def test_a_bad_value_is_one_line(pok):
    refused = pok.run(POK_WORKERS="many")
    assert (refused.returncode, refused.stderr) == (1, "POK: POK_WORKERS='many': use a whole number from 1 to 200.\n")


@pytest.mark.process
def test_a_database_that_is_down_is_one_line(pok):
    refused = pok.run(DATABASE_URL=f"postgres://pok:secret@127.0.0.1:{free_port()}/pok")
    assert refused.returncode == 1
    last = refused.stderr.splitlines()[-1]
    assert last.startswith("POK: the database does not answer: ")
    assert "Traceback" not in refused.stderr
    assert "secret" not in refused.stderr


class TestConfiguration:
    def write(self, folder: Path, **options: bool) -> str:
        return launch.write_config(folder, host="127.0.0.1", is_demo=options.get("is_demo", False)).read_text()

    def test_a_percent_sign_in_the_folder_is_no_variable(self, tmp_path):
        from supervisor.options import ServerOptions

        folder = tmp_path / "100% mía"
        folder.mkdir()
        self.write(folder)
        options = ServerOptions()
        options.realize(["--configuration", str(folder / "supervisord.conf")])
        assert options.pidfile == str(folder / "supervisord.pid")
        assert [group.name for group in options.process_group_configs] == ["web", "worker"]

    def test_only_the_demo_loads_samples(self, tmp_path):
        assert "load_demo" not in self.write(tmp_path)
        assert "load_demo" in self.write(tmp_path, is_demo=True)

    def test_the_worker_is_given_longer_than_it_takes(self, tmp_path, settings):
        text = self.write(tmp_path)
        assert f"stopwaitsecs={settings.HUEY['consumer']['shutdown_timeout'] + 5}" in text


def test_the_demo_touches_no_database_but_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("POK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgres://real@db/pok")
    monkeypatch.setenv("REDIS_URL", "redis://real")
    for name in ("EMAIL_URL", "POK_ADMIN_USER", "POK_ADMIN_PASSWORD"):
        monkeypatch.setenv(name, "real")
    launch.use_demo_folder()
    assert os.environ["POK_DATA_DIR"] == str(tmp_path / "demo")
    assert {os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL")} == {""}


def test_a_pipe_is_written_to_and_a_socket_is_not(tmp_path):
    code = f"from pathlib import Path; from pok import launch; print(launch._output(Path({str(tmp_path)!r})))"
    piped = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert piped.stdout.strip() == "/dev/fd/1"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=theirs, check=True)
        assert ours.recv(1000).decode().strip() == str(tmp_path / "pok.log")
