"""How much waits for the machine, and what it could not do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, DurationField, ExpressionWrapper, Min, Q
from django.db.models.functions import Now
from huey.contrib.djhuey import HUEY
from redis.exceptions import RedisError

from inquiries.metrics.heartbeats import has_live_worker
from inquiries.models import Analysis, Inquiry, SiteSettings, User
from inquiries.models.inquiry import COUNT_CAP
from inquiries.services.machine import pause_note
from inquiries.states import AIReason, AnalysisState, Purpose

STUCK_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts of inquiries, each at most COUNT_CAP + 1, and the age of the oldest one that the AI still owes.

    `skipped` are those that wait for a person unread because the AI was off. `stuck` counts analyses: see `_stuck`.
    """

    queued: int
    running: int
    stuck: int
    failed: int
    skipped: int
    provisional: int
    provisional_reason: str
    oldest: timedelta | None


@dataclass(frozen=True, slots=True)
class Queue:
    """Whether workers can be rung for, and how many bells wait to be heard.

    `depth` is None where the queue is away, and without Redis: each worker then keeps its bells to itself.
    """

    is_up: bool
    depth: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused the analysis and when, as far as the history of the settings tells."""

    by: User | None = None
    since: datetime | None = None


def backlog() -> Backlog:
    """Count what the machine has to do and what it could not do."""
    inquiries = Inquiry.objects.all()
    provisional = inquiries.provisional()
    newest = provisional.order_by("-id").values_list("ai_error", flat=True).first()
    return Backlog(
        queued=inquiries.filter(ai_state=AnalysisState.QUEUED).capped_count(),
        running=inquiries.filter(ai_state=AnalysisState.RUNNING).capped_count(),
        stuck=_stuck(),
        failed=inquiries.unread().filter(ai_state=AnalysisState.FAILED).capped_count(),
        skipped=inquiries.unread().filter(ai_state=AnalysisState.SKIPPED).capped_count(),
        provisional=provisional.capped_count(),
        provisional_reason=str(AIReason(newest).label) if newest else "",
        oldest=_oldest_age(),
    )


def _stuck() -> int:
    """Count the analyses that a worker should have taken up long ago, which never lasts where all is well.

    Running ones whose lease ended over STUCK_AFTER ago: their worker died and no other one took them. Queued ones that
    are due for longer, where a worker is alive but nothing was finished meanwhile: while the others move, they only
    wait for their turn. Nothing is stuck while a supervisor has paused the analysis.
    """
    if SiteSettings.current().is_analysis_paused:
        return 0
    late = Analysis.objects.filter(due_at__lt=Now() - STUCK_AFTER).order_by("due_at").values("state")[: COUNT_CAP + 1]
    counts: dict[str, int] = late.aggregate(
        running=Count("state", filter=Q(state=AnalysisState.RUNNING)),
        queued=Count("state", filter=Q(state=AnalysisState.QUEUED)),
    )
    is_standing_still = counts["queued"] and not _is_moving() and has_live_worker()
    return counts["running"] + (counts["queued"] if is_standing_still else 0)


def _is_moving() -> bool:
    """Tell whether an analysis was finished within STUCK_AFTER, one way or the other."""
    ended = Analysis.objects.filter(finished_at__gt=Now() - STUCK_AFTER)
    return any(ended.filter(state=state).exists() for state in (AnalysisState.DONE, AnalysisState.FAILED))


def _oldest_age() -> timedelta | None:
    # The longest due come first; behind COUNT_CAP of them none is older.
    owed = (
        Analysis.objects.filter(due_at__isnull=False)
        .exclude(purpose__in=[Purpose.REDO, Purpose.COMPARE])
        .order_by("due_at")[:COUNT_CAP]
    )
    found = owed.aggregate(age=ExpressionWrapper(Now() - Min("created_at"), output_field=DurationField()))
    return cast("timedelta | None", found["age"])


def queue() -> Queue:
    """Ask the queue itself, in a fraction of a second even where it cannot be reached."""
    try:
        if settings.REDIS_URL:
            return Queue(is_up=True, depth=int(HUEY.pending_count()))
        HUEY.storage.ping()
    except (RedisError, OSError):
        return Queue(is_up=False)
    return Queue(is_up=True)


def pause() -> Pause | None:
    """Tell who paused the analysis; None while it goes on."""
    if not SiteSettings.current().is_analysis_paused:
        return None
    notes = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(SiteSettings), change_message=pause_note()
    )
    newest = notes.select_related("user").order_by("-id").first()
    return Pause(newest.user, newest.action_time) if newest else Pause()
