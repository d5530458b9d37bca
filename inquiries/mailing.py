"""What an email to a customer says: the answer, or the receipt that tells number and link and nothing else."""

from __future__ import annotations

import re
import uuid
from email.headerregistry import Address
from email.utils import parseaddr
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from inquiries.models import Delivery, Message, SiteSettings
from inquiries.states import DeliveryKind, DeliveryState, MessageKind

NAME_LENGTH = 60
QUOTE_LENGTH = 500
MOST_REFERENCES = 10
# Control characters, line and paragraph separators, and the marks that turn the direction of what follows.
NOT_IN_A_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")


def new_mail_id() -> str:
    """Return a Message-ID that no other mail has (RFC 5322, 3.6.4)."""
    return f"<{uuid.uuid4().hex}@{_domain()}>"


def compose(delivery: Delivery) -> EmailMultiAlternatives:
    """Return the mail, in the language of the site: the inquiry's own is only the AI's guess.

    Raises ValueError where the address or a header cannot be written as a mail asks for.
    """
    with translation.override(settings.LANGUAGE_CODE):
        return _compose(delivery)


def _compose(delivery: Delivery) -> EmailMultiAlternatives:
    is_answer = delivery.kind == DeliveryKind.ANSWER
    subject = _("Inquiry no. %(number)s") % {"number": delivery.inquiry_id}
    render = partial(_render, delivery, _words(delivery) | {"subject": subject})
    mail = EmailMultiAlternatives(
        subject=f"Re: {subject}" if is_answer else subject,
        body=render("txt").rstrip() + "\n",
        from_email=sender(),
        to=[delivery.recipient],
        reply_to=[settings.REPLY_TO] if settings.REPLY_TO else None,
        headers=_thread(delivery) | ({} if is_answer else _by_machine()),
    )
    mail.attach_alternative(render("html"), "text/html")
    return mail


def _render(delivery: Delivery, words: dict[str, Any], form: str) -> str:
    return render_to_string(f"emails/{delivery.kind}.{form}", words)


def sender() -> str:
    """Return the From line: the address of the settings under its own name, else under the company's."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    name = NOT_IN_A_NAME.sub(" ", name or SiteSettings.current().company_name).strip()[:NAME_LENGTH].strip()
    return str(Address(name, addr_spec=address)) if name else address


def _words(delivery: Delivery) -> dict[str, Any]:
    """Return what the templates may say. A receipt gets nothing that a stranger could have written."""
    words: dict[str, Any] = {
        "number": str(delivery.inquiry_id),
        "link": delivery.inquiry.status_url,
        "company": SiteSettings.current().company_name,
        "takes_replies": bool(settings.REPLY_TO),
    }
    if delivery.message is not None:
        quoted = _quoted(delivery, delivery.message)
        lines = "\n".join(f"> {line}".rstrip() for line in quoted.splitlines())
        words |= {"text": delivery.message.body, "quoted": quoted, "quoted_lines": lines}
    return words


def _quoted(delivery: Delivery, answer: Message) -> str:
    """Return the beginning of what the customer wrote last before the answer."""
    earlier = Message.objects.filter(inquiry=delivery.inquiry_id, kind=MessageKind.CUSTOMER, pk__lt=answer.pk)
    last = earlier.values_list("body", flat=True).last()
    text = (delivery.inquiry.message if last is None else last).strip()
    return text if len(text) <= QUOTE_LENGTH else f"{text[:QUOTE_LENGTH].rstrip()}…"


def _by_machine() -> dict[str, str]:
    """Return what keeps other machines from answering (RFC 3834, 5; Microsoft's MS-OXCMAIL 2.1.3.2.20)."""
    return {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


def _thread(delivery: Delivery) -> dict[str, str]:
    """Return the headers that let mail programs show the mails of an inquiry as one conversation.

    All hang on a Message-ID that no mail has, so that the thread holds without a receipt.
    """
    digest = salted_hmac("pok.thread", str(delivery.inquiry_id), algorithm="sha256").hexdigest()[:32]
    root = f"<{digest}@{_domain()}>"
    went = (DeliveryState.SENT, DeliveryState.UNKNOWN)
    before = Delivery.objects.filter(inquiry=delivery.inquiry_id, pk__lt=delivery.pk, state__in=went)
    earlier = list(before.order_by("-pk").values_list("mail_id", flat=True)[:MOST_REFERENCES])[::-1]
    return {
        "Message-ID": delivery.mail_id,
        "In-Reply-To": [root, *earlier][-1],
        "References": " ".join([root, *earlier]),
    }


def _domain() -> str:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return domain.encode("idna").decode("ascii")
