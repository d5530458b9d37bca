"""Make a backup, and remove the nightly ones that are old."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from inquiries.backups import archive, history, stores
from inquiries.backups.archive import Pulse
from inquiries.backups.errors import BackupError, BackupReason, files_explained
from inquiries.backups.manifest import Manifest, Purpose

WORK = "backup"  # the prefix of the work folder
SPARE = 64 << 20  # bytes that stay free for the database
PULSE_EVERY = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Backup:
    """A file that was read back after it was written, and its manifest."""

    path: Path
    manifest: Manifest


def make(purpose: Purpose, *, pulse: Pulse = lambda: None) -> Backup:
    """Back the database up while others write; `pulse` is called every few seconds.

    Raises BackupError. Nothing is left behind then, and nothing is noted: see `make_and_note`.
    """
    store, folder = stores.current(), settings.BACKUP_DIR
    pulse = _seldom(pulse)
    if not store.exists():
        raise BackupError(BackupReason.DATABASE, f"there is no database {store.name} yet.")
    with archive.locked(folder), archive.work_folder(settings.DATA_DIR, WORK) as work:
        _ensure_room(work, folder, store.size())
        began_at, dump = datetime.now(UTC).replace(microsecond=0), work / store.member
        snapshot = store.snapshot(dump, pulse)
        manifest = Manifest(
            created_at=began_at,
            purpose=purpose.value,
            kind=store.kind,
            made_by=settings.POK_VERSION,
            data_of=_version_of_data(),
            snapshot=snapshot,
            members={},
        )
        path, manifest = archive.write(folder, manifest, dump, pulse)
    return Backup(path, manifest)


def make_and_note(purpose: Purpose, *, pulse: Pulse = lambda: None) -> Backup:
    """Back up, and keep for the monitor how it went. Raises BackupError."""
    try:
        backup = make(purpose, pulse=pulse)
    except BackupError as error:
        history.note_failure(error)
        raise
    history.note_success(backup.manifest.created_at)
    return backup


def prune(days: int) -> list[Path]:
    """Remove nightly backups that are older, and return them.

    Whatever else lies in the folder stays, and so does the newest backup. Raises BackupError.
    """
    limit = timezone.now() - timedelta(days=days)
    readable = [(path, found) for path in archive.all_in(settings.BACKUP_DIR) if (found := _manifest_of(path))]
    gone = []
    for path, manifest in readable[1:]:
        if manifest.purpose == Purpose.NIGHTLY and manifest.created_at < limit:
            with files_explained(path):
                path.unlink(missing_ok=True)
            gone.append(path)
    return gone


def _manifest_of(path: Path) -> Manifest | None:
    try:
        return archive.read_manifest(path)
    except BackupError:  # not ours to judge, so it stays
        return None


def _ensure_room(work: Path, folder: Path, size: int) -> None:
    """A copy and the packed file, which is half as large at most, on one disk or on two."""
    packed = size // 2
    is_one = work.stat().st_dev == folder.stat().st_dev
    archive.ensure_room(work, size + SPARE + (packed if is_one else 0))
    archive.ensure_room(folder, packed + SPARE)


def _version_of_data() -> str:
    try:
        return history.installed_version()
    except DatabaseError:  # a database from before that table
        return ""


def _seldom(pulse: Pulse) -> Pulse:
    """Let the sign of life, which may cost a query, through once in PULSE_EVERY seconds."""
    last = time.monotonic()

    def pulse_at_times() -> None:
        nonlocal last
        if time.monotonic() - last >= PULSE_EVERY:
            last = time.monotonic()
            pulse()

    return pulse_at_times
