"""`manage.py retention [--dry-run]`: erase what the supervisor's rules no longer keep, or tell what that would be."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from inquiries.services import privacy


class Command(BaseCommand):
    help = "Erase inquiries that the rules in the settings no longer keep; workers do so every night by themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        report = privacy.retention(dry_run=options["dry_run"])
        if not report.due:
            self.stdout.write(_("No rule is set: everything is kept. Rules stand in the settings, under privacy."))
            return
        for due in report.due:
            self.stdout.write(_rule(due))
        if report.erased is None:
            self.stdout.write(_("Nothing was erased: this was a dry run."))
            return
        self.stdout.write(_("Erased:"))
        for line in privacy.lines(report.erased) or ["0"]:
            self.stdout.write(f"  {line}")


def _rule(due: privacy.Due) -> str:
    """Return a rule and what it finds in one line."""
    name = ", ".join(str(status.label) for status in due.statuses)
    text = _("%(name)s, unchanged for %(days)s days: %(number)s") % {
        "name": name,
        "days": due.days,
        "number": due.inquiries,
    }
    if due.oldest is None or due.newest is None:
        return text
    span = _("last change from %(first)s to %(last)s") % {"first": _day(due.oldest), "last": _day(due.newest)}
    return f"{text} ({span})"


def _day(when: datetime) -> str:
    return date_format(timezone.localtime(when), "DATE_FORMAT")
