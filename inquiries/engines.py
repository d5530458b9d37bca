"""Which engine reads the next inquiry, and why not the other one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from inquiries import breaker, budget
from inquiries.ai.engine import Engine
from inquiries.models import SiteSettings
from inquiries.states import AIMode, AIReason

if TYPE_CHECKING:
    from inquiries.ai.embedded import EmbeddedEngine

OPENAI = "openai"
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine that reads, and why the AI service does not although it is set up.

    What is read while the service is paused is provisional and read again later; what the budget sends to the
    embedded engine stays. A probe is the first call after a pause.
    """

    engine: str
    why: AIReason | None = None
    is_probe: bool = False

    @property
    def is_provisional(self) -> bool:
        return self.why == AIReason.PAUSED


def choose() -> Choice | None:
    """Return who reads now; None where only the paused service may, so that the caller waits."""
    if not uses_openai():
        return Choice(EMBEDDED)
    if budget.is_exhausted():
        return Choice(EMBEDDED, AIReason.BUDGET)
    if permit := breaker.allows():
        return Choice(OPENAI, is_probe=permit == breaker.Permit.PROBE)
    return Choice(EMBEDDED, AIReason.PAUSED) if has_stand_in() else None


@lru_cache(maxsize=8)
def openai_engine(model: str = "") -> Engine:
    """The engine of OpenAI and of every compatible server, one client for each model in the whole process."""
    from inquiries.ai.openai import OpenAIEngine

    return OpenAIEngine(
        api_key=settings.OPENAI_API_KEY,
        base_url=settings.OPENAI_BASE_URL or None,
        model=model or settings.OPENAI_MODEL,
        deadline=float(settings.AI_DEADLINE),
        token_limit=settings.OPENAI_TOKEN_LIMIT,
        token_limit_param=settings.OPENAI_TOKEN_LIMIT_PARAM,
        reasoning_effort=settings.OPENAI_REASONING_EFFORT,
    )


@lru_cache(maxsize=1)
def embedded_engine() -> EmbeddedEngine:
    """The offline engine; it loads its encoder on first use, and only workers and commands call it."""
    from inquiries.ai.embedded import EmbeddedEngine

    return EmbeddedEngine(cache_folder=settings.DATA_DIR / "vectors")


def engine_called(name: str, model: str = "") -> Engine:
    """The engine of this name."""
    return openai_engine(model) if name == OPENAI else embedded_engine()


def has_service() -> bool:
    """Tell whether an AI service is set up and allowed by the environment."""
    is_set_up = bool(settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL)
    return settings.AI_ENGINE == "openai" or (settings.AI_ENGINE == "auto" and is_set_up)


def uses_openai() -> bool:
    """Tell whether OpenAI (or a compatible server) reads the inquiries first."""
    return has_service() and SiteSettings.current().ai_mode == AIMode.AUTO


def is_switched_on() -> bool:
    """Tell whether anything may be analysed at all."""
    return settings.AI_ENGINE != "off" and SiteSettings.current().ai_mode != AIMode.OFF


def has_stand_in() -> bool:
    """Tell whether the embedded engine may answer while OpenAI cannot."""
    return settings.AI_ENGINE == "auto" and uses_openai()
