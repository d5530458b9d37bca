"""One AI attempt: claim, ask, record; and what follows where there was no answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from django.db import DatabaseError, DataError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars

from inquiries import asking, breaker, budget, categories, jobs, learning
from inquiries.ai.engine import AIError, AnalysisResult, Engine, ErrorKind
from inquiries.asking import Asked
from inquiries.engines import EMBEDDED, OPENAI, Choice, choose, engine_called, has_stand_in, is_switched_on, uses_openai
from inquiries.models import Analysis, Category, Comparison, Inquiry, SiteSettings
from inquiries.models.inquiry import Touch
from inquiries.recording import Reading, book, book_unused, record, schedule_redo
from inquiries.states import SERVICE_FAILURES, AIReason, AnalysisState, Purpose, Status
from pok.compiled import Given
from pok.logging import get_logger
from pok.sqlite.base import hurry

log = get_logger(__name__)
TRIES_BEFORE_STAND_IN = 3
LONGEST_WAIT = 60.0  # seconds that an inquiry waits for a busy service while the embedded engine could read it
# Seconds until a job looks again whether the service is back. A redo has time: the service's return wakes it.
PAUSE = 30.0
REDO_PAUSE = 300.0


def run(analysis_id: int) -> None:
    """Do one attempt of the analysis; return at once where another worker has it, or while all are paused."""
    if SiteSettings.current().is_analysis_paused:
        return  # the row waits as it is; the sweepers ring again once a supervisor resumes
    hurry()  # what a power cut takes is read again
    with transaction.atomic():
        taken = jobs.claim(Analysis, analysis_id, "inquiry")
        if taken is None:
            return
        analysis = cast("Analysis", taken.row)
        if _shows(analysis):
            _mark_running()(pk=analysis.inquiry_id)
    if taken.is_poison:
        _fail(taken, analysis, AIReason.CRASHED, "")
    elif analysis.purpose == Purpose.REDO and _is_overtaken(analysis.inquiry):
        _skip(taken, analysis, AIReason.OVERTAKEN)
    elif not is_switched_on() and analysis.purpose == Purpose.REDO:
        _wait_for_service(taken, analysis)  # or the provisional reading would stay once the AI is back
    elif not is_switched_on():
        _skip(taken, analysis, AIReason.DISABLED)
    else:
        # Whatever is logged on the way, by an engine too, names the inquiry and the attempt.
        names = {"inquiry_id": analysis.inquiry_id, "analysis_id": analysis.pk, "attempt": taken.attempts}
        with jobs.held(taken), bound_contextvars(**names):
            _attempt(taken, analysis)


def _shows(analysis: Analysis) -> bool:
    """Tell whether the inquiry shows this job's state: a redo or a trial leaves the reading that stands alone."""
    return analysis.purpose not in {Purpose.REDO, Purpose.COMPARE}


def _is_overtaken(inquiry: Inquiry) -> bool:
    """Tell whether a person has worked on the inquiry, so that a second reading would only cost money."""
    # Labels from before a follow-up were not given to it.
    is_labelled = (inquiry.category_by_person or inquiry.sentiment_by_person) and inquiry.followed_up_at is None
    return is_labelled or inquiry.reply is not None or inquiry.status not in {Status.NEW, Status.OPEN}


def _attempt(taken: jobs.Claim, analysis: Analysis) -> None:
    if analysis.purpose == Purpose.COMPARE:
        _try_out(taken, analysis)
        return
    choice = choose()
    if choice is None or (analysis.purpose == Purpose.REDO and choice.engine == EMBEDDED and choice.why):
        _wait_for_service(taken, analysis)
        return
    try:
        reading = _read(analysis, choice)
    except AIError as error:
        _log_failure(analysis, taken, error)
        _note_service(choice, error)
        _after_failure(taken, analysis, error, choice.engine)
    else:
        if choice.engine == OPENAI:
            jobs.patiently(breaker.succeeded)
        _record_or_fail(taken, analysis, reading)


def _try_out(taken: jobs.Claim, analysis: Analysis) -> None:
    """Read for a comparison: nothing is stood in for, and a model that does not exist says nothing of the service."""
    refused = _refused_trial(analysis)
    if refused:
        _skip(taken, analysis, refused)
        return
    try:
        reading = _read(analysis, Choice(analysis.engine))
    except AIError as error:
        _log_failure(analysis, taken, error)
        _after_failure(taken, analysis, error, analysis.engine)
    else:
        _record_or_fail(taken, analysis, reading)


