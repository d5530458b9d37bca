"""Ring for the workers. A bell that cannot ring costs seconds, never an inquiry: the sweeper finds the row."""

from __future__ import annotations

import sqlite3

from redis.exceptions import RedisError

from inquiries.tasks import analyse, send_password_link
from pok.logging import get_logger

log = get_logger(__name__)


def ring(analysis_id: int) -> None:
    """Tell the workers of a due analysis."""
    try:
        analyse(analysis_id)
    except (RedisError, OSError, sqlite3.Error) as error:
        log.warning("bell_failed", analysis_id=analysis_id, error=type(error).__name__)


def ask_for_password_link(user_id: int) -> None:
    """Let a worker send the link to a new password: a request that did would tell by its time who has an account."""
    try:
        send_password_link(user_id)
    except (RedisError, OSError, sqlite3.Error) as error:
        log.warning("password_link_lost", user_id=user_id, error=type(error).__name__)
