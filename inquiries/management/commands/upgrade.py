"""`manage.py upgrade`: take the database over to this version of POK, with a way back."""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from inquiries.backups import BackupError, history, restoring
from inquiries.backups.making import Backup, make
from inquiries.backups.manifest import Purpose
from inquiries.management import quiet
from inquiries.management.commands.setup import described_version
from inquiries.management.commands.verify_backup import described


class Command(BaseCommand):
    help = "Back up, verify the backup, check, migrate, and tell the way back. POK has to be stopped."
    requires_system_checks = ()  # they come after the backup

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-verify", action="store_true", help="do not restore the backup on trial")
        parser.add_argument(
            "--database-url", metavar="URL", default="", help="an empty database to verify in, as verify_backup has it"
        )
        parser.add_argument("--force", action="store_true", help="PostgreSQL: though somebody else is connected")

    def handle(self, *args: Any, **options: Any) -> None:
        with quiet.folder():
            try:
                quiet.ensure(force=options["force"])
                self._head("1. Backup")
                backup = make(Purpose.BEFORE_UPGRADE)
                self.stdout.write(f"{backup.path}. {described(backup.manifest)}")
                self._head("2. Is it good?")
                self._verify(backup, options)
            except BackupError as error:
                raise CommandError(f"{error} Nothing was changed.") from error
            self._migrate(backup)

    def _verify(self, backup: Backup, options: dict[str, Any]) -> None:
        if options["no_verify"]:
            self.stdout.write("Read back with its checksums; not restored (--no-verify).")
            return
        restoring.verify(backup.path, database_url=options["database_url"])
        self.stdout.write("Yes: restored into a scratch database, every table has its rows.")

    def _migrate(self, backup: Backup) -> None:
        self._head("3. Checks")
        self.check(databases=["default"])
        self._head("4. Migrations")
        call_command("migrate", plan=True, stdout=self.stdout, skip_checks=True)
        try:
            call_command("setup", no_backup=True, stdout=self.stdout)
        except Exception:
            self.stderr.write(self.style.ERROR("The upgrade stopped half-way."))
            self._tell_way_back(backup)
            raise
        history.note_success(backup.manifest.created_at)
        self.stdout.write(f"The database is that of POK {described_version()}. Start POK.")
        self._tell_way_back(backup)

    def _tell_way_back(self, backup: Backup) -> None:
        version = backup.manifest.data_of
        commit = version.partition("(")[2].rstrip(")")
        self._head("The way back, should you need it")
        self.stdout.write(f"  Stop POK. Go back to the version of before: {version or 'the one that ran until now'}")
        if commit:
            self.stdout.write(f"  git checkout {commit} && make env")
        command = [sys.executable, "manage.py", "restore", str(backup.path)]
        self.stdout.write(f"  {shlex.join(command)}")
        self.stdout.write("What came in after this upgrade is lost on that way.")

    def _head(self, text: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(text))