def _refused_trial(analysis: Analysis) -> AIReason | None:
    """Say why a trial must not go on: cancelled, nothing may leave the machine any more, or no money is left."""
    if Comparison.objects.filter(analyses=analysis, cancelled_at__isnull=False).exists():
        return AIReason.CANCELLED
    if analysis.engine != OPENAI:
        return None
    if not uses_openai():
        return AIReason.DISABLED
    return AIReason.BUDGET if budget.is_exhausted() else None


def _read(analysis: Analysis, choice: Choice, instead_of: AIError | None = None) -> Reading:
    """Ask the engine and check what it says. `instead_of` is the failure that the embedded engine stands in for."""
    is_trial = analysis.purpose == Purpose.COMPARE
    with _bugs_as_errors("preparing_bug"):
        prompt = analysis.prompt if is_trial else None
        asked = asking.prepare(analysis.inquiry, choice.engine, prompt, with_thread=not is_trial)
    engine = engine_called(choice.engine, analysis.model if is_trial else "")
    result, milliseconds = _ask(engine, asked)
    with _bugs_as_errors("checking_bug"):
        result, flags = asking.checked(asked, result)
    why = AIReason(instead_of.kind.value) if instead_of else choice.why
    return Reading(
        asked,
        result,
        flags,
        milliseconds,
        why=why,
        error=instead_of,
        is_provisional=instead_of is not None or choice.is_provisional,
        vector=learning.vector_of(analysis.inquiry.message) if choice.engine == EMBEDDED and not is_trial else None,
        is_strange=choice.engine == OPENAI and not is_trial and jobs.patiently(lambda: _is_strange(analysis, asked)),
    )


def _is_strange(analysis: Analysis, asked: Asked) -> bool:
    """Ask the encoder that is at hand for the solved cases; without those a worker need not load one."""
    if not SiteSettings.current().few_shot or not learning.wants_encoder():
        return False
    with _bugs_as_errors("scope_bug"):
        return learning.is_out_of_scope(analysis.inquiry.message, asked.request.categories)


def _ask(engine: Engine, asked: Asked) -> tuple[AnalysisResult, int]:
    """Call the engine outside any transaction and, on PostgreSQL, without holding a pooled connection."""
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()
    started = time.monotonic()
    try:
        with _bugs_as_errors("engine_bug", engine=engine.name):
            result = engine.analyse(asked.request)
    except AIError as error:
        if error.used:
            book(engine.name, error.used, _milliseconds_since(started))
        raise
    return result, _milliseconds_since(started)


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


@contextmanager
def _bugs_as_errors(event: str, **fields: str) -> Iterator[None]:
    """Turn what nobody foresaw into an error of this one inquiry, so that it does not look like a dead worker."""
    try:
        yield
    except (AIError, DatabaseError):
        raise
    except Exception as error:
        log.exception(event, **fields)
        raise AIError(ErrorKind.INTERNAL, type(error).__name__, permanent=False) from error


def _record_or_fail(taken: jobs.Claim, analysis: Analysis, reading: Reading) -> None:
    """Keep the answer, or it is paid for again: neither a short outage nor what the tables cannot hold loses it."""
    jobs.patiently(lambda: _record_once(taken, analysis, reading))


def _record_once(taken: jobs.Claim, analysis: Analysis, reading: Reading) -> None:
    named = Category.objects.live().filter(name=reading.result.category)
    category = named.values_list("pk", flat=True).first()
    if category is None:  # renamed or switched off while the engine was thinking
        categories.recent.forget()
        book_unused(reading)
        _put_back(taken, analysis, AIError(ErrorKind.UNKNOWN_CATEGORY, permanent=False), after=0.0)
        return
    try:
        record(taken, analysis, reading, category)
    except DataError:
        log.exception("answer_not_storable", inquiry_id=analysis.inquiry_id, analysis_id=analysis.pk)
        _fail(taken, analysis, AIReason.BAD_ANSWER, "DataError")
        book_unused(reading)


