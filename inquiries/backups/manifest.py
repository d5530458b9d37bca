"""What a backup says of itself: where it comes from, and what a restored copy has to be compared with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import TextChoices

from inquiries.backups.errors import BackupError, BackupReason

FORMAT = 1
MIGRATIONS = "django_migrations"  # the table of those that are applied
NOT_INCLUDED = (
    "the secret key (DJANGO_SECRET_KEY, or the file secret_key in the data folder)",
    "the settings (.env)",
    "the queue: the rows themselves say what is due",
    "the published static files: setup makes them",
)


class Purpose(TextChoices):
    """Why a backup was made; only nightly ones are ever removed by POK."""

    BY_HAND = "by-hand"
    NIGHTLY = "nightly"
    BEFORE_UPGRADE = "before-upgrade"
    BEFORE_RESTORE = "before-restore"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was true of the database at one moment: its version, rows per table, applied migrations per app."""

    server: str
    tables: Mapping[str, int]
    migrations: Mapping[str, list[str]]


def by_app(applied: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names of migrations per app, in their order."""
    found: dict[str, list[str]] = {}
    for app, name in sorted(applied):
        found.setdefault(app, []).append(name)
    return found


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive, by its size in bytes and the SHA-256 of its content."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`kind` is "sqlite" or "postgres".

    `made_by` is the POK that made the backup, `data_of` the one that prepared the database, which may be an older one.
    """

    created_at: datetime
    purpose: str
    kind: str
    made_by: str
    data_of: str
    snapshot: Snapshot
    members: Mapping[str, Member]
    format: int = FORMAT
    not_included: tuple[str, ...] = field(default=NOT_INCLUDED)

    def to_json(self) -> bytes:
        values = asdict(self) | {"created_at": self.created_at.isoformat()}
        return json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """Read a manifest. Raises BackupError where it is none, or one of a format that this POK does not know."""
        try:
            values: dict[str, Any] = json.loads(text)
            if values["format"] != FORMAT:
                reason = f"its format is {values['format']}, and this POK reads {FORMAT}: use the POK that made it."
                raise BackupError(BackupReason.REFUSED, reason)
            return cls(
                **values
                | {
                    "created_at": datetime.fromisoformat(values["created_at"]),
                    "snapshot": Snapshot(**values["snapshot"]),
                    "members": {name: Member(**member) for name, member in values["members"].items()},
                    "not_included": tuple(values["not_included"]),
                }
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BackupError(BackupReason.DAMAGED, "its manifest cannot be read.") from error

    def differences(self, found: Snapshot) -> list[str]:
        """Tell how a restored copy differs from what was backed up, a line for each table or app."""
        lines = []
        for name in sorted({*self.snapshot.tables, *found.tables}):
            before, after = self.snapshot.tables.get(name), found.tables.get(name)
            if before != after:
                lines.append(f"{name}: {_rows(after)} instead of {_rows(before)}")
        here, there = self.snapshot.migrations, found.migrations
        return lines + [
            f"{app}: other migrations" for app in sorted({*here, *there}) if here.get(app) != there.get(app)
        ]


def _rows(number: int | None) -> str:
    return "no table" if number is None else f"{number} rows"
