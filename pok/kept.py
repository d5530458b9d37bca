"""Rows that are read with every piece of work and may be a few seconds old."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

from django.core.cache import caches

Value = TypeVar("Value")
_numbers = count()


class Kept(Generic[Value]):
    """One object for this process, read anew after so many seconds. All callers share it, so nobody may change it.

    The local cache holds only the number of the reading: it would make a new copy for every caller. Whoever clears
    that cache, or deletes `key` from it, makes the next caller read anew.
    """

    def __init__(self, key: str, seconds: float, read: Callable[[], Value]) -> None:
        self.key, self._seconds, self._read = key, seconds, read
        self._kept: tuple[int, Value] | None = None

    def get(self) -> Value:
        """Return the object."""
        number, kept = caches["local"].get(self.key), self._kept
        if number is None or kept is None or kept[0] != number:
            kept = self._kept = (next(_numbers), self._read())
            caches["local"].set(self.key, kept[0], self._seconds)
        return kept[1]

    def forget(self) -> None:
        """Let the next caller read anew."""
        caches["local"].delete(self.key)
