"""Check a backup by restoring it on trial, or put it in the place of the present state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from inquiries.backups import archive, stores
from inquiries.backups.errors import BackupError, BackupReason
from inquiries.backups.manifest import Manifest

WORK = "restore"  # the prefix of the work folder


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back, and how many emails wait for a person because of it."""

    manifest: Manifest
    settled: int


def verify(path: Path, *, database_url: str = "") -> Manifest:
    """Restore a backup into a scratch database and compare it: checksums, rows per table, migrations.

    A backup of PostgreSQL gets a database of its own for that on the same server, or the empty one that is named.
    Raises BackupError.
    """
    with archive.work_folder(settings.DATA_DIR, WORK) as work:
        manifest, dump = _unpacked(path, work)
        stores.scratch_for(manifest, database_url).verify(dump, manifest)
    return manifest


def examine(path: Path) -> Manifest:
    """Read a backup through and tell whether it fits this installation. Raises BackupError where it does not."""
    manifest = archive.check(path)
    store = stores.current()
    if manifest.kind != store.kind:
        text = f"it is a backup of {manifest.kind}, but DATABASE_URL names a database of {store.kind}."
        raise BackupError(BackupReason.REFUSED, text)
    if unknown := _unknown_migrations(manifest):
        text = (
            f"it comes from a newer POK ({manifest.data_of or manifest.made_by}; unknown here: {', '.join(unknown)}):"
            " install that version first."
        )
        raise BackupError(BackupReason.REFUSED, text)
    return manifest


def restore(path: Path) -> Restored:
    """Put a backup in the place of everything that is in the database; whatever fails, that stays as it is.

    The tables are those of the backup afterwards: migrate comes next. Raises BackupError, also where somebody has the
    database open.
    """
    store = stores.current()
    stores.close_connections()
    # Beside the database, so that one renaming puts a file in another's place.
    parent = Path(store.name).parent if store.kind == "sqlite" else settings.DATA_DIR
    with archive.work_folder(parent, WORK) as work:
        manifest, dump = _unpacked(path, work)
        return Restored(manifest, store.replace(dump, manifest))


def _unpacked(path: Path, work: Path) -> tuple[Manifest, Path]:
    manifest = archive.read_manifest(path)
    archive.ensure_room(work, sum(member.bytes for member in manifest.members.values()))
    return archive.extract(path, work)


def _unknown_migrations(manifest: Manifest) -> list[str]:
    loader = MigrationLoader(None)
    here = set(loader.disk_migrations)
    return [
        f"{app}.{name}"
        for app, names in manifest.snapshot.migrations.items()
        if app in loader.migrated_apps
        for name in names
        if (app, name) not in here
    ]
