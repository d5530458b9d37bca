"""One email: claim, hand over, record.

The order is what keeps a customer from getting it twice. That it is handed over stands in the row before the text
goes over the wire, so whoever finds a row handed over and without an outcome leaves it to a person. All else may be
tried again.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from datetime import timedelta

from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from structlog.contextvars import bound_contextvars

from inquiries import jobs, mail_health, mailing
from inquiries.models import Delivery, Inquiry, Message
from inquiries.states import DeliveryKind, DeliveryState, MailReason, Status
from pok.logging import get_logger
from pok.mail import MailError, MailTrouble, opened

log = get_logger(__name__)
HORIZON = timedelta(hours=24)  # for so long a mail is tried again; afterwards a person decides
SERVER_PAUSE = 5.0  # seconds; how long mails wait for a server that fails, `mail_health` says
NOT_YET = 1.0


class LostClaim(Exception):
    """The row is not this worker's any more, or gone: nothing may be sent."""


def due_ids(limit: int, without: Collection[int] = ()) -> list[int]:
    """Return which mails to send now: answers before receipts ("answer" sorts first), the longest due first."""
    due = Delivery.objects.due().exclude(pk__in=without).order_by("kind", "due_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def run(delivery_id: int, *, is_probe: bool = False) -> None:
    """Do one attempt to send the mail; return at once where another worker has it, or nothing is to be sent.

    `is_probe` says that this one tells whether the server is back (`mail_health.permit`).
    """
    with transaction.atomic():
        taken = jobs.claim(Delivery, delivery_id)
        if taken is None:
            return
        row = Delivery.objects.select_related("inquiry", "message").get(pk=delivery_id)
    names = {"inquiry_id": row.inquiry_id, "delivery_id": row.pk, "attempt": taken.attempts}
    with jobs.held(taken), bound_contextvars(**names):
        if row.handed_at is not None:  # by a worker that died
            _finish(taken, row, DeliveryState.UNKNOWN, MailReason.CRASHED)
        elif taken.is_poison:
            _finish(taken, row, DeliveryState.FAILED, MailReason.CRASHED)
        elif _is_pointless(row):
            _finish(taken, row, DeliveryState.CANCELLED, MailReason.UNDONE)
        elif _is_too_early(row):
            jobs.put_back(taken, NOT_YET, attempts=F("attempts") - 1)
        else:
            _attempt(taken, row, is_probe=is_probe)


def _is_pointless(row: Delivery) -> bool:
    """Tell whether the answer was taken back, or a receipt is for what turned out to be spam."""
    if row.kind == DeliveryKind.RECEIPT:
        return row.inquiry.status == Status.SPAM
    return row.message is None


def _is_too_early(row: Delivery) -> bool:
    return row.message is not None and Message.objects.filter(pk=row.message.pk, published_at__gt=Now()).exists()


def _attempt(taken: jobs.Claim, row: Delivery, *, is_probe: bool) -> None:
    handover = Handover(taken)
    with ExitStack() as line:  # its end says goodbye to the server, after the outcome is on record
        try:
            trouble = _hand_over(line, row, handover)
        except LostClaim:
            log.warning("mail_claim_lost")
            return
        jobs.patiently(lambda: _record(taken, row, trouble, is_probe=is_probe))


class Handover:
    """The step after which nobody can take the mail back."""

    def __init__(self, taken: jobs.Claim) -> None:
        self._taken = taken
        self.is_done = False

    def __call__(self) -> None:
        """Write down that the text goes out now. Raises LostClaim or DatabaseError: then it must not."""
        if not jobs.note(self._taken, handed_at=Now()):
            raise LostClaim
        self.is_done = True
        _release()


def _hand_over(line: ExitStack, row: Delivery, handover: Handover) -> MailError | None:
    """Hand the mail over and return what went wrong, or None. Raises LostClaim: then nothing was handed over."""
    try:
        mail = mailing.compose(row)
        _release()
        line.enter_context(opened()).send(mail, before_data=handover)
    except LostClaim:
        raise
    except MailError as trouble:
        return trouble
    except DatabaseError as error:  # of the step before the text
        log.warning("mail_not_begun", error=type(error).__name__)
        return MailError(MailTrouble.INTERNAL, type(error).__name__)
    except Exception as error:
        log.exception("mail_bug")
        return MailError(MailTrouble.INTERNAL, type(error).__name__, is_unknown=handover.is_done, is_permanent=True)
    return None


def _release() -> None:
    """Give a pooled connection back while the mail server is talked to."""
    if connection.vendor != "sqlite" and not connection.in_atomic_block:
        connection.close()


@transaction.atomic
def _record(taken: jobs.Claim, row: Delivery, trouble: MailError | None, *, is_probe: bool) -> None:
    if trouble is None:
        _sent(taken, row)
        mail_health.succeeded()
        return
    reason = MailReason(trouble.kind.value)
    if trouble.is_unknown:
        _finish(taken, row, DeliveryState.UNKNOWN, reason, trouble.detail)
    elif trouble.is_permanent or _is_too_old(row):
        _finish(taken, row, DeliveryState.FAILED, reason, trouble.detail)
    else:
        _put_back(taken, row, trouble)
    if trouble.is_of_address:
        mail_health.answered()
    elif reason != MailReason.INTERNAL:
        mail_health.failed(reason, trouble.detail, is_of_server=trouble.is_of_server, is_probe=is_probe)


def _is_too_old(row: Delivery) -> bool:
    return Delivery.objects.filter(pk=row.pk, created_at__lt=Now() - HORIZON).exists()


def _sent(taken: jobs.Claim, row: Delivery) -> None:
    if row.kind == DeliveryKind.ANSWER:
        _show(row)
    if not jobs.record(taken, DeliveryState.SENT, error="", error_detail=""):
        # The lease ran out meanwhile, and the worker that found the row could not know what we know.
        guessed = Delivery.objects.filter(pk=row.pk, state=DeliveryState.UNKNOWN, error=MailReason.CRASHED)
        guessed.update(state=DeliveryState.SENT, error="")
    log.info("mail_sent", kind=row.kind)


@transaction.atomic
def _finish(taken: jobs.Claim, row: Delivery, state: DeliveryState, reason: MailReason, detail: str = "") -> None:
    # Where the server surely did not take it, nothing was handed over.
    handed = {} if state == DeliveryState.UNKNOWN else {"handed_at": None}
    _show(row)
    if jobs.record(taken, state, error=reason, error_detail=detail, **handed):
        log.warning("mail_not_sent", kind=row.kind, state=state.value, reason=reason.value)


def _put_back(taken: jobs.Claim, row: Delivery, trouble: MailError) -> None:
    """Leave the mail for later. A server that fails, or our own database, takes none of its attempts."""
    is_ours = trouble.is_of_server or trouble.kind == MailTrouble.INTERNAL
    wait = SERVER_PAUSE if is_ours else jobs.backoff(taken.attempts)
    fields = {"attempts": F("attempts") - 1} if is_ours else {}
    if row.error != trouble.kind:
        _show(row)
    jobs.put_back(taken, wait, error=trouble.kind, error_detail=trouble.detail, handed_at=None, **fields)
    log.warning("mail_attempt_failed", kind=row.kind, reason=trouble.kind.value, wait=round(wait))


def _show(row: Delivery) -> None:
    """Let the pages that show the inquiry notice. It is locked before its mails, as an erasure does."""
    Inquiry.objects.filter(pk=row.inquiry_id).touch()
