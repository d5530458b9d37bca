"""A person of the team, by browser: answers inquiries, takes some answers back, presses the button again if need be."""

from __future__ import annotations

import random
import re
import threading
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from bench.chaos.clients import Ledger

FOUND = 302
PATIENCE = 150.0  # seconds that a person tries to send one answer
UNDONE = 0.1  # the share of answers that are taken back


class Browser:
    """Keeps cookies and sends forms."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def sign_in(self, user: str, password: str) -> bool:
        """Tell whether it worked."""
        self.ask("GET", "/entrar/")
        return self.post("/entrar/", username=user, password=password) == FOUND

    def post(self, path: str, **fields: str) -> int:
        """Send a form; the status of the answer, 0 where there was none."""
        form = urlencode(fields | {"csrfmiddlewaretoken": self.cookies.get("csrftoken", "")})
        return self.ask("POST", path, form)[0]

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Send a request; the status and the page of the answer, 0 where there was none."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            page = response.read().decode()
        except (OSError, HTTPException):
            return 0, ""
        finally:
            connection.close()
        self._keep_cookies(response)
        return response.status, page

    def _keep_cookies(self, response: HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie") or []:
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}


class Agent:
    """Answers about every other accepted inquiry; `sent` are those whose sending was confirmed."""

    def __init__(self, port: int, password: str, seed: int) -> None:
        self.browser = Browser(port)
        self.password = password
        self.rng = random.Random(seed)
        self.sent: set[int] = set()
        self.given_up: set[int] = set()

    def work(self, ledger: Ledger, no_more_come: threading.Event) -> None:
        """Go on until nothing more comes in and everything that was chosen is sent."""
        seen: set[int] = set()
        while True:
            is_last_look = no_more_come.is_set()
            with ledger.lock:
                fresh = sorted(set(ledger.accepted.values()) - seen)
            for pk in fresh:
                seen.add(pk)
                if pk % 2:
                    self._answer(pk)
            if is_last_look:
                return
            time.sleep(0.2)

    def _answer(self, pk: int) -> None:
        end = time.monotonic() + PATIENCE
        while self.browser.post(f"/bandeja/{pk}/enviar/", text=answer_to(pk), version="0") != FOUND:
            if time.monotonic() > end:
                self.given_up.add(pk)
                return
            time.sleep(self.rng.uniform(0.1, 0.8))
            if "sessionid" not in self.browser.cookies:
                self.browser.sign_in("admin", self.password)
        self.sent.add(pk)
        if self.rng.random() < UNDONE:
            self._take_back(pk)

    def _take_back(self, pk: int) -> None:
        """Try once to undo the sending."""
        _status, page = self.browser.ask("GET", f"/bandeja/{pk}/")
        if number := re.search(r'name="answer" value="([0-9]+)"', page):
            self.browser.post(f"/bandeja/{pk}/no-enviar/", answer=number[1])


def answer_to(pk: int) -> str:
    """What the person writes: no two texts are alike."""
    return f"Hola, ya hemos desbloqueado la cuenta de la consulta {pk}. Un saludo."
