"""Measure an engine on messages whose category or sentiment is known: the work behind `manage.py evaluate`."""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
from django.conf import settings
from django.db import DatabaseError
from django.utils.translation import gettext as _

from inquiries import asking, budget, calibration, engines, learning, training
from inquiries.ai import measures
from inquiries.ai.engine import (
    SENTIMENTS,
    AIError,
    AnalysisRequest,
    AnalysisResult,
    CategorySpec,
    CompanyProfile,
    Engine,
    ErrorKind,
)
from inquiries.ai.masking import mask
from inquiries.ai.schemas import match_name
from inquiries.ai.seeds import default_categories
from inquiries.categories import live_categories
from inquiries.models import PromptVersion, SiteSettings
from pok.logging import get_logger

log = get_logger(__name__)
Label = Literal["category", "sentiment"]
ENGINES = ("embedded", "openai")
# So many calls for each thread are handed out ahead: one slow answer then holds no other thread up.
CALLS_AHEAD = 8


class EvaluationError(Exception):
    """Nothing can be measured; the text says why to the person who asked."""


class BadLineError(ValueError):
    """A line that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One message with what people say about it; "" where the file says nothing."""

    text: str
    category: str = ""
    sentiment: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line of the file, counted from 1, that could not be used."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Desk:
    """What an engine is told besides the message, read once before the first call."""

    categories: tuple[CategorySpec, ...]
    company: CompanyProfile
    site: SiteSettings
    has_own_categories: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back for a message: a result, or the kind of error; wall time of the call in milliseconds."""

    sample: Sample
    result: AnalysisResult | None
    error: str
    milliseconds: float

    def predicted(self, label: Label) -> str:
        """The engine's word, its best one even where it abstains; NO_ANSWER after an error."""
        return getattr(self.result, label) if self.result else measures.NO_ANSWER


@dataclass(slots=True)
class Evaluation:
    """All that was seen, in the order of the file."""

    engine: str
    desk: Desk
    skipped: list[Skipped]
    outcomes: list[Outcome] = field(default_factory=list)
    cpu_seconds: float = 0.0


def current_desk() -> Desk:
    """Return the desk as the database has it, or a new desk's defaults where it has no category or no table."""
    defaults = tuple(entry.spec for entry in default_categories())
    try:
        own, site = live_categories(), SiteSettings.current()
        company = asking.profile_of(PromptVersion.current())
    except DatabaseError:
        return Desk(defaults, CompanyProfile(), SiteSettings(), has_own_categories=False)
    return Desk(own or defaults, company, site, has_own_categories=bool(own))


def build_request(text: str, desk: Desk, engine: str) -> AnalysisRequest:
    """What an engine is told about one message of the file; personal data are hidden from a service outside."""
    if engine == engines.OPENAI and desk.site.masking:
        text = mask(text).text
    return AnalysisRequest(text=text, customer_name="", categories=desk.categories, company=desk.company)


def make_engine(name: str, desk: Desk) -> Engine:
    """Return the engine, ready to answer; raise EvaluationError where it cannot be."""
    if name == "openai":
        if not (settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL):
            raise EvaluationError(_("Set OPENAI_API_KEY or OPENAI_BASE_URL to evaluate this engine."))
        return engines.openai_engine()
    engine = engines.embedded_engine()
    try:
        if desk.has_own_categories:
            training.load_newest()
        # Loading and training are no part of the time of a message.
        if not engine.is_taught(desk.categories):
            # No worker has trained yet: measured is what customers get, not what stands in for a minute.
            engine.load(engine.train(desk.categories, learning.labels() if desk.has_own_categories else ()))
        engine.warm_up(desk.categories)
    except AIError as error:
        raise EvaluationError(_("The embedded engine cannot start: %(error)s.") % {"error": error}) from error
    return engine


