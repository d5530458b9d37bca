"""Rows of an age."""

from __future__ import annotations

from datetime import timedelta

from django.db.models.functions import Now

from inquiries.models import Analysis, Heartbeat


def age(analysis: Analysis, **ages: timedelta) -> None:
    """Move columns of time into the past by so much."""
    Analysis.objects.filter(pk=analysis.pk).update(**{name: Now() - length for name, length in ages.items()})


def beat(worker: str, length: timedelta = timedelta(0), version: str = "0.1.0") -> None:
    """A worker that was last heard of so long ago."""
    row = Heartbeat.objects.create(worker=worker, version=version, threads=8)
    Heartbeat.objects.filter(pk=row.pk).update(seen_at=Now() - length)
