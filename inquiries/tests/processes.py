"""A POK of its own for tests that end processes: its data folder, database, queue and a fake OpenAI server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SUBMIT = """
from inquiries import services
from inquiries.states import Source
for number in range({count}):
    text = f"consulta {{number}}: no puedo entrar a mi cuenta"
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


class Box:
    """One installation. `environment` overrides its variables."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
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

    def submit(self, count: int) -> None:
        self.shell(SUBMIT.format(count=count))

    def report(self) -> dict[str, Any]:
        output = self.shell(REPORT)
        counts: dict[str, Any] = json.loads(output[output.index("REPORT") + 6 :])
        return counts

    def start_worker(self) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "run_huey"],
            cwd=ROOT,
            env=self.environment,
            stdout=(self.folder / "worker.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        self.workers.append(worker)
        return worker

    def story(self) -> str:
        """What the workers logged, for a test that fails."""
        return (self.folder / "worker.log").read_text(errors="replace")[-4000:]

    def end(self) -> None:
        """Kill what this box started and still runs."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
            worker.wait(10)
