"""`manage.py restore FILE`: put a backup in the place of everything that is in the database."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from inquiries.backups import BackupError, history, making, restoring, stores
from inquiries.backups.manifest import Purpose
from inquiries.management import quiet
from inquiries.management.commands.setup import bring_up_to_date
from inquiries.management.commands.verify_backup import described, find
from inquiries.models import Inquiry

ERASED = """\
What was erased after the backup is back. Erase it again:
  manage.py customer_data erase EMAIL     for each person who asked (the log names them by digest, person_erased)
  manage.py retention                     what the rules no longer keep (workers do so at night by themselves)"""


class Command(BaseCommand):
    help = "Put a backup in the place of everything that is in the database. POK has to be stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="a path, or a name in the folder of the backups")
        parser.add_argument("--yes", action="store_true", help="do not ask, though the database holds inquiries")
        parser.add_argument("--no-safety", action="store_true", help="make no backup of the present state first")
        parser.add_argument(
            "--force", action="store_true", help="PostgreSQL: though somebody else is connected; wait for their locks"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = find(options["file"])
        with quiet.folder():
            try:
                self._restore(path, options)
            except BackupError as error:
                raise CommandError(f"{error} Nothing was changed.") from error

    def _restore(self, path: Path, options: dict[str, Any]) -> None:
        manifest = restoring.examine(path)
        self.stdout.write(f"{path.name}. {described(manifest)}")
        quiet.ensure(force=options["force"])
        self._confirm(is_sure=options["yes"])
        safety = None if options["no_safety"] else self._save_present_state()
        restored = restoring.restore(path)
        self.stdout.write("Restored. Preparing the database ...")
        bring_up_to_date()
        history.note_success((safety.manifest if safety else manifest).created_at)
        if restored.settled:
            self.stdout.write(
                f"Emails that were on their way when the backup was made: {restored.settled}. They may have been sent"
                " since, so none is sent again: they are marked as unknown, and a person decides about each of them."
            )
        self.stdout.write(ERASED)
        if safety:
            self.stdout.write(f"The state of before is in {safety.path}.")

    def _confirm(self, *, is_sure: bool) -> None:
        found = present_inquiries()
        if is_sure or found == 0:
            return
        name = stores.current().name
        count = "the database cannot be read" if found is None else f"{found} inquiries are in the database"
        self.stdout.write(f"{count[0].upper()}{count[1:]}; all of it is replaced.")
        try:
            typed = input(f"Type its name to go on ({name}): ")
        except EOFError:
            typed = ""
        if typed.strip() != name:
            raise CommandError("Nothing was changed. To go on without being asked: --yes")

    def _save_present_state(self) -> making.Backup | None:
        if not stores.current().exists():
            return None
        try:
            safety = making.make(Purpose.BEFORE_RESTORE)
        except BackupError as error:
            text = f"the present state could not be saved: {error} To restore all the same: --no-safety."
            raise BackupError(error.reason, text) from error
        self.stdout.write(f"The present state is saved in {safety.path}.")
        return safety


def present_inquiries() -> int | None:
    """Count what would be replaced; None where the database cannot be read."""
    try:
        return Inquiry.objects.count()
    except DatabaseError:
        return None if stores.current().exists() else 0
    finally:
        stores.close_connections()