def read_samples(path: Path, desk: Desk, limit: int | None = None) -> tuple[list[Sample], list[Skipped]]:
    """Return the first `limit` usable messages of a JSON Lines file, and the lines on the way that are not.

    Blank lines count but say nothing. Raises EvaluationError for a file that cannot be read or has no message.
    """
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    names = [category.name for category in desk.categories]
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if len(samples) == limit:
                    break
                try:
                    samples.extend(_samples_in(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line, names))
                except BadLineError as error:
                    skipped.append(Skipped(number, str(error)))
    except OSError as error:
        raise EvaluationError(
            _("%(path)s cannot be read: %(error)s.") % {"path": path, "error": error.strerror}
        ) from error
    if not samples and not skipped:
        raise EvaluationError(_("%(path)s is empty.") % {"path": path})
    return samples, skipped


def _samples_in(line: bytes, categories: Sequence[str]) -> list[Sample]:
    """Return the line's message, none for a blank line; raise BadLineError."""
    if not line.strip():
        return []
    entry = _object_in(line)
    text = entry.get("text")
    if text is None:
        raise BadLineError(_("there is no “text”"))
    if not isinstance(text, str):
        raise BadLineError(_("“text” is not a string"))
    if not text.strip():
        raise BadLineError(_("“text” is empty"))
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadLineError(_("“text” holds half a character (a lone surrogate)"))
    category, sentiment = _label(entry, "category", categories), _label(entry, "sentiment", SENTIMENTS)
    return [Sample(text, category, sentiment)]


