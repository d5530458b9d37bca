"""Backups of PostgreSQL: dumped and counted in one snapshot while others write, put back in one transaction."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from inquiries.backups import tools
from inquiries.backups.archive import Pulse
from inquiries.backups.errors import BackupError, BackupReason
from inquiries.backups.manifest import MIGRATIONS, Manifest, Snapshot, by_app
from inquiries.backups.settling import SETTLED, settling

KIND = "postgres"
MEMBER = "database.dump"
TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
# Everything of the schema but what belongs to an extension, which only its owner may drop, or to a column, which goes
# with it. A newer POK's tables go, too, and take along what refers to the older ones.
EMPTIED = """
DO $pok$
DECLARE command text;
BEGIN
  FOR command IN
    SELECT format('DROP %s IF EXISTS %I.%I CASCADE',
      CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
      current_schema(), relname)
    FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i', 'a'))
    UNION ALL
    SELECT format('DROP ROUTINE IF EXISTS %I.%I(%s) CASCADE',
      current_schema(), proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p WHERE pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE command;
  END LOOP;
END $pok$;
"""


class PostgresStore:
    """A database of POK; `conninfo` are libpq's parameters."""

    kind = KIND
    member = MEMBER

    def __init__(self, conninfo: Mapping[str, Any]) -> None:
        self.conninfo = dict(conninfo)

    @property
    def name(self) -> str:
        return str(self.conninfo.get("dbname", ""))

    def exists(self) -> bool:
        """Tell whether there is anything to back up."""
        with self._connected() as connection:
            return bool(connection.execute(TABLES).fetchone())

    def size(self) -> int:
        """Bytes that a dump takes at most, roughly: it holds no indexes, but is not compressed while it is made."""
        with self._connected() as connection:
            return int(_one(connection, "SELECT pg_database_size(current_database())"))

    def snapshot(self, target: Path, pulse: Pulse) -> Snapshot:
        """Dump the database as it is at one moment, and count in that very moment."""
        with self._connected() as connection:
            connection.autocommit = False
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            tools.ensure_dump(connection.info.server_version)
            moment = str(_one(connection, "SELECT pg_export_snapshot()"))
            tools.dump(self.conninfo, moment, target, pulse)
            return _snapshot_of(connection)

    def verify(self, dump: Path, manifest: Manifest) -> None:
        """Restore the dump into a database of its own, which is dropped again; raises BackupError where it differs.

        Raises BackupError, too, where this user may not create one.
        """
        with self._scratch() as scratch:
            scratch.compare(dump, manifest)

    def compare(self, dump: Path, manifest: Manifest) -> None:
        """Restore the dump into this database, which is empty, and compare everything with the manifest."""
        with self._connected() as connection:
            tools.restore(self.conninfo, dump, ["BEGIN;"], ["COMMIT;"], connection.info.server_version)
            if differences := manifest.differences(_snapshot_of(connection)):
                raise BackupError(BackupReason.DAMAGED, f"the restored copy differs: {'; '.join(differences)}.")

    def replace(self, dump: Path, manifest: Manifest) -> int:
        """Put the dump in the place of everything in the schema; return how many emails were settled.

        It is one transaction, in which the rows are counted, too: whatever fails, all stays as it was.
        """
        with self._connected() as connection:
            version = connection.info.server_version
        # Whoever still reads must not keep this waiting for ever.
        before = ["BEGIN;", "SET LOCAL lock_timeout = '15s';", EMPTIED]
        after = _counting(manifest)
        if SETTLED in manifest.snapshot.tables:
            settled = settling("clock_timestamp()", manifest.created_at)
            after.append(f"WITH settled AS ({settled} RETURNING 1) SELECT 'settled', count(*) FROM settled;")  # noqa: S608
        output = tools.restore(self.conninfo, dump, before, [*after, "COMMIT;", "ANALYZE;"], version)
        found = [line.split("|")[1] for line in output.splitlines() if line.startswith("settled|")]
        return int(found[0]) if found else 0

    def ensure_unused(self) -> bool:
        """Raise BackupError where anybody else is connected to the database."""
        others = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL"
        )
        with self._connected() as connection:
            end = time.monotonic() + 2  # a connection that was just closed is listed a moment longer
            while (found := int(_one(connection, others))) and time.monotonic() < end:
                time.sleep(0.1)
        if found:
            text = f"POK is running: {found} other connections to the database {self.name} are open. Stop POK first."
            raise BackupError(BackupReason.REFUSED, text)
        return True

    @contextmanager
    def _scratch(self) -> Iterator[PostgresStore]:
        name = f"pok_verify_{secrets.token_hex(4)}"
        quoted = sql.Identifier(name)
        with self._connected() as connection:
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'").format(
                        quoted
                    )
                )
            except psycopg.errors.InsufficientPrivilege as error:
                text = (
                    f"the user {connection.info.user} may not create a database to restore into: give it CREATEDB,"
                    " or name an empty one with --database-url."
                )
                raise BackupError(BackupReason.REFUSED, text) from error
            try:
                yield PostgresStore(self.conninfo | {"dbname": name})
            finally:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        try:
            with psycopg.connect(**self.conninfo, autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            first = str(error).strip().splitlines()
            text = f"the database {self.name}: {first[0] if first else type(error).__name__}."
            raise BackupError(BackupReason.DATABASE, text) from error


class EmptyPostgres(PostgresStore):
    """A database that somebody named for trials: it has to be empty, and is so again afterwards."""

    def verify(self, dump: Path, manifest: Manifest) -> None:
        """Restore the dump here and compare it with the manifest; raises BackupError where it differs."""
        if self.exists():
            raise BackupError(BackupReason.REFUSED, f"the database {self.name} is not empty: name one that is.")
        try:
            self.compare(dump, manifest)
        finally:
            with self._connected() as connection:
                connection.execute(EMPTIED)


def _snapshot_of(connection: psycopg.Connection[tuple[Any, ...]]) -> Snapshot:
    tables = {
        name: int(_one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))))
        for (name,) in connection.execute(TABLES).fetchall()
    }
    applied: list[tuple[str, str]] = []
    if MIGRATIONS in tables:
        applied = [(str(app), str(name)) for app, name in connection.execute(f"SELECT app, name FROM {MIGRATIONS}")]  # noqa: S608
    return Snapshot(str(_one(connection, "SHOW server_version")), tables, by_app(applied))


def _counting(manifest: Manifest) -> list[str]:
    """SQL that fails, and with it the transaction, where a table has another number of rows than the backup says."""
    checks = []
    for name, rows in manifest.snapshot.tables.items():
        quoted = name.replace('"', '""')
        check = f'(SELECT count(*) FROM "{quoted}") <> {int(rows)}'  # noqa: S608
        checks.append(f"IF {check} THEN RAISE EXCEPTION 'another number of rows than in the backup'; END IF;")
    return ["DO $pok$ BEGIN", *checks, "END $pok$;"] if checks else []


def _one(connection: psycopg.Connection[tuple[Any, ...]], query: Any) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
