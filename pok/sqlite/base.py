"""The database backend: every transaction, and every single statement that writes, waits for its turn first.

All transactions here are IMMEDIATE, so each of them writes. Other processes are not in the queue; SQLite's own lock
keeps them apart, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from pok.sqlite.turns import Turns, turns_of

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLAC")


class DatabaseWrapper(base.DatabaseWrapper):
    """One thread's connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_turn = False
        self._hurries = False

    @property
    def turns(self) -> Turns:
        """The queue for this file."""
        return turns_of(str(self.settings_dict["NAME"]))

    def take_turn(self) -> None:
        """Wait until nobody else of this process writes; OperationalError after the time-out of SQLite's lock."""
        if not self.turns.take(float(self.settings_dict["OPTIONS"].get("timeout", 5.0))):
            raise OperationalError("database is locked: no turn came")
        self._has_turn = True

    def end_turn(self) -> None:
        """Let the next one write, if it was this connection's turn."""
        if self._has_turn:
            self._has_turn = False
            self.turns.give_back()

    def hurry(self) -> None:
        """Commit on this connection without waiting for the disk (synchronous=NORMAL).

        A process that is killed loses nothing by it. A power cut may take what was written last, so this is for work
        that would simply be done again.
        """
        if self._hurries or self.in_atomic_block:
            return
        with self.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
        self._hurries = True

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; the settings' own synchronous holds again."""
        self._hurries = False
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        """A cursor that keeps to the queue."""
        return self.connection.cursor(factory=lambda connection: Cursor(connection, self))

    def _start_transaction_under_autocommit(self) -> None:
        self.take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc] # not in the stubs
        except BaseException:
            self.end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self.end_turn()  # a commit that fails is rolled back

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc] # not in the stubs
        finally:
            self.end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc] # not in the stubs
        finally:
            self.end_turn()


def hurry() -> None:
    """Let this thread's connection commit without waiting for the disk, where it is one of SQLite."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if isinstance(wrapper, DatabaseWrapper):
        wrapper.hurry()


class Cursor(base.SQLiteCursorWrapper):
    """Runs statements; one that writes by itself is a transaction of its own."""

    def __init__(self, connection: Any, wrapper: DatabaseWrapper) -> None:
        super().__init__(connection)
        self._wrapper = wrapper

    def execute(self, query: str, params: Any = None) -> Any:
        with self._turn(query):
            return super().execute(query, params)

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        with self._turn(query):
            return super().executemany(query, param_list)

    def convert_query(self, query: str, *, param_names: list[str] | None = None) -> str:
        """Turn Django's marks for parameters into SQLite's; the same few statements come again and again."""
        if param_names is not None:
            return str(super().convert_query(query, param_names=param_names))
        return _with_question_marks(query)

    @contextmanager
    def _turn(self, query: str) -> Iterator[None]:
        if self.connection.in_transaction or query[:6].upper() not in WRITES:
            yield
            return
        self._wrapper.take_turn()
        try:
            yield
        finally:
            self._wrapper.end_turn()


@lru_cache(maxsize=1_000)
def _with_question_marks(query: str) -> str:
    return str(base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%"))
