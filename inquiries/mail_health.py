"""How the mail server is doing, as all workers see it; while it fails nobody asks for a while, then one mail tries.

Without the pause a wrong password would be sent again for every mail that waits, until the provider locks the
account, and threads would hang on a server that is away. The memory is a row; all times are the database's.
"""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum

from django.db.models import F
from django.db.models.functions import Now

from inquiries.models import ServiceState
from inquiries.states import MailReason
from pok.logging import get_logger

log = get_logger(__name__)
SERVICE = "mail"
FIRST_PAUSE = 5.0  # seconds
LONGEST_PAUSE = 300.0
# Providers lock an account after a few wrong passwords within some minutes.
FIRST_REFUSAL_PAUSE = 60.0
LONGEST_REFUSAL_PAUSE = 600.0
# A try that dies with its worker must not keep the mail waiting for ever.
PROBE = timedelta(seconds=60)


class Permit(IntEnum):
    """Whether the server may be asked; PROBE is the one mail after a pause that tells whether it is back."""

    REFUSED = 0
    GRANTED = 1
    PROBE = 2


def permit() -> Permit:
    """Tell whether a mail may be sent now. Past a pause one caller may, whose mail is the probe."""
    paused = ServiceState.objects.filter(name=SERVICE, open_until__isnull=False)
    if not paused.exists():
        return Permit.GRANTED
    return Permit.PROBE if paused.filter(open_until__lte=Now()).update(open_until=Now() + PROBE) else Permit.REFUSED


def is_paused() -> bool:
    """Tell whether mail waits now, without becoming its probe."""
    return ServiceState.objects.filter(name=SERVICE, open_until__gt=Now()).exists()


def failed(kind: MailReason, detail: str, *, is_of_server: bool, is_probe: bool) -> None:
    """Count a failure; one that any mail would have met starts a pause, twice as long as the one before.

    While it is paused only the probe's failure counts: mails that were under way when it began fail with it.
    """
    ServiceState.objects.get_or_create(name=SERVICE)
    row = ServiceState.objects.filter(name=SERVICE)
    row.update(last_error=kind, last_detail=detail[:500], last_failure_at=Now())
    if not is_of_server:  # it has answered
        row.update(failures=F("failures") + 1, open_until=None)
        return
    counted = row if is_probe else row.filter(open_until__isnull=True)
    if not counted.update(failures=F("failures") + 1):
        return
    seconds = _pause(kind, row.values_list("failures", flat=True).get())
    if counted.update(open_until=Now() + timedelta(seconds=seconds)):
        log.warning("mail_paused", seconds=seconds, kind=kind.value)


def _pause(kind: MailReason, failures: int) -> float:
    is_refusal = kind == MailReason.AUTHENTICATION
    first, longest = (FIRST_REFUSAL_PAUSE, LONGEST_REFUSAL_PAUSE) if is_refusal else (FIRST_PAUSE, LONGEST_PAUSE)
    return float(min(first * 2 ** min(failures - 1, 10), longest))


def answered() -> None:
    """The server was there, whatever it thought of this one address."""
    ServiceState.objects.filter(name=SERVICE, open_until__isnull=False).update(open_until=None)


def succeeded() -> None:
    """The server took a mail."""
    ServiceState.objects.get_or_create(name=SERVICE)
    ServiceState.objects.filter(name=SERVICE).update(failures=0, open_until=None, last_success_at=Now())


def try_at_once() -> None:
    """End a pause after a start: the password or the address of the server may have been corrected meanwhile."""
    ServiceState.objects.filter(name=SERVICE, open_until__gt=Now()).update(open_until=Now())
