"""The embedded engine with its own encoders, and one that needs no model."""

from __future__ import annotations

import pytest

from inquiries.ai.embedded import EmbeddedEngine
from inquiries.ai.encoder import WordHashEncoder
from inquiries.tests.ai.embedded_helpers import DEFAULTS


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    """The process's own encoders, with rough heads trained on the spot."""
    ready = EmbeddedEngine()
    ready.warm_up(DEFAULTS)
    return ready


@pytest.fixture(scope="module")
def hashing() -> EmbeddedEngine:
    """No model to load: for tests in which quality plays no part."""
    return EmbeddedEngine(WordHashEncoder())
