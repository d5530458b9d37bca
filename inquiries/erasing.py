"""Erase inquiries with everything that hangs on them: a person's on request, old ones by the supervisor's rules.

Batch by batch, each a transaction of its own, so that others go on writing and an interrupted run is simply
repeated. Outcomes stay without their inquiry: they hold nobody's words. Backups are not touched; what is restored
from one has to be erased again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q
from django.db.models.functions import Now

from inquiries import engines, scrubbing, similar
from inquiries.ai.cases import case_key, without_cases
from inquiries.ai.masking import anonymise
from inquiries.models import (
    Analysis,
    Correction,
    Example,
    HeadVersion,
    Inquiry,
    Lease,
    Outcome,
    SiteSettings,
)
from inquiries.models.inquiry import InquiryQuerySet
from inquiries.states import AnalysisState, Status
from pok.logging import get_logger

log = get_logger(__name__)
BATCH = 500
# For so many at once the requests that were sent are searched for their words.
CHUNK = 5_000
PAGE = 200
TRIES = 3
LONGEST_DAYS = 36_500
# An answer that was being written while a search began is not in it yet.
LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What an erasure did. `rows` holds how many rows went, by the name of their model ("Inquiry", "Message" …).

    `kept_outcomes` stay without their inquiry, `cut_requests` are other customers' analyses whose request had shown
    the erased words as an example, `heads` the trained versions that went because they had learnt from them.
    `is_overwritten` is False where a SQLite file may hold the words until it is scrubbed the next time.
    """

    rows: Mapping[str, int]
    kept_outcomes: int = 0
    cut_requests: int = 0
    heads: int = 0
    first: datetime | None = None
    last: datetime | None = None
    is_overwritten: bool = True

    @property
    def inquiries(self) -> int:
        return self.rows.get("Inquiry", 0)

    def figures(self) -> dict[str, int]:
        """Return all counts under names for a log."""
        return {
            **self.rows,
            "kept_outcomes": self.kept_outcomes,
            "cut_requests": self.cut_requests,
            "heads": self.heads,
        }


@dataclass(frozen=True, slots=True)
class Due:
    """What one rule of retention finds: inquiries in one of `statuses` that nothing has changed for `days` days.

    `oldest` and `newest` are the times of their last change.
    """

    statuses: tuple[Status, ...]
    days: int
    inquiries: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What the rules found, a `Due` for each rule that is set, and what became of it; None after a dry run."""

    due: tuple[Due, ...]
    erased: ErasureReport | None = None


def erase(chosen: InquiryQuerySet, *, pulse: Callable[[], object] = lambda: None) -> ErasureReport:
    """Erase all of `chosen`, which is asked again for every batch; `pulse` is called after each.

    Repeating it after an interruption does the rest. Raises OperationalError where the database stays busy.
    """
    span = chosen.aggregate(first=Min("created_at"), last=Max("created_at"))
    counts: Counter[str] = Counter()
    with scrubbing.overwriting():
        try:
            while ids := _next_ids(chosen, CHUNK):
                _erase_chunk(chosen, ids, counts, pulse)
        finally:
            similar.forget()
        is_overwritten = scrubbing.scrub()
    extra: dict[str, Any] = {name: counts.pop(name, 0) for name in ("kept_outcomes", "cut_requests", "heads")}
    return ErasureReport(dict(counts), **extra, **span, is_overwritten=is_overwritten)


def retention(*, dry_run: bool, pulse: Callable[[], object] = lambda: None) -> RetentionReport:
    """Erase what the supervisor's rules no longer keep, or with `dry_run` only tell what that would be.

    New and open inquiries are never touched, however old they are.
    """
    rules = _rules()
    report = RetentionReport(tuple(_due(statuses, days) for statuses, days in rules))
    if dry_run or not rules:
        return report
    expired = Q()
    for statuses, days in rules:
        expired |= Q(status__in=statuses, updated_at__lt=Now() - timedelta(days=days))
    erased = erase(Inquiry.objects.filter(expired), pulse=pulse)
    log.info("retention_done", rules=len(rules), **erased.figures())
    return RetentionReport(report.due, erased)


def _rules() -> list[tuple[tuple[Status, ...], int]]:
    site = SiteSettings.get_solo()
    rules = [
        ((Status.ANSWERED, Status.CLOSED), site.retention_days),
        ((Status.SPAM,), site.spam_retention_days),
    ]
    return [(statuses, min(days, LONGEST_DAYS)) for statuses, days in rules if days]


def _due(statuses: tuple[Status, ...], days: int) -> Due:
    rows = Inquiry.objects.filter(status__in=statuses, updated_at__lt=Now() - timedelta(days=days))
    found: dict[str, Any] = rows.aggregate(inquiries=Count("pk"), oldest=Min("updated_at"), newest=Max("updated_at"))
    return Due(statuses, days, **found)


def _next_ids(chosen: InquiryQuerySet, limit: int) -> list[int]:
    return list(chosen.order_by("pk").values_list("pk", flat=True)[:limit])


def _erase_chunk(
    chosen: InquiryQuerySet, ids: Sequence[int], counts: Counter[str], pulse: Callable[[], object]
) -> None:
    """Erase some thousand inquiries, and their words from what was sent for others."""
    keys = _case_keys(ids)
    counts["cut_requests"] += _cut_requests(keys)
    since = _stamp() - LATE if keys else None
    pulse()
    for start in range(0, len(ids), BATCH):
        counts.update(_erase_patiently(chosen.filter(pk__in=ids[start : start + BATCH])))
        pulse()
    if keys:
        _ask_anew()
        counts["cut_requests"] += _cut_requests(keys, since)


def _erase_patiently(chosen: InquiryQuerySet) -> Counter[str]:
    """Erase a batch; where that crosses another writer's locks, try again."""
    for _try in range(TRIES - 1):
        try:
            return _erase_batch(chosen)
        except OperationalError as error:
            if connection.in_atomic_block:  # the caller's transaction is over, too
                raise
            log.warning("erasure_repeated", error=type(error).__name__)
    return _erase_batch(chosen)


