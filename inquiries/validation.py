"""What a customer may send: one set of rules for the form and the API."""

from __future__ import annotations

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inquiries.models.inquiry import MESSAGE_LENGTH, NAME_LENGTH, REPLY_LENGTH

EMAIL_LENGTH = 254
MIN_LETTERS = 2
MOST_MARKS = 30  # combining marks in a row: the bound of Unicode's Stream-Safe Text Format (UAX #15, 13)
# Line breaks and tabs belong to a message; every other control character (Cc) is a mistake or an attack, and half a
# character (Cs) cannot be stored.
FORBIDDEN = re.compile(r"[^\n\t -~\u00a0-\ud7ff\ue000-\U0010ffff]")
_valid_email = EmailValidator()


def clean_name(value: str) -> str:
    """Return the name in one line; raise ValidationError with a text for the customer."""
    name = re.sub(r"\s+", " ", _clean(value, NAME_LENGTH)).strip()
    if not any(character.isalpha() for character in name):
        raise ValidationError(_("Write a name with at least one letter."))
    return name


def clean_email(value: str) -> str:
    """Return the address; raise ValidationError with a text for the customer."""
    email = _clean(value, EMAIL_LENGTH)
    try:
        _valid_email(email)
    except ValidationError as error:
        raise ValidationError(_("Write a valid email address, such as ana@example.com.")) from error
    return email


def clean_message(value: str) -> str:
    """Return the message; raise ValidationError with a text for the customer."""
    message = _clean(value, MESSAGE_LENGTH)
    if sum(character.isalpha() for character in message) < MIN_LETTERS:
        raise ValidationError(_("Write your message in words: it needs at least two letters."))
    return message


def clean_reply(value: str) -> str:
    """Return an agent's reply with its white space as it was typed; raise ValidationError with a text for the agent."""
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # browsers send CRLF for each line break
    if len(text) > REPLY_LENGTH:
        raise _too_long(REPLY_LENGTH, len(text))
    if FORBIDDEN.search(text):
        raise ValidationError(_("The text holds characters that cannot be shown (control characters)."))
    return text


def _clean(value: str, limit: int) -> str:
    # Before normalising: its cost grows with the square of a run of combining marks (23 s for 240 kB).
    if len(value) > 2 * limit + 2:
        raise _too_long(limit, len(value))
    if _longest_run_of_marks(value) > MOST_MARKS:
        raise ValidationError(_("The text holds characters that cannot be shown (control characters)."))
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise ValidationError(_("This field is required."))
    if len(text) > limit:
        raise _too_long(limit, len(text))
    if FORBIDDEN.search(text):
        raise ValidationError(_("The text holds characters that cannot be shown (control characters)."))
    return text


def _longest_run_of_marks(text: str) -> int:
    longest = run = 0
    if not any(map(unicodedata.combining, text)):  # as nearly always, and much quicker to see
        return 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        longest = max(longest, run)
    return longest


def _too_long(limit: int, length: int) -> ValidationError:
    return ValidationError(
        ngettext(
            "Write %(limit)s character at most (you wrote %(length)s).",
            "Write %(limit)s characters at most (you wrote %(length)s).",
            limit,
        )
        % {"limit": _grouped(limit), "length": _grouped(length)}
    )


def _grouped(number: int) -> str:
    """The number as people of this language write it: 10.000 or 10,000."""
    return number_format(number, force_grouping=True)
