"""A mail server of the test's own, and an answer's mail that is due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # this file is read before Django is ready
    from inquiries.models import Delivery
    from inquiries.tests.smtp import MailServer


@pytest.fixture
def server(settings) -> Iterator[MailServer]:
    from inquiries.tests.smtp import MailServer

    settings.HAS_MAIL = True
    settings.EMAIL_BACKEND = "pok.mail.EmailBackend"
    settings.EMAIL_TIMEOUT, settings.MAIL_PATIENCE = 0.3, 0.3
    with MailServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def row(make_inquiry) -> Delivery:
    """The mail with an answer, due."""
    from inquiries.tests.factories import make_answer, make_delivery

    inquiry = make_inquiry()
    return make_delivery(inquiry, make_answer(inquiry))


@pytest.fixture(autouse=True)
def _quick_patience(monkeypatch):
    from inquiries import jobs

    monkeypatch.setattr(jobs, "PATIENCE", (0.0, 0.0))
