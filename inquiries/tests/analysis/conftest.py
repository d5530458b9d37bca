"""Fake engines in place of both, for one attempt at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # this file is read before Django is ready
    from inquiries.models import Inquiry
    from inquiries.tests.fakes import FakeEngine


@pytest.fixture(autouse=True)
def _no_encoder(monkeypatch) -> None:
    """What an inquiry means as a vector is another module's matter."""
    from inquiries import learning

    monkeypatch.setattr(learning, "vector_of", lambda text: None)
    monkeypatch.setattr(learning, "is_out_of_scope", lambda text, categories: "chiste" in text)


@pytest.fixture
def engine(monkeypatch) -> FakeEngine:
    from inquiries import analysis
    from inquiries.tests.fakes import FakeEngine

    engine = FakeEngine()
    monkeypatch.setattr(analysis, "engine_called", lambda name, model="": engine)
    return engine


@pytest.fixture
def stand_in(monkeypatch, settings, engine) -> FakeEngine:
    """Auto mode with OpenAI first and a fake embedded engine behind it."""
    from inquiries import analysis
    from inquiries.tests.fakes import FakeEngine

    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    embedded = FakeEngine()
    both = {"openai": engine, "embedded": embedded}
    monkeypatch.setattr(analysis, "engine_called", lambda name, model="": both[name])
    return embedded


@pytest.fixture
def waiting(make_inquiry, categories) -> Inquiry:
    return make_inquiry()


@pytest.fixture
def service(settings, engine) -> FakeEngine:
    """An AI service is set up, so that trials on it may run."""
    settings.AI_ENGINE, settings.OPENAI_API_KEY = "auto", "k"
    return engine