def _note_service(choice: Choice, error: AIError) -> None:
    """Tell the circuit breaker of failures that say something about the service, not about one message."""
    if choice.engine != OPENAI:
        return
    if AIReason(error.kind.value) in SERVICE_FAILURES:
        breaker.failed(
            error.kind.value,
            error.detail,
            is_permanent=error.permanent,
            retry_after=error.retry_after,
            is_probe=choice.is_probe,
        )
    else:
        breaker.succeeded()


def _after_failure(taken: jobs.Claim, analysis: Analysis, error: AIError, engine: str) -> None:
    reason = AIReason(error.kind.value)
    is_stand_in_due = engine == OPENAI and reason in SERVICE_FAILURES and has_stand_in() and _shows(analysis)
    tries = TRIES_BEFORE_STAND_IN if is_stand_in_due else jobs.MAX_ATTEMPTS
    is_patient = not is_stand_in_due or ((error.retry_after or 0.0) <= LONGEST_WAIT and not breaker.is_paused())
    if not error.permanent and taken.attempts < tries and is_patient:
        _put_back(taken, analysis, error)
    elif is_stand_in_due:
        _stand_in(taken, analysis, error)
    else:
        _fail(taken, analysis, reason, error.detail)


def _wait_for_service(taken: jobs.Claim, analysis: Analysis) -> None:
    """Leave a job for later while the service is paused or the budget is used up; that counts as no attempt."""
    with transaction.atomic():
        pause = REDO_PAUSE if analysis.purpose == Purpose.REDO else PAUSE
        if not jobs.put_back(taken, pause, error=AIReason.PAUSED, attempts=F("attempts") - 1):
            return
        if _still_shows(analysis):
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.QUEUED, ai_error=AIReason.PAUSED)


def _put_back(taken: jobs.Claim, analysis: Analysis, error: AIError, after: float | None = None) -> None:
    delay = jobs.backoff(taken.attempts, error.retry_after) if after is None else after
    with transaction.atomic():
        if not jobs.put_back(taken, delay, error=error.kind, error_detail=error.detail[:500]):
            return
        if _still_shows(analysis):
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.QUEUED, ai_error=error.kind)


def _stand_in(taken: jobs.Claim, analysis: Analysis, error: AIError) -> None:
    """Let the embedded engine answer while the service is down; the result is marked and redone later."""
    try:
        reading = _read(analysis, Choice(EMBEDDED), instead_of=error)
    except AIError as second:
        _log_failure(analysis, taken, second)
        _fail(taken, analysis, AIReason(error.kind.value), error.detail)
    else:
        _record_or_fail(taken, analysis, reading)


def _fail(taken: jobs.Claim, analysis: Analysis, reason: AIReason, detail: str) -> None:
    """Give up. A redo that fails leaves the provisional reading as it is."""
    with transaction.atomic():
        if not jobs.record(taken, AnalysisState.FAILED, error=reason, error_detail=detail[:500]):
            return
        if _still_shows(analysis):
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.FAILED, ai_error=reason)
        elif reason in SERVICE_FAILURES and analysis.purpose == Purpose.REDO:
            schedule_redo(analysis)
    names = {"inquiry_id": analysis.inquiry_id, "analysis_id": analysis.pk, "attempt": taken.attempts}
    log.warning("analysis_failed", reason=reason.value, **names)


def _skip(taken: jobs.Claim, analysis: Analysis, reason: AIReason) -> None:
    """Leave it: somebody switched the AI off while the job was waiting, or did its work."""
    with transaction.atomic():
        if jobs.record(taken, AnalysisState.SKIPPED, error=reason) and _still_shows(analysis):
            _copy_state(analysis.inquiry_id, ai_state=AnalysisState.SKIPPED, ai_error=reason)


def _still_shows(analysis: Analysis) -> bool:
    """Read anew: a person who asks for a retry meanwhile makes a redo theirs."""
    purpose = Analysis.objects.filter(pk=analysis.pk).values_list("purpose", flat=True).first()
    return purpose not in {None, Purpose.REDO, Purpose.COMPARE}


@cache
def _mark_running() -> Touch:
    rows = Inquiry.objects.filter(pk=Given("pk", Inquiry))
    return Touch(rows, ai_state=AnalysisState.RUNNING, ai_started_at=Now())


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
