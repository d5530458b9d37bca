"""What went wrong with single analyses."""

from __future__ import annotations

from django.db.models import QuerySet
from django.db.models.functions import Now

from inquiries.models import Analysis
from inquiries.states import WAITING, AnalysisState

LONG_TEXTS = ("sent_text", "raw_answer", "reply", "reason")
MAX_ERRORS_SHOWN = 20
MAX_ERRORS_READ = 1_000


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
    soonest = Analysis.objects.filter(state=AnalysisState.QUEUED, due_at__gt=Now()).order_by("due_at")
    read = Analysis.objects.readings().filter(pk__in=soonest.values("pk")[:MAX_ERRORS_READ])
    waiting: QuerySet[Analysis] = read.exclude(error="")
    return waiting.select_related("inquiry").defer(*LONG_TEXTS).order_by("due_at")[:MAX_ERRORS_SHOWN]
