"""Versions of the embedded engine's heads: one worker trains, all load the newest, nobody restarts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from inquiries.ai.embedded import TrainedHeads, training_fingerprint
from inquiries.ai.engine import CategorySpec, LabelledText
from inquiries.categories import live_categories
from inquiries.engines import embedded_engine
from inquiries.learning import labels
from inquiries.models import HeadVersion, Lease
from pok.logging import get_logger

log = get_logger(__name__)
KEPT_VERSIONS = 5
# Categories are taught at once; labels come one by one, and each training costs seconds of a core.
LABELS_EVERY = 120.0  # seconds

_loaded_id = 0
_last: tuple[Sequence[CategorySpec], float] = ((), -LABELS_EVERY)


def load_newest() -> bool:
    """Load the newest version into this process's engine where that is not what it has; tell whether it did."""
    global _loaded_id  # noqa: PLW0603 (what the one engine of this process holds)
    newest = HeadVersion.objects.order_by("-id").values_list("pk", flat=True).first()
    if newest is None or newest == _loaded_id:
        return False
    data = HeadVersion.objects.filter(pk=newest).values_list("data", flat=True).first()
    _loaded_id = newest
    if data is None:
        return False
    try:
        embedded_engine().load(TrainedHeads.from_bytes(bytes(data)))
    except ValueError as error:  # written by another release: this one trains its own
        log.warning("heads_not_loaded", version=newest, error=str(error)[:200])
        return False
    log.info("heads_loaded", version=newest)
    return True


def train_if_changed() -> HeadVersion | None:
    """Train a new version where categories or labels differ from the newest one; None where nothing changed.

    Only the worker that holds the lease on learning calls this.
    """
    global _last  # noqa: PLW0603 (only saves this process from comparing again)
    categories = live_categories()
    if not categories or (categories == _last[0] and time.monotonic() - _last[1] < LABELS_EVERY):
        return None
    _last = categories, time.monotonic()
    erased_at = _last_erasure()
    known = labels()
    newest = HeadVersion.objects.order_by("-id").values_list("fingerprint", flat=True).first()
    if newest == training_fingerprint(categories, known):
        return None
    return _train(categories, known, erased_at)


def _last_erasure() -> datetime | None:
    return Lease.objects.filter(name=Lease.UNLEARNT).values_list("until", flat=True).first()


def _train(
    categories: Sequence[CategorySpec], known: Sequence[LabelledText], erased_at: datetime | None
) -> HeadVersion | None:
    started = time.monotonic()
    heads = embedded_engine().train(categories, known)
    with transaction.atomic():
        # Held until the version is written, so that an erasure finds the version or is seen here.
        Lease.objects.select_for_update().filter(name=Lease.UNLEARNT).first()
        if _last_erasure() != erased_at:
            log.info("heads_dropped", reason="a label was erased meanwhile")
            return None
        version = _save(heads, time.monotonic() - started)
    log.info("heads_trained", version=version.pk, examples=version.examples, labels=version.labels)
    return version


def _save(heads: TrainedHeads, seconds: float) -> HeadVersion:
    report = heads.report
    version = HeadVersion.objects.create(
        fingerprint=heads.fingerprint,
        encoder=report.encoder[:40],
        data=heads.to_bytes(),
        examples=report.examples,
        labels=report.labels,
        temperature=report.temperature,
        ece=report.ece,
        seconds=round(seconds, 3),
    )
    kept = HeadVersion.objects.order_by("-id").values_list("pk", flat=True)[:KEPT_VERSIONS]
    HeadVersion.objects.exclude(pk__in=list(kept)).delete()
    return version
