"""Write an engine's answer down. The person's value always wins over what comes back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.cache import caches
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from inquiries import budget, calibration, jobs
from inquiries.ai.engine import AIError, AnalysisResult, Used
from inquiries.asking import Asked
from inquiries.models import Analysis, Inquiry, InquiryVector, SentPrompt, SiteSettings
from inquiries.models.inquiry import Touch
from inquiries.similar import ENCODER
from inquiries.states import WAITING, AIFlag, AIReason, AnalysisState, Purpose
from pok.compiled import Given
from pok.logging import get_logger

log = get_logger(__name__)
FIRST_REDO = timedelta(minutes=10)
MAX_REDOS = 6
LONGEST_RAW = 100_000
SENT_PROMPT_SECONDS = 300
# What the inquiry takes over from its newest reading as it is.
COPIED = ("suggested_reply", "language", "engine", "model", "confidence", "flags", "is_provisional", "ai_error")
LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Reading:
    """A checked answer on its way into the tables; `why` tells why the AI service was not the one that read."""

    asked: Asked
    result: AnalysisResult
    flags: list[str]
    milliseconds: int
    why: AIReason | None = None
    error: AIError | None = None
    is_provisional: bool = False
    vector: bytes | None = None
    is_strange: bool = False  # like nothing that the desk was taught, whatever the engine claims


def record(taken: jobs.Claim, analysis: Analysis, reading: Reading, category: int) -> None:
    """Finish the job and copy its reading to the inquiry; a claim that was lost meanwhile writes nothing.

    `category` is the number of the live category that the answer names.
    """
    with transaction.atomic():
        confidence = calibration.believed(
            reading.result.engine, storable(reading.result.model, 80), reading.result.confidence
        )
        columns = _columns(reading, category, confidence)
        is_mine = jobs.record(taken, AnalysisState.DONE, **columns)
        book(reading.result.engine, _used(reading.result), reading.milliseconds)
        if not is_mine:
            log.warning("late_result_dropped", inquiry_id=analysis.inquiry_id, analysis_id=analysis.pk)
            return
        if analysis.purpose != Purpose.COMPARE:
            _apply(analysis.inquiry_id, category, reading, confidence)
        if reading.is_provisional:
            schedule_redo(analysis, reading.error.retry_after if reading.error else None)
    log.info(
        "analysed",
        inquiry_id=analysis.inquiry_id,
        analysis_id=analysis.pk,
        attempt=taken.attempts,
        engine=reading.result.engine,
        milliseconds=reading.milliseconds,
        provisional=reading.is_provisional,
    )


def _columns(reading: Reading, category: int, confidence: float) -> dict[str, Any]:
    result, asked = reading.result, reading.asked
    return {
        "engine": result.engine,
        "model": storable(result.model, 80),
        "prompt_version": result.prompt_version[:40],
        "prompt_id": asked.prompt.pk,
        "sent_system_id": _sent_prompt(result.system),
        "sent_text": storable(result.sent, LONGEST_RAW),
        "masked": asked.hidden,
        "shown_examples": len(asked.request.examples),
        "raw_answer": storable(result.raw, LONGEST_RAW),
        "category": result.category,
        "category_row_id": category,
        "sentiment": result.sentiment,
        "language": result.language,
        "reply": storable(result.reply, LONGEST_RAW),
        "reason": storable(result.reason, LONGEST_RAW),
        "claimed_confidence": result.confidence,
        "confidence": confidence,
        "abstained": result.abstains,
        "flags": reading.flags,
        "tokens_in": min(result.tokens_in, LARGEST_INTEGER),
        "tokens_out": min(result.tokens_out, LARGEST_INTEGER),
        "cost": _cost(_used(result)),
        "duration_ms": reading.milliseconds,
        "is_provisional": reading.is_provisional,
        "error": reading.why or "",
        "error_detail": reading.error.detail[:500] if reading.error else "",
    }


def _sent_prompt(text: str) -> int | None:
    """Return the number of a system prompt's row, which nobody deletes; the same words are kept once."""
    if not text:
        return None
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    key = f"sent-prompt:{digest}"
    known: int | None = caches["local"].get(key)
    if known is None:
        row, is_new = SentPrompt.objects.get_or_create(digest=digest, defaults={"text": storable(text, LONGEST_RAW)})
        known = row.pk
        if not is_new:  # a new one may yet be rolled back
            caches["local"].set(key, known, SENT_PROMPT_SECONDS)
    return known


