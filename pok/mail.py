"""The talk with the mail server, and who answers for a mail when it breaks off.

A server has taken a mail once it says so after the text (RFC 5321, 4.2.5). Before the text, or where the server
refuses by a code, it surely has not; between the text and the last word nobody on this side can know.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

from pok.logging import get_logger

log = get_logger(__name__)
DETAIL_LENGTH = 300
# A server quotes the address, or a link of the text that its filter dislikes.
QUOTES = re.compile(r"<[^<>\s]*>|\S+@\S+|\b\w+://\S+|\bwww\.\S+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Codes by which a server asks for a sign-in where it was told the sender (RFC 4954, 6).
SIGN_IN_CODES = frozenset({530, 534, 535, 538})


class MailTrouble(StrEnum):
    """What went wrong."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    AUTHENTICATION = "authentication"
    TEMPORARY = "temporary"
    REJECTED = "rejected"
    BAD_ADDRESS = "bad_address"
    DROPPED = "dropped"
    NOT_CONFIGURED = "not_configured"
    INTERNAL = "internal"


class MailError(Exception):
    """A mail that did not go out, or of which nobody knows whether it did; `detail` names no customer.

    `is_unknown`: the server may have taken it. `is_permanent`: it would refuse it again. `is_of_server`: it says
    nothing about this mail, any other would have met the same. `is_of_address`: the customer's address was refused.
    """

    def __init__(
        self,
        kind: MailTrouble,
        detail: str = "",
        *,
        is_unknown: bool = False,
        is_permanent: bool = False,
        is_of_server: bool = False,
        is_of_address: bool = False,
    ) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.detail = detail
        self.is_unknown = is_unknown
        self.is_permanent = is_permanent
        self.is_of_server = is_of_server
        self.is_of_address = is_of_address


class _Watched:
    """Say when the text is about to be handed over, and know whether any of it went out."""

    sock: Any
    before_data: Callable[[], None] | None = None
    has_sent_text = False

    def data(self, msg: Any) -> Any:
        if self.before_data is not None:
            self.before_data()
        return super().data(msg)  # type: ignore[misc] # smtplib.SMTP is mixed in below

    def send(self, s: Any) -> None:
        if isinstance(s, bytes) and self.sock:  # smtplib sends commands as str, only a mail's text is bytes
            self.has_sent_text = True
            self.sock.settimeout(settings.MAIL_PATIENCE)
        super().send(s)  # type: ignore[misc]


class WatchedSMTP(_Watched, smtplib.SMTP):
    """In the clear, or with STARTTLS."""


class WatchedSMTPS(_Watched, smtplib.SMTP_SSL):
    """With TLS from the first byte."""


class EmailBackend(smtp.EmailBackend):
    """Django's backend, on connections that are watched."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Return the class of the connection that the settings ask for."""
        return WatchedSMTPS if self.use_ssl else WatchedSMTP


