"""What a deletion leaves behind in a SQLite file, and how it is overwritten.

SQLite only marks a deleted row's bytes as free (sqlite.org/pragma.html#pragma_secure_delete), the full-text index
notes a deletion and keeps the words until its segments are merged (sqlite.org/fts5.html, 6.9), and the write-ahead
log keeps older pages until it is cut. PostgreSQL frees deleted rows by its own (auto)vacuum.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

FTS = "inquiry_fts"
# About 2 MB: other writers get their turn between two steps.
PAGES_AT_ONCE = 500


@contextmanager
def overwriting() -> Iterator[None]:
    """Let this connection write zeros over whatever it deletes meanwhile."""
    if connection.vendor != "sqlite":
        yield
        return
    before = _pragma("secure_delete")
    _pragma("secure_delete = ON")
    try:
        yield
    finally:
        # 2 is FAST, which leaves free pages as they are; the library may have been built with any of the three.
        _pragma(f"secure_delete = {('OFF', 'ON', 'FAST')[before]}")


def scrub() -> bool:
    """Drop deleted words from the full-text index and cut the write-ahead log, inside `overwriting`.

    False where the log could not be cut, because somebody reads all the while or a transaction is open: then the
    next scrub or the last process that closes the database does it.
    """
    if connection.vendor != "sqlite":
        return True
    if FTS in connection.introspection.table_names():
        _merge_index()
    return not connection.in_atomic_block and _pragma("wal_checkpoint(TRUNCATE)") == 0


def _merge_index() -> None:
    """Merge all segments into one step by step: a negative number begins it, positive ones go on with it."""
    with connection.cursor() as cursor:
        pages = -PAGES_AT_ONCE
        while True:
            before = connection.connection.total_changes
            cursor.execute(f"INSERT INTO {FTS}({FTS}, rank) VALUES ('merge', %s)", [pages])  # noqa: S608
            # The documented sign that nothing was left to merge.
            if connection.connection.total_changes - before < 2:
                return
            pages = PAGES_AT_ONCE


def _pragma(text: str) -> int:
    """Run a pragma of this module and return the first number that it answers; 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        row = cursor.fetchone()
    return int(row[0]) if row else 0
