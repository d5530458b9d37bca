"""A fake at our own seam: an engine that plays a queue of answers and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inquiries.ai.engine import AIError, AnalysisRequest, AnalysisResult

RESULT = AnalysisResult(
    category="Ventas",
    sentiment="Neutral",
    language="es",
    confidence=0.9,
    reply="Hola, con gusto le contamos.",
    reason="Pregunta por un precio.",
    engine="fake",
    model="fake-1",
    prompt_version="1",
    tokens_in=100,
    tokens_out=50,
    raw="{}",
)
Answer = AnalysisResult | AIError | Exception | Callable[[AnalysisRequest], AnalysisResult]


class FakeEngine:
    """Gives the queued answers in turn, then RESULT for ever."""

    name = "fake"

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.history: list[AnalysisRequest] = []

    def analyse(self, request: AnalysisRequest) -> AnalysisResult:
        self.history.append(request)
        answer: Answer = self.answers.pop(0) if self.answers else RESULT
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, AnalysisResult) else answer(request)


def result(**changes: object) -> AnalysisResult:
    """RESULT with other values."""
    return replace(RESULT, **changes)  # type: ignore[arg-type]
