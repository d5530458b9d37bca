"""One AI attempt: claim, ask, record. The person's value always wins over what comes back."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, DataError, connection, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars

from inquiries import jobs
from inquiries.ai.engine import (
    AIError,
    AnalysisRequest,
    AnalysisResult,
    CategorySpec,
    CompanyProfile,
    Engine,
    ErrorKind,
)
from inquiries.models import Analysis, Category, Inquiry, SiteSettings
from inquiries.states import SERVICE_FAILURES, WAITING, AIReason, AnalysisState, Purpose
from pok.logging import get_logger

if TYPE_CHECKING:
    from inquiries.ai.embedded import EmbeddedEngine

log = get_logger(__name__)
FIRST_REDO = timedelta(minutes=10)
MAX_REDOS = 6
TRIES_BEFORE_STAND_IN = 3
LONGEST_WAIT = 60.0  # seconds that an inquiry waits for a busy service while the embedded engine could read it
LONGEST_RAW = 100_000
LARGEST_INTEGER = 2**31 - 1


@lru_cache(maxsize=1)
def openai_engine() -> Engine:
    """The engine of OpenAI and of every compatible server; one client for the whole process."""
    from inquiries.ai.openai import OpenAIEngine

    return OpenAIEngine(
        api_key=settings.OPENAI_API_KEY,
        base_url=settings.OPENAI_BASE_URL or None,
        model=settings.OPENAI_MODEL,
        deadline=float(settings.AI_DEADLINE),
        token_limit=settings.OPENAI_TOKEN_LIMIT,
        token_limit_param=settings.OPENAI_TOKEN_LIMIT_PARAM,
        reasoning_effort=settings.OPENAI_REASONING_EFFORT,
    )


@lru_cache(maxsize=1)
def embedded_engine() -> EmbeddedEngine:
    """The offline engine; it loads its encoder at the first inquiry, and only workers call it."""
    from inquiries.ai.embedded import EmbeddedEngine

    return EmbeddedEngine()


def warm_up() -> None:
    """Load the offline engine where it reads first, so that the first customer does not wait for it."""
    try:
        if is_switched_on() and not uses_openai():
            embedded_engine().warm_up(live_categories())
    except (AIError, DatabaseError) as error:
        log.warning("warm_up_failed", error=type(error).__name__)
    finally:
        connection.close()


def uses_openai() -> bool:
    """Tell whether OpenAI (or a compatible server) reads the inquiries first."""
    has_server = bool(settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL)
    return settings.AI_ENGINE == "openai" or (settings.AI_ENGINE == "auto" and has_server)


def is_switched_on() -> bool:
    """Tell whether anything may be analysed at all."""
    return settings.AI_ENGINE != "off" and SiteSettings.current().ai_enabled


def has_stand_in() -> bool:
    """Tell whether the embedded engine may answer while OpenAI cannot."""
    return settings.AI_ENGINE == "auto" and uses_openai()


def first_engine() -> Engine:
    """The engine that reads an inquiry first."""
    return openai_engine() if uses_openai() else embedded_engine()


def run(analysis_id: int) -> None:
    """Do one attempt of the analysis; return at once where another worker has it."""
    with transaction.atomic():
        taken = jobs.claim(Analysis, analysis_id)
        if taken is None:
            return
        analysis = Analysis.objects.select_related("inquiry").get(pk=analysis_id)
        if analysis.purpose != Purpose.REDO:
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.RUNNING, ai_started_at=Now())
    if taken.is_poison:
        _fail(taken, analysis, AIReason.CRASHED, "")
    elif not is_switched_on():
        _skip(taken, analysis)
    else:
        # Whatever is logged on the way, by an engine too, names the inquiry.
        with jobs.held(taken), bound_contextvars(inquiry_id=analysis.inquiry_id, analysis_id=analysis.pk):
            _attempt(taken, analysis)


def _attempt(taken: jobs.Claim, analysis: Analysis) -> None:
    request = build_request(analysis.inquiry)
    try:
        result, milliseconds = _ask(first_engine(), request)
    except AIError as error:
        _log_failure(analysis, taken, error)
        _after_failure(taken, analysis, request, error)
    else:
        _record_or_fail(taken, analysis, request, result, milliseconds)


def _record_or_fail(
    taken: jobs.Claim, analysis: Analysis, request: AnalysisRequest, result: AnalysisResult, milliseconds: int
) -> None:
    """An answer that the tables cannot hold must not look like a worker that died, or it is paid for again."""
    try:
        _record(taken, analysis, request, result, milliseconds)
    except DataError:
        log.exception("answer_not_storable", inquiry_id=analysis.inquiry_id, analysis_id=analysis.pk)
        _fail(taken, analysis, AIReason.BAD_ANSWER, "DataError")


def _ask(engine: Engine, request: AnalysisRequest) -> tuple[AnalysisResult, int]:
    """Call the engine outside any transaction and, on PostgreSQL, without holding a pooled connection."""
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()
    started = time.monotonic()
    try:
        result = engine.analyse(request)
    except AIError:
        raise
    except Exception as error:
        log.exception("engine_bug", engine=engine.name)
        raise AIError(ErrorKind.INTERNAL, type(error).__name__, permanent=False) from error
    return result, round((time.monotonic() - started) * 1000)


def build_request(inquiry: Inquiry) -> AnalysisRequest:
    """What an engine is told about an inquiry."""
    site = SiteSettings.current()
    return AnalysisRequest(
        text=inquiry.message,
        customer_name=inquiry.customer_name,
        categories=live_categories(),
        company=CompanyProfile(
            name=site.company_name, facts=site.company_facts, tone=site.tone, signature=site.reply_signature
        ),
    )


def live_categories() -> tuple[CategorySpec, ...]:
    """The closed list that an answer must come from."""
    return tuple(
        CategorySpec(row.name, row.description, row.example_lines(), row.keyword_lines())
        for row in Category.objects.live()
    )


def _record(
    taken: jobs.Claim,
    analysis: Analysis,
    request: AnalysisRequest,
    result: AnalysisResult,
    milliseconds: int,
    *,
    stands_in_for: AIError | None = None,
) -> None:
    category = Category.objects.live().filter(name=result.category).first()
    if category is None:  # renamed or switched off while the engine was thinking
        _put_back(taken, analysis, AIError(ErrorKind.UNKNOWN_CATEGORY, permanent=False), after=0.0)
        return
    with transaction.atomic():
        if not jobs.record(
            taken, AnalysisState.DONE, **_columns(request, result, milliseconds, category, stands_in_for)
        ):
            log.warning("late_result_dropped", inquiry_id=analysis.inquiry_id, analysis_id=analysis.pk)
            return
        _apply(analysis.inquiry_id, category, result, stands_in_for)
        if stands_in_for is not None:
            _schedule_redo(analysis, stands_in_for.retry_after)
    log.info(
        "analysed",
        inquiry_id=analysis.inquiry_id,
        analysis_id=analysis.pk,
        attempt=taken.attempts,
        engine=result.engine,
        milliseconds=milliseconds,
        provisional=stands_in_for is not None,
    )


def _columns(
    request: AnalysisRequest,
    result: AnalysisResult,
    milliseconds: int,
    category: Category,
    stands_in_for: AIError | None,
) -> dict[str, Any]:
    cost = SiteSettings.current().cost(result.model, result.tokens_in, result.tokens_out)
    return {
        "engine": result.engine,
        "model": _storable(result.model, 80),
        "prompt_version": result.prompt_version,
        "sent_text": request.text,
        "raw_answer": _storable(result.raw, LONGEST_RAW),
        "category": result.category,
        "category_row": category,
        "sentiment": result.sentiment,
        "language": result.language,
        "reply": _storable(result.reply, LONGEST_RAW),
        "reason": _storable(result.reason, LONGEST_RAW),
        "confidence": result.confidence,
        "tokens_in": min(result.tokens_in, LARGEST_INTEGER),
        "tokens_out": min(result.tokens_out, LARGEST_INTEGER),
        "cost": None if cost is None else Decimal(str(round(cost, 6))),
        "duration_ms": milliseconds,
        "is_provisional": stands_in_for is not None,
        "error": stands_in_for.kind if stands_in_for else "",
        "error_detail": stands_in_for.detail[:500] if stands_in_for else "",
    }


def _storable(text: str, limit: int) -> str:
    """PostgreSQL takes no NUL, and a vendor's model name may be as long as it likes."""
    return text.replace("\x00", "")[:limit]