class Post:
    """An open connection of whatever backend is set up."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def send(self, mail: EmailMessage, *, before_data: Callable[[], None]) -> None:
        """Hand one mail over. Raises MailError, and what `before_data` raises: then nothing was handed over.

        `before_data` is called once, when everything but the text is said.
        """
        _check_addresses(mail)
        connection = getattr(self._backend, "connection", None)
        if not isinstance(connection, _Watched):
            self._write(mail, before_data)
            return
        connection.before_data = before_data
        try:
            self._backend.send_messages([mail])
        except OSError as error:  # smtplib's errors are such
            trouble = _after_text(error) if connection.has_sent_text else _before_text(error)
            if trouble is not None:
                raise trouble from error

    def _write(self, mail: EmailMessage, before_data: Callable[[], None]) -> None:
        """Give the mail to a backend that writes it down in this machine."""
        before_data()
        try:
            self._backend.send_messages([mail])
        except OSError as error:
            raise MailError(MailTrouble.UNREACHABLE, _told(error), is_of_server=True) from error


@contextmanager
def opened() -> Iterator[Post]:
    """Connect, sign in, and say goodbye afterwards: what goes wrong then takes nothing back. Raises MailError."""
    if not settings.HAS_MAIL:
        raise MailError(MailTrouble.NOT_CONFIGURED, is_of_server=True)
    backend = _backend()
    try:
        try:
            backend.open()
            if isinstance(backend, EmailBackend) and backend.connection is not None:
                backend.connection.ehlo_or_helo_if_needed()
        except (OSError, UnicodeError) as error:
            raise _while_opening(error) from error
        yield Post(backend)
    finally:
        _close(backend)


def _backend() -> Any:
    try:
        return get_connection()
    except ImproperlyConfigured as error:  # a folder for mails that cannot be written
        raise MailError(MailTrouble.NOT_CONFIGURED, public(str(error)), is_of_server=True) from error


def _close(backend: Any) -> None:
    try:
        backend.close()
    except OSError as error:
        log.info("mail_goodbye_failed", error=type(error).__name__)


def _check_addresses(mail: EmailMessage) -> None:
    for address in mail.recipients():
        try:
            sanitize_address(address, "utf-8")
        except ValueError as error:  # UnicodeError is one
            raise MailError(MailTrouble.BAD_ADDRESS, is_permanent=True, is_of_address=True) from error


def _while_opening(error: Exception) -> MailError:
    # smtplib takes ASCII alone as user and password; the name of a host fails by another codec.
    if isinstance(error, UnicodeEncodeError) and error.encoding == "ascii":
        return MailError(MailTrouble.AUTHENTICATION, type(error).__name__, is_of_server=True)
    if isinstance(error, smtplib.SMTPResponseException):
        is_refused = isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code // 100 == 5
        kind = MailTrouble.AUTHENTICATION if is_refused else MailTrouble.TEMPORARY
        return MailError(kind, _answer(error.smtp_code, error.smtp_error), is_of_server=True)
    return MailError(_of_line(error, MailTrouble.UNREACHABLE), _told(error), is_of_server=True)


def _before_text(error: OSError) -> MailError:
    """Sort what happened before any of the text went out: the server has not taken the mail."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
        is_final = code // 100 == 5
        kind = MailTrouble.BAD_ADDRESS if is_final else MailTrouble.TEMPORARY
        return MailError(kind, _answer(code, text), is_permanent=is_final, is_of_address=True)
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code in SIGN_IN_CODES:
            detail = _answer(error.smtp_code, error.smtp_error)
            return MailError(MailTrouble.AUTHENTICATION, detail, is_of_server=True)
        return _refused(error)
    return MailError(_of_line(error, MailTrouble.UNREACHABLE), _told(error))


def _after_text(error: OSError) -> MailError | None:
    """Sort what happened once the text was on its way; None where the server took it in other words than "250"."""
    if isinstance(error, smtplib.SMTPDataError):
        if error.smtp_code // 100 == 2:
            return None
        if error.smtp_code // 100 in {4, 5}:
            return _refused(error)
    return MailError(_of_line(error, MailTrouble.DROPPED), _told(error), is_unknown=True)


def _refused(error: smtplib.SMTPResponseException) -> MailError:
    is_final = error.smtp_code // 100 == 5
    kind = MailTrouble.REJECTED if is_final else MailTrouble.TEMPORARY
    return MailError(kind, _answer(error.smtp_code, error.smtp_error), is_permanent=is_final)


def _of_line(error: Exception, otherwise: MailTrouble) -> MailTrouble:
    """Tell a line that fell silent from one that broke: smtplib calls both "disconnected", the cause tells."""
    is_silent = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    return MailTrouble.TIMEOUT if is_silent else otherwise


def _told(error: Exception) -> str:
    return public(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return public(f"{code} {words}")


def public(text: str) -> str:
    """Return a server's words in one line, without addresses and links, which may be the customer's."""
    return QUOTES.sub("…", UNPRINTABLE.sub(" ", text)).strip()[:DETAIL_LENGTH]
