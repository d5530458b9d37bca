"""What must not happen a second time after an old state was put back."""

from __future__ import annotations

from datetime import datetime

from inquiries.models import Delivery
from inquiries.states import DeliveryState, MailReason

SETTLED = Delivery._meta.db_table


def settling(now: str, backed_up_at: datetime) -> str:
    """SQL that lets a person decide about the emails that were on their way when the backup was made.

    They were most likely sent afterwards, so no worker may take them up again. `now` is the database's word for it.
    """
    detail = f"restored from the backup of {backed_up_at:%Y-%m-%d %H:%M:%S %Z}"
    return (
        f"UPDATE {SETTLED} SET state = '{DeliveryState.UNKNOWN}', error = '{MailReason.CRASHED}',"  # noqa: S608
        f" error_detail = '{detail}', finished_at = {now}, due_at = NULL, claim_token = NULL"
        f" WHERE state IN ('{DeliveryState.QUEUED}', '{DeliveryState.SENDING}')"
    )