@transaction.atomic
def _erase_batch(chosen: InquiryQuerySet) -> Counter[str]:
    ids = _locked(chosen)
    has_taught = Inquiry.objects.filter(_taught(), pk__in=ids).exists()
    counts = Counter({"kept_outcomes": Outcome.objects.filter(inquiry__in=ids).count()})
    _total, rows = Inquiry.objects.filter(pk__in=ids).only("pk").delete()
    counts.update({label.rpartition(".")[2]: number for label, number in rows.items()})
    if has_taught:
        _stamp()
        # Which labels a version learnt is not known: all that learnt any go, and workers train anew.
        counts["heads"] += HeadVersion.objects.filter(labels__gt=0).delete()[0]
    return counts


def _locked(chosen: InquiryQuerySet) -> list[int]:
    """Return the ids that are still to go, locked: first the analyses, then the inquiries, as a worker that records.

    What a worker wrote up to now is seen and goes, too; what it writes later finds no inquiry and is refused.
    """
    if connection.features.has_select_for_update:
        analyses = Analysis.objects.filter(inquiry__in=_next_ids(chosen, BATCH))
        list(analyses.select_for_update().order_by("pk").values_list("pk"))
        return _next_ids(chosen.select_for_update(), BATCH)
    return _next_ids(chosen, BATCH)


def _taught() -> Q:
    """Inquiries that a version or a request may have learnt from: whoever was corrected or answered."""
    tables = (Example, Correction, Outcome)
    taught = Q()
    for table in tables:
        taught |= Q(Exists(table._default_manager.filter(inquiry=OuterRef("pk"))))
    return taught


def _stamp() -> datetime:
    """Write down when labels were last erased, and return it: who trained on them meanwhile can tell by it."""
    Lease.objects.update_or_create(name=Lease.UNLEARNT, defaults={"until": Now()})
    return Lease.objects.values_list("until", flat=True).get(name=Lease.UNLEARNT)


def _case_keys(ids: Sequence[int]) -> frozenset[str]:
    """Return what identifies these inquiries where they were shown to the AI service as solved cases."""
    keys = set()
    for start in range(0, len(ids), BATCH):
        taught = Inquiry.objects.filter(_taught(), pk__in=ids[start : start + BATCH])
        for name, email, message, text in taught.values_list("customer_name", "email", "message", "example__text"):
            keys.add(case_key(text or anonymise(message, customer_name=name, email=email)))
    return frozenset(keys)


def _cut_requests(keys: Collection[str], since: datetime | None = None) -> int:
    """Take the cases with these keys out of all requests on record, or those answered `since`; return how many."""
    if not keys:
        return 0
    requests = Analysis.objects.filter(shown_examples__gt=0)
    if since is not None:
        requests = requests.filter(finished_at__gte=since)
    changed = last = 0
    while page := list(requests.filter(pk__gt=last).order_by("pk").values_list("pk", "sent_text")[:PAGE]):
        for last, sent in page:
            cut = without_cases(sent, keys.__contains__)
            if cut != sent:
                changed += Analysis.objects.filter(pk=last).update(sent_text=cut)
    return changed


def _ask_anew() -> None:
    """Put back what is being asked: a request under way may show the erased words, and its record would keep them.

    Without their claims those workers write nothing. It counts as no attempt.
    """
    if engines.uses_openai():
        running = Analysis.objects.filter(state=AnalysisState.RUNNING, attempts__gt=0)
        running.update(state=AnalysisState.QUEUED, claim_token=None, due_at=Now(), attempts=F("attempts") - 1)
