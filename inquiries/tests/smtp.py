"""A real mail server on loopback that fails wherever a test wants it to.

    with MailServer() as server:
        server.script["RCPT"] = "550 5.1.1 No such user"

The stages are GREETING, the commands (EHLO, AUTH, MAIL, RCPT, DATA, QUIT …) and TEXT, when all of the mail is there.
A step is the line to answer, DROP (hang up), SILENCE (never answer) or an Event to wait for before going on as usual.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import ssl
import threading
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DROP = "drop"
SILENCE = "silence"
Step = str | threading.Event


@dataclass(frozen=True)
class Received:
    """A mail as it came over the wire."""

    sender: str
    recipients: list[str]
    source: bytes
    user: str = ""
    has_tls: bool = False
    message: EmailMessage = field(init=False)

    def __post_init__(self) -> None:
        message = email.message_from_bytes(self.source, policy=email.policy.default)
        object.__setattr__(self, "message", message)

    def part(self, kind: str) -> str:
        """The plain or html text."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


class ScriptedSMTP(SMTP):
    def __init__(self, server: MailServer, **options: Any) -> None:
        self.box = server
        self.has_greeted = False
        super().__init__(server, **options)
        for stage, usual in self._smtp_methods.items():
            self._smtp_methods[stage] = partial(self.perform, "EHLO" if stage == "HELO" else stage, usual)

    async def act(self, stage: str) -> bool:
        """Play the stage's step; tell whether the client has its answer."""
        self.box.asked.append(stage)
        step = self.box.script.get(stage)
        if isinstance(step, threading.Event):
            while not step.is_set():
                await asyncio.sleep(0.01)
            return False
        if step in {DROP, SILENCE}:
            if step == DROP and self.transport is not None:
                self.transport.abort()  # type: ignore[attr-defined]
            await asyncio.sleep(3600)  # until the connection is lost
        if step is not None:
            await self.push(step)
        return step is not None

    async def push(self, status: Any) -> None:
        if self.has_greeted:
            await super().push(status)
            return
        self.has_greeted = True
        if not await self.act("GREETING"):
            await super().push(status)

    async def perform(self, stage: str, usual: Callable[[str | None], Awaitable[None]], arg: str | None) -> None:
        if not await self.act(stage):
            await usual(arg)


class MailServer(Controller):
    """Takes mails in. `mails` holds those whose text came in whole, whatever was answered; `asked` the stages met."""

    def __init__(self, *, password: str = "", ssl_context: ssl.SSLContext | None = None, **options: Any) -> None:
        self.script: dict[str, Step] = {}
        self.mails: list[Received] = []
        self.asked: list[str] = []
        self.password = password
        if password:
            options |= {"auth_required": True, "auth_require_tls": False, "authenticator": self.authenticate}
        super().__init__(self, "127.0.0.1", _free_port(), ssl_context=ssl_context, **options)

    @property
    def url(self) -> str:
        """The value of EMAIL_URL, without user and password."""
        return f"smtp://127.0.0.1:{self.port}"

    def factory(self) -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # of passwords in the clear: nobody else listens here
            return ScriptedSMTP(self, **self.SMTP_kwargs)

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data.password.decode() == self.password
        return AuthResult(success=is_right, handled=False, auth_data=data)

    async def handle_DATA(self, server: ScriptedSMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        user = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else ""
        content = envelope.original_content or b""
        has_tls = session.ssl is not None or self.ssl_context is not None
        self.mails.append(Received(envelope.mail_from or "", envelope.rcpt_tos, content, user, has_tls))
        step = self.script.get("TEXT")
        if isinstance(step, str) and step not in {DROP, SILENCE}:
            return step
        await server.act("TEXT")
        return "250 2.0.0 Taken"

    def __enter__(self) -> MailServer:
        self.start()
        self.asked.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(no_assert=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
