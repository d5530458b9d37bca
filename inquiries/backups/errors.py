"""Why there is no backup, in a word for the row and the monitor and in a sentence for the operator."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BackupReason(TextChoices):
    """Why a backup could not be made, checked or restored."""

    NO_TOOL = "no_tool", _("The tools of PostgreSQL (pg_dump) are not installed.")
    OLD_TOOL = "old_tool", _("pg_dump is older than the PostgreSQL server.")
    DISK_FULL = "disk_full", _("There is not enough room on the disk.")
    FOLDER = "folder", _("The folder of the backups cannot be written.")
    DATABASE = "database", _("The database could not be read.")
    DAMAGED = "damaged", _("The backup is damaged.")
    BUSY = "busy", _("Another backup is being made.")
    REFUSED = "refused", _("It is not allowed here.")


class BackupError(Exception):
    """What went wrong; the text is for the operator and quotes no row."""

    def __init__(self, reason: BackupReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@contextmanager
def files_explained(where: object) -> Iterator[None]:
    """Turn an error of the file system or of SQLite into a BackupError that names the place."""
    try:
        yield
    except OSError as error:
        reason = BackupReason.DISK_FULL if error.errno in FULL else BackupReason.FOLDER
        raise BackupError(reason, f"{where}: {(error.strerror or str(error)).lower()}.") from error
    except sqlite3.Error as error:
        is_full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise BackupError(BackupReason.DISK_FULL if is_full else BackupReason.DATABASE, f"{where}: {error}.") from error
