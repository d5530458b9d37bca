"""The header `Idempotency-Key`: a repeated call makes nothing twice."""

from __future__ import annotations

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from inquiries.api.keys import key_of
from inquiries.services import Replay

HEADER = "Idempotency-Key"
LENGTH = 255


def replay_of(request: Request) -> Replay | None:
    """Return the caller's key within its scope, None without the header. Raises ValidationError (400)."""
    text = request.headers.get(HEADER)
    if text is None:
        return None
    if not 1 <= len(text) <= LENGTH or not all(" " <= character <= "~" for character in text):
        raise ValidationError({HEADER: [_("Use from 1 to 255 printable ASCII characters.")]})
    key = key_of(request)
    return Replay(scope=f"key:{key.pk}" if key else "public", key=text)
