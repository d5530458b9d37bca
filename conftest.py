"""Fixtures of the whole suite: a data folder of its own, people, inquiries, real servers where they are there."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import django
import pytest

from pok.tests import chromium

# Settings are read at import: the suite must never touch the developer's own data.
DATA_DIR = Path(tempfile.mkdtemp(prefix="pok-tests-"))
(DATA_DIR / "static").mkdir()  # WhiteNoise warns where it is missing
for name in list(os.environ):
    if name.startswith(("POK_", "DJANGO_", "OPENAI_")) and not name.startswith(("POK_TEST_", "POK_CHROMIUM")):
        del os.environ[name]
for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "PORT", "TIME_ZONE"):
    # Set and empty counts as absent, and an .env file does not override it.
    os.environ[name] = ""
os.environ |= {
    "POK_DATA_DIR": str(DATA_DIR),
    "POK_AI_ENGINE": "embedded",
    "OPENAI_API_KEY": "",
    "OPENAI_BASE_URL": "",
}
os.environ["DJANGO_SETTINGS_MODULE"] = "pok.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs an event loop in the thread of the tests
if os.environ.get("POK_TEST_ON") == "postgres":
    os.environ["DATABASE_URL"] = os.environ.get("POK_TEST_DATABASE_URL") or "postgres://root@127.0.0.1:5432/test"

IN_CI = os.environ.get("CI", "").lower() == "true"
POSTGRES_URL = os.environ.get("POK_TEST_DATABASE_URL") or "postgres://root@127.0.0.1:5432/test"
REDIS_URL = os.environ.get("POK_TEST_REDIS_URL") or "redis://127.0.0.1:6379/9"


def pytest_configure(config: pytest.Config) -> None:
    django.setup()
    _serve_static_files_live()


def _serve_static_files_live() -> None:
    """Let `live_server` find static files: pytest-django looks for the app's plain name, ours is `pok.static`."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.test import testcases

    testcases._StaticFilesHandler = StaticFilesHandler  # type: ignore[misc, assignment]


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(DATA_DIR, ignore_errors=True)


def _listens(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or default_port), timeout=1):
            return True
    except OSError:
        return False


def _require(is_there: bool, what: str) -> None:
    if not is_there:
        (pytest.fail if IN_CI else pytest.skip)(f"{what} does not answer")


@pytest.fixture(scope="session")
def postgres_url() -> str:
    _require(_listens(POSTGRES_URL, 5432), f"PostgreSQL (POK_TEST_DATABASE_URL, {POSTGRES_URL})")
    return POSTGRES_URL


@pytest.fixture(scope="session")
def redis_url() -> str:
    _require(_listens(REDIS_URL, 6379), f"Redis (POK_TEST_REDIS_URL, {REDIS_URL})")
    return REDIS_URL


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict, browser_type) -> dict:
    """Drive the system's Chromium where there is one, else Playwright's own, else skip."""
    path = chromium.on_system()
    if path is None and not Path(browser_type.executable_path).exists():
        (pytest.fail if IN_CI else pytest.skip)(chromium.NONE)
    return browser_type_launch_args | ({"executable_path": path} if path else {})


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    from django.core.cache import caches

    caches["local"].clear()
    yield
    caches["local"].clear()


@pytest.fixture(autouse=True)
def _plain_static_files(settings) -> None:
    """Tests need no collectstatic."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(autouse=True)
def _quick_passwords(settings) -> None:
    """Hashing is slow on purpose, a third of a second for each person."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> None:
    from django.core.management import call_command

    with django_db_blocker.unblock():
        call_command("createcachetable", verbosity=0)


@pytest.fixture
def make_user(db) -> Callable:
    from inquiries.tests import factories

    return factories.make_user


@pytest.fixture
def agent(make_user):
    """Works the inbox."""
    return make_user("agente", "Agentes")


@pytest.fixture
def other_agent(make_user):
    """A team mate."""
    return make_user("colega", "Agentes")


@pytest.fixture
def supervisor(make_user):
    """Works the inbox and the configuration."""
    return make_user("supervisora", "Supervisores")


@pytest.fixture
def outsider(make_user):
    """Has an account and no role."""
    return make_user("ajeno")


@pytest.fixture
def categories(db) -> dict:
    """The five default categories by name."""
    from inquiries.tests import factories

    return factories.make_categories()


@pytest.fixture
def make_inquiry(db) -> Callable:
    from inquiries.tests import factories

    return factories.make_inquiry


@pytest.fixture
def inquiry(make_inquiry, categories):
    """An analysed inquiry that waits for a person."""
    return make_inquiry(analysed=True)


@pytest.fixture(autouse=True)
def _nobody_suspected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with nobody tried alone: the place is the process's, and tests share one."""
    from inquiries import jobs

    monkeypatch.setattr(jobs, "_alone", jobs.Alone())
