"""A POK of its own for tests that end processes: its data folder, database, queue and a fake OpenAI server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SUBMIT = """
from inquiries import services
from inquiries.states import Source
for number in range({count}):
    text = {text!r} or f"consulta {{number}}: no puedo entrar a mi cuenta"
    services.submit(customer_name="Ana", email="ana@example.com", message=text, source=Source.API)
"""
REPORT = """
import json
from inquiries.models import Analysis, Heartbeat, Inquiry
print("REPORT" + json.dumps({
    "inquiries": Inquiry.objects.count(),
    "done": Inquiry.objects.filter(ai_state="done").count(),
    "failed": Inquiry.objects.filter(ai_state="failed").count(),
    "analyses": Analysis.objects.count(),
    "results": Analysis.objects.filter(state="done").count(),
    "live": Analysis.objects.filter(due_at__isnull=False).count(),
    "heartbeats": Heartbeat.objects.count(),
    "crashes": sum(Analysis.objects.values_list("crashes", flat=True)),
}))
"""
CATEGORIES = """
from inquiries.models import Category
for name in ("Soporte Técnico", "Ventas"):
    Category.objects.get_or_create(name=name)
"""


def wait_until(is_true: Callable[[], bool], seconds: float, what: str, pause: float = 0.05) -> None:
    """Fail with `what` when it has not come true in time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause)


class Answer(NamedTuple):
    """What a web server said."""

    status: int
    headers: Message
    text: str


class Box:
    """One installation. `environment` overrides its variables."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("POK_", "DJANGO_", "OPENAI_", "PYTEST"))}
        blank = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "TIME_ZONE", "PORT"), "")
        self.environment = clean | blank | {"POK_DATA_DIR": str(folder), "POK_WORKERS": "4"} | environment

    def manage(self, *arguments: str) -> str:
        """Run a management command; its output."""
        run = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def shell(self, code: str) -> str:
        return self.manage("shell", "-v", "0", "-c", code)

    def prepare(self) -> None:
        """Make the tables and two categories."""
        self.manage("migrate", "-v", "0")
        self.manage("createcachetable", "-v", "0")
        self.shell(CATEGORIES)

    def submit(self, count: int, text: str = "") -> None:
        """Take inquiries in; without `text` no two are alike."""
        self.shell(SUBMIT.format(count=count, text=text))

    def report(self) -> dict[str, Any]:
        output = self.shell(REPORT)
        counts: dict[str, Any] = json.loads(output[output.index("REPORT") + 6 :])
        return counts

    def start_worker(self, *oddities: str) -> subprocess.Popen[bytes]:
        """Start the product's worker; with `oddities`, the arguments of `inquiries.tests.odd_worker`, one of those."""
        module = ["inquiries.tests.odd_worker", *oddities] if oddities else ["pok.serve", "worker"]
        return self._start(module, self.environment)

    def start_web(self, **environment: str) -> int:
        """Start the product's web server and wait for its answer; its port."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        server = self._start(["pok.serve", "web"], self.environment | {"PORT": str(port)} | environment)

        def is_up() -> bool:
            assert server.poll() is None, self.story()
            return self.ask(port, "GET", "/healthz").status != 0

        wait_until(is_up, 60, "the web server answers")
        return port

    def ask(self, port: int, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request, a dict as JSON; status 0 where nobody answers."""
        text = json.dumps(body) if isinstance(body, dict) else body
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, text, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read().decode())
        except OSError:
            return Answer(0, Message(), "")
        finally:
            connection.close()

    def _start(self, module: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / "output.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    def story(self) -> str:
        """What the processes logged, for a test that fails."""
        log = self.folder / "output.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    def end(self) -> None:
        """Kill what this box started and still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(10)
