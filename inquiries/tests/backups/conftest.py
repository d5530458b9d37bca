from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inquiries.tests.backups.servers import database_of_its_own

if TYPE_CHECKING:  # the models are not there yet when pytest reads this
    from inquiries.backups.manifest import Manifest

AT = datetime(2026, 3, 2, 3, 0, 7, tzinfo=UTC)


@pytest.fixture
def make_manifest() -> Callable[..., Manifest]:
    from inquiries.backups.manifest import Manifest, Snapshot

    def make(**values) -> Manifest:
        snapshot = Snapshot("1.0", {"thing": 3}, {"inquiries": ["0001_first"]})
        fields: dict[str, Any] = {
            "created_at": AT,
            "purpose": "by-hand",
            "kind": "sqlite",
            "made_by": "0.1.0",
            "data_of": "0.1.0 (abc)",
        }
        return Manifest(**(fields | {"snapshot": snapshot, "members": {}} | values))

    return make


@pytest.fixture
def pack(tmp_path, make_manifest) -> Callable[..., Path]:
    """Make a backup of any bytes in a folder of its own."""
    from inquiries.backups import archive

    def pack_bytes(content: bytes = b"x" * 5_000, **values) -> Path:
        dump = tmp_path / "database.sqlite3"
        dump.write_bytes(content)
        folder = tmp_path / "backups"
        with archive.locked(folder):
            return archive.write(folder, make_manifest(**values), dump, lambda: None)[0]

    return pack_bytes


@pytest.fixture
def database(tmp_path) -> Path:
    """A SQLite file in WAL with 2,000 rows and two emails on their way."""
    path = tmp_path / "pok.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE thing (id INTEGER PRIMARY KEY, text TEXT);"
            "CREATE TABLE django_migrations (app TEXT, name TEXT);"
            "INSERT INTO django_migrations VALUES ('inquiries', '0001_first');"
            "CREATE TABLE inquiries_delivery (id INTEGER, state TEXT, error TEXT DEFAULT '', error_detail TEXT,"
            " due_at TEXT, finished_at TEXT, claim_token TEXT);"
            "INSERT INTO inquiries_delivery (id, state, due_at)"
            " VALUES (1, 'queued', 'x'), (2, 'sending', 'x'), (3, 'sent', NULL);"
        )
        connection.executemany("INSERT INTO thing (text) VALUES (?)", [(f"fila {n}" * 50,) for n in range(2_000)])
        connection.commit()
    return path


@pytest.fixture
def new_database(postgres_url) -> Iterator[Callable[[], str]]:
    """Make empty PostgreSQL databases, which are dropped at the end; return their addresses."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(database_of_its_own(postgres_url))