def _apply(inquiry_id: int, category: Category, result: AnalysisResult, stands_in_for: AIError | None) -> None:
    """Copy the result to the inquiry, but leave what a person has set."""
    in_doubt = result.confidence < SiteSettings.current().review_threshold
    Inquiry.objects.filter(pk=inquiry_id).touch(
        category=Case(When(category_by_person=True, then=F("category")), default=Value(category.pk)),
        sentiment=Case(When(sentiment_by_person=True, then=F("sentiment")), default=Value(result.sentiment)),
        needs_review=Case(When(category_by_person=True, then=Value(False)), default=Value(in_doubt)),
        suggested_reply=_storable(result.reply, LONGEST_RAW),
        language=result.language,
        engine=result.engine,
        model=_storable(result.model, 80),
        confidence=result.confidence,
        is_provisional=stands_in_for is not None,
        ai_state=AnalysisState.DONE,
        ai_error=stands_in_for.kind if stands_in_for else "",
        analysed_at=Now(),
    )


def _after_failure(taken: jobs.Claim, analysis: Analysis, request: AnalysisRequest, error: AIError) -> None:
    reason = AIReason(error.kind.value)
    stand_in = reason in SERVICE_FAILURES and has_stand_in() and not _is_redo(analysis)
    tries = TRIES_BEFORE_STAND_IN if stand_in else jobs.MAX_ATTEMPTS
    is_patient = not stand_in or (error.retry_after or 0.0) <= LONGEST_WAIT
    if not error.permanent and taken.attempts < tries and is_patient:
        _put_back(taken, analysis, error)
    elif stand_in:
        _stand_in(taken, analysis, request, error)
    else:
        _fail(taken, analysis, reason, error.detail)


