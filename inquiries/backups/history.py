"""When the last backup was made or failed, as all hosts see it, and which POK prepared the database last."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F
from django.db.models.functions import Now

from inquiries.backups.errors import BackupError, BackupReason
from inquiries.models import Lease, ServiceState

SERVICE = "backup"
INSTALLED = "installed"  # the lease row whose holder is the version that prepared the database last


def last_success() -> datetime | None:
    """When the newest good backup was made, by whatever way; None where none is known."""
    return ServiceState.objects.filter(name=SERVICE).values_list("last_success_at", flat=True).first()


def last_error() -> BackupReason | None:
    """Why the last try failed; None where it succeeded."""
    failed = ServiceState.objects.filter(name=SERVICE, failures__gt=0)
    kind = failed.values_list("last_error", flat=True).first()
    return BackupReason(kind) if kind in BackupReason.values else None


def note_success(at: datetime) -> None:
    """Keep the time of a good backup."""
    ServiceState.objects.update_or_create(name=SERVICE, defaults={"failures": 0, "last_success_at": at})


def note_failure(error: BackupError) -> None:
    """Keep why there is none."""
    ServiceState.objects.get_or_create(name=SERVICE)
    ServiceState.objects.filter(name=SERVICE).update(
        failures=F("failures") + 1,
        last_error=error.reason.value,
        last_detail=str(error)[:500],
        last_failure_at=Now(),
    )


def installed_version() -> str:
    """Return the version of the POK that prepared this database last, "" where that is not known."""
    found = Lease.objects.filter(name=INSTALLED).values_list("holder", flat=True).first()
    return found or ""


def note_version(version: str) -> None:
    """Keep which POK has prepared the database."""
    if installed_version() != version:
        Lease.objects.update_or_create(name=INSTALLED, defaults={"holder": version[:80], "until": Now()})
