"""Backups of SQLite: copied by its online backup in one snapshot while others write, put back by renaming a file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from inquiries.backups.archive import Pulse, sync
from inquiries.backups.errors import BackupError, BackupReason, files_explained
from inquiries.backups.manifest import MIGRATIONS, Manifest, Snapshot, by_app
from inquiries.backups.settling import SETTLED, settling

KIND = "sqlite"
MEMBER = "database.sqlite3"
PAGES = 4_000  # copied between two signs of life
BESIDE = ("-wal", "-shm", "-journal")
# The full-text index follows from the inquiries; its own tables are no rows of anybody.
TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE 'inquiry\\_fts%' ESCAPE '\\' ORDER BY name"
)


class SqliteStore:
    """A database file of POK, which need not exist yet."""

    kind = KIND
    member = MEMBER
    pages = PAGES

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        """Tell whether there is anything to back up."""
        return self.path.exists() and self.path.stat().st_size > 0

    def size(self) -> int:
        """Bytes that a copy takes at most."""
        files = [self.path, self.path.with_name(f"{self.path.name}-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    def snapshot(self, target: Path, pulse: Pulse) -> Snapshot:
        """Copy the database as it is at one moment; raises BackupError where the copy is not sound."""
        with files_explained("the database"), _connect(self.path) as source:
            # An open read transaction holds the moment: in WAL nobody waits for it, and no write restarts the copy.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with _connect(target) as copy:
                target.chmod(0o600)
                source.backup(copy, pages=self.pages, progress=lambda *_: pulse())
            with _connect(target) as copy:
                # No longer in WAL: one file, nothing beside it.
                copy.execute("PRAGMA journal_mode = DELETE").fetchone()
                if found := _fault(copy):
                    raise BackupError(BackupReason.DATABASE, f"the database is damaged: {found}")
                return _snapshot_of(copy)

    def verify(self, dump: Path, manifest: Manifest) -> None:
        """Open a restored copy and compare it with the manifest; raises BackupError where it differs."""
        with files_explained("the restored copy"), _connect(dump) as copy:
            if found := _fault(copy):
                raise BackupError(BackupReason.DAMAGED, f"the restored copy is damaged: {found}")
            if differences := manifest.differences(_snapshot_of(copy)):
                raise BackupError(BackupReason.DAMAGED, f"the restored copy differs: {'; '.join(differences)}.")

    def replace(self, dump: Path, manifest: Manifest) -> int:
        """Put the verified dump, a file on the same disk, in the database's place; return how many emails were settled.

        Raises BackupError, and nothing is changed, where a process has the database open.
        """
        self.verify(dump, manifest)
        with files_explained(self.path):
            with _connect(dump) as copy:
                settled = _settle(copy, manifest)
            self._close_down()
            _like(dump, self.path)
            sync(dump)
            dump.replace(self.path)
            sync(self.path.parent)
        return settled

    def ensure_unused(self) -> bool:
        """Raise BackupError where another process, or another connection of this one, has the database open.

        False where the file is so damaged that nobody can tell.
        """
        if not self.exists():
            return True
        try:
            with _connect(self.path, seconds=2) as database:
                # Leaving WAL takes the file for oneself; afterwards it is whole without the files beside it.
                database.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                text = "POK is running: a process has the database open. Stop POK first."
                raise BackupError(BackupReason.REFUSED, text) from error
            return False
        return True

    def _close_down(self) -> None:
        """Leave nothing beside the file: a log of the old database must not be taken for one of the new."""
        if self.ensure_unused():
            return
        for suffix in ("", *BESIDE):  # kept for whoever wants to save what is left
            with suppress(FileNotFoundError):
                damaged = self.path.with_name(f"{self.path.name}.damaged{suffix}")
                self.path.with_name(self.path.name + suffix).replace(damaged)


@contextmanager
def _connect(path: Path, seconds: float = 20) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as connection:
        yield connection


def _fault(connection: sqlite3.Connection) -> str:
    """What SQLite finds wrong with the file, "" for nothing."""
    found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    return "" if found == "ok" else found


def _snapshot_of(connection: sqlite3.Connection) -> Snapshot:
    names = [row[0] for row in connection.execute(TABLES)]
    quoted = {name: name.replace('"', '""') for name in names}
    tables = {name: connection.execute(f'SELECT count(*) FROM "{quoted[name]}"').fetchone()[0] for name in names}  # noqa: S608
    applied: list[tuple[str, str]] = []
    if MIGRATIONS in tables:
        applied = connection.execute(f"SELECT app, name FROM {MIGRATIONS}").fetchall()  # noqa: S608
    return Snapshot(sqlite3.sqlite_version, tables, by_app(applied))


def _settle(connection: sqlite3.Connection, manifest: Manifest) -> int:
    if SETTLED not in manifest.snapshot.tables:
        return 0
    return connection.execute(settling("strftime('%Y-%m-%d %H:%M:%f', 'now')", manifest.created_at)).rowcount


def _like(new: Path, old: Path) -> None:
    """Give a file the owner and mode of the one that it replaces: an operator is often another user than POK."""
    if old.exists():
        was = old.stat()
        new.chmod(was.st_mode & 0o777)
        if os.geteuid() == 0:
            os.chown(new, was.st_uid, was.st_gid)
    else:
        new.chmod(0o600)
