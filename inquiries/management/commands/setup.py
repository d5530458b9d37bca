"""`manage.py setup`: everything that must be there before POK serves. Harmless to repeat, quick when done.

A database with inquiries is backed up before it is migrated.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

import inquiries.ai
from inquiries.backups import BackupError, history
from inquiries.backups.making import Backup, make
from inquiries.backups.manifest import Purpose
from inquiries.models import Category, Inquiry, User
from inquiries.roles import SUPERVISORS

SEEDS = Path(inquiries.ai.__file__).parent / "seeds" / "categories.json"
# Without the characters that people mistake for each other.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class Command(BaseCommand):
    help = "Bring database, static files, default categories and the first supervisor into being."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--static", action="store_true", help="only the static files: an image's build step")
        parser.add_argument("--no-backup", action="store_true", help="make no backup before the database is migrated")

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Return, and so print, the first supervisor's password where this call has made one up."""
        published = fingerprint()
        if not is_collected(published):
            self.stdout.write("POK: preparing the static files (once) ...")
            collect_static(published)
        return None if options["static"] else self._prepare_database(with_backup=not options["no_backup"])

    def _prepare_database(self, *, with_backup: bool) -> str | None:
        backup = self._back_up() if with_backup and has_inquiries() and is_behind() else None
        bring_up_to_date()
        if backup is not None:  # not before: the table may not have been there
            history.note_success(backup.manifest.created_at)
        if made := load_categories():
            self.stdout.write(f"POK: {made} default categories are loaded.")
        return make_first_supervisor()

    def _back_up(self) -> Backup | None:
        """Save what is about to be migrated. Raises CommandError where that fails: then nothing is migrated."""
        if not settings.BACKUP_DAYS:
            self.stdout.write("POK: the database is migrated without a backup (POK_BACKUP_DAYS=0).")
            return None
        try:
            backup = make(Purpose.BEFORE_UPGRADE)
        except BackupError as error:
            raise CommandError(
                f"the database has to be migrated, and the backup before that failed: {error}"
                " Mend that, or set POK_BACKUP_DAYS=0 to go on without one."
            ) from error
        self.stdout.write(f"POK: the database is migrated; as it was before, it is in {backup.path}.")
        return backup


def has_inquiries() -> bool:
    """Tell whether there is anything to lose; False on a new database."""
    try:
        return Inquiry.objects.exists()
    except DatabaseError:
        return False


def is_behind() -> bool:
    """Tell whether migrations wait."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def bring_up_to_date() -> None:
    """Migrate, with everything that hangs on it, and note which version did so."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    history.note_version(described_version())


def described_version() -> str:
    """Return the version, in a checkout with the commit: that is what the way back of an upgrade has to name."""
    git = shutil.which("git")
    if git is None or not (settings.BASE_DIR / ".git").exists():
        return settings.POK_VERSION
    # Without the option git refuses a checkout that belongs to another user, as installed services have it.
    trusted = f"safe.directory={settings.BASE_DIR}"
    command = [git, "-c", trusted, "-C", str(settings.BASE_DIR), "rev-parse", "--short", "HEAD"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    commit = told.stdout.strip()
    return f"{settings.POK_VERSION} ({commit})" if commit else settings.POK_VERSION


def fingerprint() -> str:
    """A hash of every source's path, size and time: 300 stat calls instead of seconds of compressing."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            path = Path(storage.path(name))
            # Whole seconds: the layers of an image keep no more.
            digest.update(f"{path} {path.stat().st_size} {int(path.stat().st_mtime)}\n".encode())
    return digest.hexdigest()


def is_collected(published: str) -> bool:
    """Tell whether the static files with this fingerprint are published already."""
    stamp = _stamp()
    return settings.STATIC_ROOT.is_dir() and stamp.is_file() and stamp.read_text() == published


def collect_static(published: str) -> None:
    """Publish the static files anew."""
    _stamp().unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    _stamp().write_text(published)


def _stamp() -> Path:
    return Path(f"{settings.STATIC_ROOT}.stamp")


@transaction.atomic
def load_categories() -> int:
    """Load the default categories where there is none at all; return how many."""
    if Category.objects.exists():
        return 0
    rows = json.loads(SEEDS.read_text(encoding="utf-8"))
    for position, row in enumerate(rows, start=1):
        Category.objects.create(
            name=row["name"],
            description=row["description"],
            examples="\n".join(row["examples"]),
            keywords="\n".join(row["keywords"]),
            colour=row["colour"],
            position=position * 10,
        )
    return len(rows)


@transaction.atomic
def make_first_supervisor() -> str | None:
    """Make the first account where there is none; return a line with its password when that was made up here."""
    if User.objects.exists():
        return None
    password = settings.ADMIN_PASSWORD or made_up_password()
    person = User.objects.create_user(settings.ADMIN_USER, password=password, is_staff=True)
    person.groups.add(Group.objects.get(name=SUPERVISORS))
    if settings.ADMIN_PASSWORD:
        return None
    return f"POK: the first supervisor is {person.username} with the password {password} (shown only this once)."


def made_up_password() -> str:
    """Sixteen characters in groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))
