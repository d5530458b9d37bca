"""`manage.py create_api_key NAME`: make a key for the JSON API and print it, once, as the last word."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from inquiries.models import ApiKey, User

NAME_LENGTH = 80


class Command(BaseCommand):
    help = "Make a key of the JSON API; it is shown once, as the last word of the output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the key is for, as supervisors see it")
        parser.add_argument("--owner", metavar="USER", help="the key stops with this person's account")
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument("--read-only", action="store_true", help="it may read inquiries, not create them")
        scope.add_argument("--create-only", action="store_true", help="it may create inquiries, not read them")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        if not 1 <= len(name) <= NAME_LENGTH:
            raise CommandError(_("Give the key a name of 1 to %(limit)d characters.") % {"limit": NAME_LENGTH})
        row, key = ApiKey.issue(
            name,
            owner=_owner(options["owner"]),
            can_create=not options["read_only"],
            can_read=not options["create_only"],
        )
        self.stdout.write(_("Keep it safe: it cannot be shown again."))
        self.stdout.write(_("API key “%(name)s”:") % {"name": row.name} + f" {key}")


def _owner(username: str | None) -> User | None:
    if username is None:
        return None
    owner = User.objects.filter(username=username, is_active=True).first()
    if owner is None:
        raise CommandError(_("There is no active person called “%(name)s”.") % {"name": username})
    return owner