def book(engine: str, used: Used, milliseconds: int) -> None:
    """Book a call on its day. What came too late, or is of no use, has to be paid for all the same."""
    budget.book(
        engine=engine,
        model=storable(used.model, 80),
        tokens_in=min(used.tokens_in, LARGEST_INTEGER),
        tokens_out=min(used.tokens_out, LARGEST_INTEGER),
        cost=_cost(used),
        milliseconds=milliseconds,
    )


def book_unused(reading: Reading) -> None:
    """Book a reading that cannot be recorded."""
    book(reading.result.engine, _used(reading.result), reading.milliseconds)


def _used(result: AnalysisResult) -> Used:
    return Used(result.model, result.tokens_in, result.tokens_out)


def _cost(used: Used) -> Decimal | None:
    cost = SiteSettings.current().cost(used.model, used.tokens_in, used.tokens_out)
    return None if cost is None else Decimal(str(round(cost, 6)))


def storable(text: str, limit: int) -> str:
    """PostgreSQL takes no NUL, and a vendor's model name may be as long as it likes."""
    return text.replace("\x00", "")[:limit]


def _apply(inquiry_id: int, category: int, reading: Reading, confidence: float) -> None:
    """Copy the result to the inquiry, but leave what a person has set. Who abstains names no category."""
    result = reading.result
    is_strange = result.abstains or reading.is_strange or AIFlag.SUSPICIOUS in reading.flags
    # Of a conversation the first reading's category stays where the whole of it says nothing new.
    keeps_category = bool(reading.asked.request.thread) and result.abstains
    _copying(keeps_category=keeps_category)(
        pk=inquiry_id,
        category=None if result.abstains else category,
        sentiment=result.sentiment,
        needs_review=is_strange or confidence < SiteSettings.current().review_threshold,
        suggested_reply=storable(result.reply, LONGEST_RAW),
        language=result.language,
        engine=result.engine,
        model=storable(result.model, 80),
        confidence=confidence,
        flags=reading.flags,
        is_provisional=reading.is_provisional,
        ai_error=reading.why or "",
    )
    if reading.vector is not None:
        InquiryVector.objects.update_or_create(
            inquiry_id=inquiry_id, defaults={"encoder": ENCODER, "vector": reading.vector}
        )


@cache
def _copying(*, keeps_category: bool) -> Touch:
    category = F("category") if keeps_category else Given("category", Inquiry)
    return Touch(
        Inquiry.objects.filter(pk=Given("pk", Inquiry)),
        category=Case(When(category_by_person=True, then=F("category")), default=category),
        sentiment=Case(When(sentiment_by_person=True, then=F("sentiment")), default=Given("sentiment", Inquiry)),
        needs_review=Case(
            When(category_by_person=True, then=Value(False)),
            # A category that stays was doubted, or not, when it was found.
            *([When(category__isnull=False, then=F("needs_review"))] if keeps_category else []),
            default=Given("needs_review", Inquiry),
        ),
        ai_state=AnalysisState.DONE,
        analysed_at=Now(),
        **{name: Given(name, Inquiry) for name in COPIED},
    )


def schedule_redo(analysis: Analysis, wish: float | None = None) -> None:
    """Ask again later, twice as late each time and never before the service wishes (seconds).

    After MAX_REDOS the provisional reading stays. A service that comes back earlier brings the hour forward.
    """
    redos = Analysis.objects.filter(inquiry=analysis.inquiry_id, purpose=Purpose.REDO).count()
    still_useful = Inquiry.objects.filter(pk=analysis.inquiry_id, status__in=WAITING).exists()
    if redos < MAX_REDOS and still_useful:
        wait = max(FIRST_REDO * 2**redos, timedelta(seconds=wish or 0.0))
        Analysis.objects.create(inquiry_id=analysis.inquiry_id, purpose=Purpose.REDO, due_at=Now() + wait)
