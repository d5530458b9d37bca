"""An inquiry to send, and engines pointed at the fake server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from inquiries.ai.engine import AIError, AnalysisRequest, CategorySpec, CompanyProfile
from inquiries.ai.openai import OpenAIEngine

API_KEY = "sk-secret0123456789"
CUSTOMER_TEXT = "Mi factura de marzo tiene un cobro doble y nadie responde, es un error inaceptable"

CATEGORIES = (
    CategorySpec("Facturación", "Cobros, facturas y pagos", ("Me cobraron dos veces",), ("factura", "cobro")),
    CategorySpec("Soporte Técnico", "Fallos de la aplicación", ("No puedo iniciar sesión",)),
    CategorySpec("Otros", "Todo lo demás"),
)


def make_request(text: str = CUSTOMER_TEXT, **changes: Any) -> AnalysisRequest:
    values: dict[str, Any] = {"customer_name": "Juan Pérez", "categories": CATEGORIES, **changes}
    return AnalysisRequest(text=text, company=CompanyProfile(name="Acme"), **values)


@contextmanager
def make_engine(base_url: str | None, **changes: Any) -> Iterator[OpenAIEngine]:
    values: dict[str, Any] = {"api_key": API_KEY, "model": "small", "deadline": 5.0, **changes}
    engine = OpenAIEngine(base_url=base_url, **values)
    try:
        yield engine
    finally:
        engine.close()


def failure_of(call: Callable[[], object]) -> AIError:
    try:
        call()
    except AIError as exc:
        return exc
    raise AssertionError("no AIError was raised")


def timed_failure(call: Callable[[], object]) -> tuple[AIError, float]:
    started = time.monotonic()
    return failure_of(call), time.monotonic() - started
