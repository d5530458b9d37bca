"""Backups: made while POK works, checked by restoring them, put back as a whole or not at all.

A backup is one file in `settings.BACKUP_DIR`: the database in a snapshot, and a manifest with the counts and checksums
that a restored copy must have. The queue (the rows say what is due), the published static files and the secret key
are not in it. `making`, `checking` and `restoring` are imported where they are used: a web server needs only this.
"""

from __future__ import annotations

from inquiries.backups.errors import BackupError, BackupReason
from inquiries.backups.history import installed_version, last_error, last_success

__all__ = ["BackupError", "BackupReason", "installed_version", "last_error", "last_success"]
