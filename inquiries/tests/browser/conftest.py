"""Browser tests: real Chromium, people signed in, and a watch on what no page may do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

if TYPE_CHECKING:  # this file is read before Django is ready
    from inquiries.models import Inquiry, User

expect.set_options(timeout=15_000)
SERIOUS = {"serious", "critical"}
# Kept by the page itself, outside the content security policy: a violation must not go unseen.
LISTEN_FOR_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""
STATUS = re.compile(r"responded with a status of (\d{3})")


class Watch:
    """What the pages of a test complained about. A test names in `expected` the error answers that it provokes."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self.expected: set[int] = set()
        self.is_offline = False

    def attend(self, context: BrowserContext) -> None:
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.page.url if message.page else ''})")

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not self._is_expected(text)]

    def _is_expected(self, text: str) -> bool:
        if self.is_offline and re.search(r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|^htmx:", text):
            return True
        found = STATUS.search(text) or re.search(r"Response Status Error Code (\d{3})", text)
        return found is not None and int(found[1]) in self.expected


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    # Containers run as root and give little shared memory.
    args = [*browser_type_launch_args.get("args", []), "--no-sandbox", "--disable-dev-shm-usage"]
    return browser_type_launch_args | {"args": args}


@pytest.fixture
def watch() -> Iterator[Watch]:
    watching = Watch()
    yield watching
    assert watching.unexpected() == []


@pytest.fixture
def open_context(browser: Browser, live_server, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """Open a watched browser context, signed in as `user`; other arguments are Playwright's."""
    contexts: list[BrowserContext] = []

    def open_one(user: User | None = None, **options: Any) -> BrowserContext:
        context = browser.new_context(base_url=live_server.url, **({"locale": "es-AR"} | options))
        contexts.append(context)
        watch.attend(context)
        context.add_init_script(LISTEN_FOR_VIOLATIONS)
        if user is not None:
            context.add_cookies([_session_cookie(user, live_server.url)])
        return context

    yield open_one
    for context in contexts:
        context.close()


def _session_cookie(user: User, url: str) -> Any:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": client.cookies[name].value, "url": url}


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    """A page of somebody who is not signed in."""
    return open_context().new_page()


@pytest.fixture
def agent_page(open_context: Callable[..., BrowserContext], agent: User) -> Page:
    """A page of an agent."""
    return open_context(agent).new_page()


@pytest.fixture
def check_axe() -> Callable[[Page], None]:
    """Fail on what axe calls serious or critical, and on an id that stands twice."""

    def check(page: Page) -> None:
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
        assert sorted(ids) == sorted(set(ids))
        found = Axe().run(page).response["violations"]
        serious = [
            f"{violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for violation in found
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]
        assert serious == [], f"{page.url}: " + "\n".join(serious)

    return check


@pytest.fixture
def analyse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a fake engine read an inquiry now, in this process, as a worker would."""
    from inquiries import analysis, learning
    from inquiries.models import Analysis
    from inquiries.tests.fakes import FakeEngine, result

    def run(inquiry: Inquiry, **values: object) -> None:
        monkeypatch.setattr(learning, "vector_of", lambda text: None)
        monkeypatch.setattr(analysis, "engine_called", lambda name, model="": FakeEngine(result(**values)))
        analysis.run(Analysis.objects.live().get(inquiry=inquiry).pk)

    return run
