"""The two kinds of database behind one interface, chosen by what is configured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from django.db import connection

from inquiries.backups.archive import Pulse
from inquiries.backups.errors import BackupError, BackupReason
from inquiries.backups.manifest import Manifest, Snapshot


class Store(Protocol):
    """A database that can be copied in one moment and put back as a whole."""

    kind: str
    member: str

    @property
    def name(self) -> str: ...

    def exists(self) -> bool: ...

    def size(self) -> int: ...

    def snapshot(self, target: Path, pulse: Pulse) -> Snapshot: ...

    def verify(self, dump: Path, manifest: Manifest) -> None: ...

    def replace(self, dump: Path, manifest: Manifest) -> int: ...

    def ensure_unused(self) -> bool: ...


def current() -> Store:
    """The database of this installation. Django's own connections to it are left alone."""
    if connection.vendor == "sqlite":
        from inquiries.backups.sqlite import SqliteStore

        return SqliteStore(Path(connection.settings_dict["NAME"]))
    from inquiries.backups.postgres import PostgresStore

    return PostgresStore(_conninfo(connection.get_connection_params()))


def scratch_for(manifest: Manifest, database_url: str = "") -> Store:
    """Where a backup of this kind can be verified: on our own server, or in the empty database that is named.

    Raises BackupError where a server has to be named and is not.
    """
    if manifest.kind == "sqlite":
        from inquiries.backups.sqlite import SqliteStore

        return SqliteStore(Path())  # its copy needs no place
    from inquiries.backups.postgres import EmptyPostgres

    if database_url:
        return EmptyPostgres(_conninfo_of(database_url))
    if connection.vendor != "postgresql":
        text = "a backup of PostgreSQL needs a server to be restored on: name an empty database with --database-url."
        raise BackupError(BackupReason.REFUSED, text)
    return current()


def close_connections() -> None:
    """Close what this process itself has open, a pool included."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined] # PostgreSQL's has one


def _conninfo(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what libpq knows; the rest is for Django or psycopg."""
    from psycopg import pq

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    return {key: value for key, value in parameters.items() if key in known and value is not None}


def _conninfo_of(database_url: str) -> dict[str, Any]:
    """Read an address as libpq reads it. Raises BackupError, without the address and its password, where it is none."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return dict(conninfo_to_dict(database_url))
    except psycopg.ProgrammingError as error:
        text = "--database-url should be postgres://user:password@host/name."
        raise BackupError(BackupReason.REFUSED, text) from error
