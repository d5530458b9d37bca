"""What the monitor and the health check ask: how much waits, who works, what went wrong. Reads only.

Ages are computed by the database, whose clock all hosts share. No question costs more as the table grows:
counts stop at COUNT_CAP, lists at their limit, and each stands on an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.core.cache import caches
from django.db.models import DurationField, ExpressionWrapper, F, Min, Q, QuerySet
from django.db.models.functions import Now

from inquiries import breaker, budget, engines
from inquiries.models import Analysis, Heartbeat, Inquiry, ServiceState, SiteSettings
from inquiries.models.inquiry import COUNT_CAP
from inquiries.states import WAITING, AIMode, AIReason, AnalysisState, Purpose

ALIVE_FOR = timedelta(seconds=15)
LISTED_FOR = timedelta(hours=1)
LONG_TEXTS = ("sent_text", "raw_answer", "reply", "reason")
MAX_WORKERS_SHOWN = 50
MAX_ERRORS_SHOWN = 20
MAX_ERRORS_READ = 1_000
NOTICE_KEY = "ai-notice"
NOTICE_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts of inquiries, each at most COUNT_CAP + 1, and the age of the oldest one that the AI still owes.

    `skipped` are those that wait for a person unread because the AI was off.
    """

    queued: int
    running: int
    failed: int
    skipped: int
    provisional: int
    provisional_reason: str
    oldest: timedelta | None


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process by its last heartbeat."""

    name: str
    version: str
    threads: int
    age: timedelta

    @property
    def is_alive(self) -> bool:
        return self.age < ALIVE_FOR


@dataclass(frozen=True, slots=True)
class EngineInUse:
    """What reads the inquiries now: `name` is "openai", "embedded" or "off"; `by_supervisor` tells who switched off."""

    name: str
    model: str = ""
    has_stand_in: bool = False
    by_supervisor: bool = False


def backlog() -> Backlog:
    """Count what the machine has to do and what it could not do."""
    inquiries = Inquiry.objects.all()
    provisional = inquiries.provisional()
    newest = provisional.order_by("-id").values_list("ai_error", flat=True).first()
    return Backlog(
        queued=inquiries.filter(ai_state=AnalysisState.QUEUED).capped_count(),
        running=inquiries.filter(ai_state=AnalysisState.RUNNING).capped_count(),
        failed=inquiries.unread().filter(ai_state=AnalysisState.FAILED).capped_count(),
        skipped=inquiries.unread().filter(ai_state=AnalysisState.SKIPPED).capped_count(),
        provisional=provisional.capped_count(),
        provisional_reason=str(AIReason(newest).label) if newest else "",
        oldest=_oldest_age(),
    )


def _oldest_age() -> timedelta | None:
    # The longest due come first; behind COUNT_CAP of them none is older.
    owed = (
        Analysis.objects.filter(due_at__isnull=False)
        .exclude(purpose__in=[Purpose.REDO, Purpose.COMPARE])
        .order_by("due_at")[:COUNT_CAP]
    )
    found = owed.aggregate(age=ExpressionWrapper(Now() - Min("created_at"), output_field=DurationField()))
    return cast("timedelta | None", found["age"])


def workers() -> list[Worker]:
    """Processes heard of within LISTED_FOR, the newest heartbeat first. A restart leaves a silent one behind."""
    rows = _heartbeats().filter(seen_at__gt=Now() - LISTED_FOR).order_by("-seen_at", "worker")[:MAX_WORKERS_SHOWN]
    return [Worker(row.worker, row.version, row.threads, row.age) for row in rows]


def has_live_worker() -> bool:
    """Tell whether any process has beaten within ALIVE_FOR."""
    return Heartbeat.objects.filter(seen_at__gt=Now() - ALIVE_FOR).exists()


def _heartbeats() -> QuerySet[Heartbeat, Any]:
    return Heartbeat.objects.annotate(age=ExpressionWrapper(Now() - F("seen_at"), output_field=DurationField()))


def last_failures() -> QuerySet[Analysis]:
    """The newest analyses without a result whose inquiry still waits without one; what was solved is not listed."""
    failed: QuerySet[Analysis] = Analysis.objects.filter(state=AnalysisState.FAILED).order_by("-finished_at")
    unsolved = Analysis.objects.filter(
        pk__in=failed.values("pk")[:MAX_ERRORS_READ],
        inquiry__ai_state=AnalysisState.FAILED,
        inquiry__status__in=WAITING,
    )
    return unsolved.select_related("inquiry").defer(*LONG_TEXTS).order_by("-finished_at")[:MAX_ERRORS_SHOWN]


def waiting_to_try_again() -> QuerySet[Analysis]:
    """Analyses whose last attempt failed and whose next one has its hour, the soonest first."""
    queued = Analysis.objects.readings().filter(state=AnalysisState.QUEUED, due_at__gt=Now())
    waiting: QuerySet[Analysis] = queued.exclude(error="")
    return waiting.select_related("inquiry").defer(*LONG_TEXTS).order_by("due_at")[:MAX_ERRORS_SHOWN]


def ai_notice() -> str:
    """Tell the people of the desk when another engine reads than the one that is set up, and why; "" otherwise.

    At most NOTICE_SECONDS old, because every page asks.
    """
    found: str | None = caches["local"].get(NOTICE_KEY)
    if found is None:
        found = _notice()
        caches["local"].set(NOTICE_KEY, found, NOTICE_SECONDS)
    return found


def _notice() -> str:
    if not engines.is_switched_on() or not engines.uses_openai():
        return ""
    if budget.is_exhausted():
        return "budget"
    return "paused" if breaker.is_paused() else ""


def engine_in_use() -> EngineInUse:
    """Tell which engine reads the next inquiry."""
    if not engines.is_switched_on():
        return EngineInUse("off", by_supervisor=SiteSettings.current().ai_mode == AIMode.OFF)
    if engines.uses_openai():
        return EngineInUse("openai", settings.OPENAI_MODEL, has_stand_in=engines.has_stand_in())
    return EngineInUse("embedded")


def service_state() -> ServiceState | None:
    """What the workers last saw of the AI service, while its circuit breaker has something to say; else None."""
    troubled = Q(open_until__isnull=False) | Q(failures__gt=0)
    return ServiceState.objects.filter(troubled, name=breaker.SERVICE).first() if engines.uses_openai() else None


def spent() -> budget.Spent | None:
    """What the AI service took today and this month; None where none is in use."""
    return budget.spent() if engines.uses_openai() else None
