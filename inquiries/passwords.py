"""The email with which a person of the team chooses a new password.

Nothing of it is kept: who gets none, because the mail server was away or a worker died, asks again.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from inquiries.mailing import sender
from inquiries.models import User
from pok.logging import get_logger
from pok.mail import MailError, opened

log = get_logger(__name__)


def send_link(user_id: int) -> None:
    """Send the link to the address of the account; a mail that fails is in the log and nowhere else."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    try:
        with opened() as post:
            post.send(compose(user), before_data=lambda: None)
    except MailError as trouble:
        log.warning("password_mail_failed", user_id=user_id, reason=trouble.kind.value)


def compose(user: User) -> EmailMultiAlternatives:
    """Return the mail, in the person's language. The link is built on POK_BASE_URL, never on what a request claims."""
    with translation.override(user.language or settings.LANGUAGE_CODE):
        subject = _("A new password for POK")
        address = reverse(
            "password_reset_confirm",
            args=[urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)],
        )
        words = {"subject": subject, "name": user.get_username(), "link": f"{settings.BASE_URL}{address}"}
        mail = EmailMultiAlternatives(
            subject=subject,
            body=render_to_string("emails/password.txt", words).rstrip() + "\n",
            from_email=sender(),
            to=[user.email],
            headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        )
        mail.attach_alternative(render_to_string("emails/password.html", words), "text/html")
        return mail
