"""`manage.py customer_data export|erase EMAIL`: a person's data, by their e-mail address."""

from __future__ import annotations

import json
import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from inquiries.services import privacy


class Command(BaseCommand):
    help = "Give out or erase all that is kept of a person, by e-mail address; exit code 1 when there is nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="write everything as JSON")
        export.add_argument("email", metavar="EMAIL")
        export.add_argument("--out", metavar="FILE", help="write to this file, readable by its owner alone")
        erase = verbs.add_parser("erase", help="erase everything, for good")
        erase.add_argument("email", metavar="EMAIL")
        erase.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "export":
            self._export(options["email"], options["out"])
        else:
            self._erase(options["email"], is_sure=options["yes"])

    def _export(self, email: str, out: str | None) -> None:
        data = privacy.export_person(email)
        if not data["inquiries"]:
            raise _nobody(email)
        text = json.dumps(data, ensure_ascii=False, indent=2) + "\n"
        if out is None:
            self.stdout.write(text, ending="")
        else:
            _write(Path(out), text)
            self.stdout.write(_("Written: %(file)s") % {"file": out})
        with _log_beside_output():
            privacy.note_export(email, inquiries=len(data["inquiries"]), actor=None)

    def _erase(self, email: str, *, is_sure: bool) -> None:
        found = privacy.preview(email)
        if not found.inquiries:
            raise _nobody(email)
        self._tell(found)
        if not is_sure and not _confirms(email):
            raise CommandError(_("Nothing was erased."))
        report = privacy.erase_person(email, actor=None)
        self.stdout.write(_("Erased:"))
        self._tell(report)
        if not report.is_overwritten:
            self.stdout.write(
                _("The database is busy: the erased bytes are overwritten at the next erasure or VACUUM.")
            )
        self.stdout.write(_("Backups are not changed: erase again after you restore one."))

    def _tell(self, report: privacy.ErasureReport) -> None:
        for line in privacy.lines(report):
            self.stdout.write(f"  {line}")
        if report.first and report.last:
            first, last = (date_format(timezone.localtime(when), "DATE_FORMAT") for when in (report.first, report.last))
            self.stdout.write("  " + _("From %(first)s to %(last)s") % {"first": first, "last": last})


@contextmanager
def _log_beside_output() -> Iterator[None]:
    """Let the log go to standard error meanwhile: on standard output it would make a redirected export unreadable."""
    found = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler)]
    handlers = [handler for handler in found if handler.stream is sys.stdout]
    for handler in handlers:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(sys.stdout)


def _nobody(email: str) -> CommandError:
    return CommandError(_("There is no inquiry of “%(email)s”.") % {"email": email})


def _confirms(email: str) -> bool:
    try:
        typed = input(_("This cannot be undone. Type the address again to erase it all: "))
    except EOFError:
        return False
    return typed.strip().casefold() == email.strip().casefold()


def _write(path: Path, text: str) -> None:
    """Write a file that nobody else may read, from its first byte on."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            path.chmod(0o600)
            file.write(text)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