def _put_back(taken: jobs.Claim, analysis: Analysis, error: AIError, after: float | None = None) -> None:
    delay = jobs.backoff(taken.attempts, error.retry_after) if after is None else after
    with transaction.atomic():
        if not jobs.put_back(taken, delay, error=error.kind, error_detail=error.detail[:500]):
            return
        if not _is_redo(analysis):
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.QUEUED, ai_error=error.kind)


def _stand_in(taken: jobs.Claim, analysis: Analysis, request: AnalysisRequest, error: AIError) -> None:
    """Let the embedded engine answer while the service is down; the result is marked and redone later."""
    try:
        result, milliseconds = _ask(embedded_engine(), request)
    except AIError as second:
        _log_failure(analysis, taken, second)
        _fail(taken, analysis, AIReason(error.kind.value), error.detail)
    else:
        _record(taken, analysis, request, result, milliseconds, stands_in_for=error)


def _schedule_redo(analysis: Analysis, wish: float | None = None) -> None:
    """Ask again later, twice as late each time and never before the service wishes (seconds).

    After MAX_REDOS the provisional reading stays.
    """
    redos = Analysis.objects.filter(inquiry=analysis.inquiry_id, purpose=Purpose.REDO).count()
    still_useful = Inquiry.objects.filter(pk=analysis.inquiry_id, status__in=WAITING).exists()
    if redos < MAX_REDOS and still_useful:
        wait = max(FIRST_REDO * 2**redos, timedelta(seconds=wish or 0.0))
        Analysis.objects.create(inquiry_id=analysis.inquiry_id, purpose=Purpose.REDO, due_at=Now() + wait)


def _fail(taken: jobs.Claim, analysis: Analysis, reason: AIReason, detail: str) -> None:
    """Give up. A redo that fails leaves the provisional reading as it is."""
    with transaction.atomic():
        if not jobs.record(taken, AnalysisState.FAILED, error=reason, error_detail=detail[:500]):
            return
        if not _is_redo(analysis):
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.FAILED, ai_error=reason)
        elif reason in SERVICE_FAILURES:
            _schedule_redo(analysis)


def _skip(taken: jobs.Claim, analysis: Analysis) -> None:
    """Somebody switched the AI off while the job was waiting."""
    with transaction.atomic():
        if jobs.record(taken, AnalysisState.SKIPPED, error=AIReason.DISABLED) and not _is_redo(analysis):
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.SKIPPED, ai_error=AIReason.DISABLED)


def _is_redo(analysis: Analysis) -> bool:
    """Read anew: a person who asks for a retry meanwhile makes a redo theirs."""
    return Analysis.objects.filter(pk=analysis.pk, purpose=Purpose.REDO).exists()


def _copy_state(inquiry_id: int, **fields: Any) -> None:
    Inquiry.objects.filter(pk=inquiry_id).touch(**fields)


def _log_failure(analysis: Analysis, taken: jobs.Claim, error: AIError) -> None:
    log.warning(
        "analysis_attempt_failed",
        inquiry_id=analysis.inquiry_id,
        analysis_id=analysis.pk,
        attempt=taken.attempts,
        kind=error.kind.value,
        permanent=error.permanent,
    )
