"""`manage.py backup`: back the database up while POK works, into one file of the folder of the backups."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from inquiries.backups import BackupError
from inquiries.backups.making import make_and_note
from inquiries.backups.manifest import Purpose


class Command(BaseCommand):
    help = "Back the database up; POK may go on working. The secret key and the settings (.env) are not in it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            backup = make_and_note(Purpose.BY_HAND)
        except BackupError as error:
            raise CommandError(str(error)) from error
        rows = sum(backup.manifest.snapshot.tables.values())
        megabytes = backup.path.stat().st_size / 1e6
        self.stdout.write(f"{backup.path}: {rows} rows, {megabytes:.1f} MB.")
        self.stdout.write(f"To see whether it can be restored: manage.py verify_backup {backup.path.name}")
        self.stdout.write("Not in it: " + "; ".join(backup.manifest.not_included) + ".")