def _object_in(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadLineError(_("it is not UTF-8")) from None
    except (ValueError, RecursionError):
        raise BadLineError(_("it is not JSON")) from None
    if not isinstance(entry, dict):
        raise BadLineError(_("it is not a JSON object"))
    return entry


def _label(entry: dict[str, Any], key: Label, names: Sequence[str]) -> str:
    """Return the known name that the line means, "" where it says nothing; raise BadLineError."""
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadLineError(_("“%(key)s” is not a string") % {"key": key})
    name = match_name(value, names)
    if name is None:
        known = ", ".join(names)
        # What stands in the file is shown as ASCII would: it may hold anything that a terminal obeys.
        shown = json.dumps(value[:80], ensure_ascii=not value.isprintable())
        raise BadLineError(
            _("%(key)s %(value)s is unknown; known: %(known)s") % {"key": key, "value": shown, "known": known}
        )
    return name


def ask_all(engine: Engine, samples: Sequence[Sample], desk: Desk, concurrency: int) -> Iterator[Outcome]:
    """Ask about every message, `concurrency` at a time, and yield the outcomes in the order of the messages."""
    pool = ThreadPoolExecutor(concurrency)
    pending: deque[Future[Outcome]] = deque()
    try:
        for sample in samples:
            # Built in this thread, which alone holds a database connection.
            pending.append(pool.submit(_ask, engine, sample, build_request(sample.text, desk, engine.name)))
            if len(pending) >= CALLS_AHEAD * concurrency:
                yield _believed(pending.popleft().result(), desk)
        while pending:
            yield _believed(pending.popleft().result(), desk)
    finally:
        pool.shutdown(cancel_futures=True)


def _believed(outcome: Outcome, desk: Desk) -> Outcome:
    """Calibrate the claim as the pages do, so that the figures are about the confidence that people see."""
    if outcome.result is None or not desk.has_own_categories:
        return outcome
    result = outcome.result
    if result.engine == engines.OPENAI:
        _book(result, desk, outcome.milliseconds)
    confidence = calibration.believed(result.engine, result.model.replace("\x00", "")[:80], result.confidence)
    return replace(outcome, result=replace(result, confidence=confidence))


def _book(result: AnalysisResult, desk: Desk, milliseconds: float) -> None:
    """Count what a measurement took like any other reading: the limits of the desk must see it."""
    cost = desk.site.cost(result.model, result.tokens_in, result.tokens_out)
    budget.book(
        engine=result.engine,
        model=result.model.replace("\x00", "")[:80],
        tokens_in=result.tokens_in,
        tokens_out=result.tokens_out,
        cost=None if cost is None else Decimal(str(round(cost, 6))),
        milliseconds=round(milliseconds),
    )


def _ask(engine: Engine, sample: Sample, request: AnalysisRequest) -> Outcome:
    result, error = None, ""
    started = time.perf_counter()
    try:
        result = engine.analyse(request)
    except AIError as failure:
        error = failure.kind.value
    except Exception:
        # An engine's bug must not throw away the answers that were paid for.
        log.exception("engine_bug", engine=engine.name)
        error = ErrorKind.INTERNAL.value
    return Outcome(sample, result, error, (time.perf_counter() - started) * 1000)


def report(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures as `--json` writes them.

    "category", "sentiment" and "calibration" are absent where no message allows them. Shares and scores lie in
    0..1; "abstained" and "needs_review" count messages; "cost" is None where a model has no price.
    """
    outcomes = evaluation.outcomes
    answers = [outcome.result for outcome in outcomes if outcome.result]
    in_doubt = [answer.abstains or answer.confidence < evaluation.desk.site.review_threshold for answer in answers]
    figures = {
        "engine": evaluation.engine,
        "model": ", ".join(sorted({answer.model for answer in answers})),
        "messages": len(outcomes),
        "errors": dict(Counter(outcome.error for outcome in outcomes if outcome.error).most_common()),
        "skipped": [asdict(entry) for entry in evaluation.skipped],
        "category": _scores(outcomes, "category"),
        "sentiment": _scores(outcomes, "sentiment"),
        "calibration": _calibration(outcomes),
        "abstained": sum(answer.abstains for answer in answers),
        "needs_review": sum(in_doubt),
        "milliseconds": _milliseconds(evaluation),
        "tokens": {"in": sum(a.tokens_in for a in answers), "out": sum(a.tokens_out for a in answers)},
    }
    present = {key: value for key, value in figures.items() if value is not None}
    return present | {"cost": _cost(answers, evaluation.desk.site)}


def _scores(outcomes: Sequence[Outcome], label: Label) -> dict[str, Any] | None:
    labelled = [outcome for outcome in outcomes if getattr(outcome.sample, label)]
    if not labelled:
        return None
    gold = [getattr(outcome.sample, label) for outcome in labelled]
    predicted = [outcome.predicted(label) for outcome in labelled]
    return {
        "accuracy": measures.accuracy(gold, predicted),
        "macro_f1": measures.macro_f1(gold, predicted),
        "macro_f1_interval": list(measures.macro_f1_interval(gold, predicted)),
        "classes": {name: asdict(score) for name, score in measures.class_scores(gold, predicted).items()},
        "confusion": measures.confusion(gold, predicted),
    }


def _calibration(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """How the confidence agrees with a right category; messages without an answer claim nothing."""
    judged = [
        (outcome.result.confidence, outcome.result.category == outcome.sample.category)
        for outcome in outcomes
        if outcome.result and outcome.sample.category
    ]
    if not judged:
        return None
    confidences, right = [claim for claim, _right in judged], [was_right for _claim, was_right in judged]
    bins = [asdict(entry) for entry in measures.reliability(confidences, right)]
    return {"ece": measures.calibration_error(confidences, right), "bins": bins}


def _milliseconds(evaluation: Evaluation) -> dict[str, float]:
    """Wall time of a call, and the CPU time of this process for each message."""
    times = [outcome.milliseconds for outcome in evaluation.outcomes]
    p50, p95 = np.percentile(times, [50, 95])
    cpu = evaluation.cpu_seconds * 1000 / len(times)
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "cpu": round(cpu, 3)}


def _cost(answers: Sequence[AnalysisResult], site: SiteSettings) -> float | None:
    """Money for all answers; 0 where no token was used, None where one has no price."""
    costs = [site.cost(a.model, a.tokens_in, a.tokens_out) if a.tokens_in + a.tokens_out else 0.0 for a in answers]
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 6) if len(known) == len(costs) else None
