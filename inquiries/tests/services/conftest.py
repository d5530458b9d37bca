"""The bell, heard by the tests instead of the workers."""

from __future__ import annotations

import pytest


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """The analyses that the bell rang for."""
    from inquiries.services import queueing

    bells: list[int] = []
    monkeypatch.setattr(queueing, "ring", bells.append)
    return bells
