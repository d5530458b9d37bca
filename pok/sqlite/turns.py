"""A lock that threads get in the order in which they came.

SQLite lets who finds the database locked sleep and try again: of several threads that write without a break, one may
get hardly a turn in seconds. Queued up here, they find it free.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import cache


class Turns:
    """First come, first served; of one process."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, seconds: float) -> bool:
        """Wait for one's turn, so long at most; False where it did not come."""
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        return mine.acquire(timeout=seconds) or not self._withdraw(mine)

    def give_back(self) -> None:
        """Let the next one have their turn."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def _withdraw(self, mine: threading.Lock) -> bool:
        """Leave the queue; False where the turn has come at the last moment after all."""
        with self._mutex:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return True
            return False


@cache
def turns_of(database: str) -> Turns:
    """The one queue of this process for this file."""
    return Turns()
