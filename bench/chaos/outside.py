"""The services outside, as bad as real ones: an AI that fails now and then, a mail server that drops connections."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.installation import free_port
from inquiries.ai.fake_server import FakeOpenAI

AI_FAILURES = ("429_no_retry_after", "500", "502_html", "broken_json", "not_json", "reset", "truncated", "hang")
AI_FAILURE_RATE = 0.06
MAIL_FAILURE_RATE = 0.02  # each of the four kinds below


class MoodyOpenAI(FakeOpenAI):
    """Answers after `latency` seconds, and some calls not at all or with rubbish."""

    def __init__(self, *, latency: float, seed: int) -> None:
        self.rng = random.Random(seed)
        self.failures = 0
        super().__init__(latency=latency)

    def record(self, body: dict[str, Any], headers: dict[str, str]) -> str:
        """Count the call and draw how it ends."""
        name = super().record(body, headers)
        if self.rng.random() >= AI_FAILURE_RATE:
            return name
        self.failures += 1
        return self.rng.choice(AI_FAILURES)


class Postbox:
    """What a mail server took, by Message-ID, and the handler that takes it for aiosmtpd."""

    def __init__(self, *, seed: int) -> None:
        self.rng = random.Random(seed)
        self.taken: Counter[str] = Counter()
        self.receipts: Counter[str] = Counter()  # by recipient
        self.failures = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Put some off before they have said anything."""
        if self._fails():
            return "450 4.2.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail, or put it off, or break the connection before or after it was taken."""
        if self._fails():
            return "451 4.3.0 Try again later"
        if self._fails():
            return _hang_up(server)
        mail = message_from_bytes(envelope.content if isinstance(envelope.content, bytes) else b"")
        self.taken[str(mail["Message-ID"])] += 1
        if mail["Auto-Submitted"] == "auto-generated":
            self.receipts[envelope.rcpt_tos[0]] += 1
        return _hang_up(server) if self._fails() else "250 OK"

    def _fails(self) -> bool:
        failed = self.rng.random() < MAIL_FAILURE_RATE
        self.failures += failed
        return failed


def _hang_up(server: SMTP) -> str:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()
    return "421 gone"  # nobody hears it


def mail_server(postbox: Postbox) -> Controller:
    """A server on a free port in a thread of its own; start() and stop() it."""
    return Controller(postbox, hostname="127.0.0.1", port=free_port())
