"""`manage.py verify_backup FILE`: restore a backup into a scratch database and compare it with what was backed up."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from inquiries.backups import BackupError, archive, restoring
from inquiries.backups.manifest import Manifest


class Command(BaseCommand):
    help = "Restore a backup into a scratch database and compare rows, checksums and migrations; nothing else changes."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("file", metavar="FILE", nargs="?", help="a path, or a name in the folder of the backups")
        which.add_argument("--latest", action="store_true", help="the newest in the folder of the backups")
        parser.add_argument(
            "--database-url",
            metavar="URL",
            default="",
            help="PostgreSQL: an empty database to restore into, where the user may not create one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = newest() if options["latest"] else find(options["file"])
        try:
            manifest = restoring.verify(path, database_url=options["database_url"])
        except BackupError as error:
            raise CommandError(f"{path.name}: {error}") from error
        self.stdout.write(f"{path.name} is good. {described(manifest)}")


def find(name: str) -> Path:
    """Return the file of this path, or of this name in the folder of the backups."""
    path = Path(name).expanduser()
    return path if path.exists() or len(path.parts) > 1 else settings.BACKUP_DIR / name


def newest() -> Path:
    """Return the newest backup. Raises CommandError where there is none."""
    found = archive.all_in(settings.BACKUP_DIR)
    if not found:
        raise CommandError(f"There is no backup in {settings.BACKUP_DIR}.")
    return found[0]


def described(manifest: Manifest) -> str:
    """What a backup holds, in a line."""
    tables = manifest.snapshot.tables
    return (
        f"Made {manifest.created_at:%Y-%m-%d %H:%M:%S %Z} ({manifest.purpose}) of POK"
        f" {manifest.data_of or manifest.made_by} on {manifest.kind}: {tables.get('inquiries_inquiry', 0)} inquiries,"
        f" {sum(tables.values())} rows in {len(tables)} tables."
    )
