"""The web server as users have it, for what only real threads and real sockets show."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from inquiries.tests.processes import ROOT, Box, wait_until


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    data: Any


class WebServer:
    """`python -m pok.serve web` on a free port, with a key that may do everything."""

    def __init__(self, folder: Path, **environment: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        # 8 threads: two calls may wait.
        self.box = Box(folder, PORT=str(self.port), POK_WEB_THREADS="8", **environment)
        self.process: subprocess.Popen[bytes] | None = None
        self.key = ""

    def start(self) -> None:
        self.box.manage("migrate", "-v", "0")
        self.box.manage("createcachetable", "-v", "0")
        self.key = self.box.manage("create_api_key", "prueba").split()[-1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pok.serve", "web"],
            cwd=ROOT,
            env=self.box.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, 30, "the web server answers")

    def _answers(self) -> bool:
        try:
            return self.call("GET", "/api/nada").status == 404
        except OSError:
            return False

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)

    def call(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        *,
        with_key: bool = False,
        **headers: str,
    ) -> Answer:
        """Send one request; an iterable body goes in chunks, without a length."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if with_key:
            sent["Authorization"] = f"Api-Key {self.key}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            is_chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, path, body, sent, encode_chunked=is_chunked)
            response = connection.getresponse()
            text = response.read()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, json.loads(text) if text else None)
        finally:
            connection.close()

    def create(self, data: dict[str, str], **headers: str) -> Answer:
        """Create an inquiry with the key."""
        body = json.dumps(data).encode()
        return self.call(
            "POST", "/api/inquiries/create", body, with_key=True, Content_Type="application/json", **headers
        )


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[WebServer]:
    """Run a server as long as the block lasts."""
    web = WebServer(folder, **environment)
    try:
        web.start()
        yield web
    finally:
        web.stop()


def at_once(times: int, action: Callable[[int], Answer]) -> list[Answer]:
    """Do the same in as many threads."""
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(action, range(times)))
