"""Who calls: the header `Authorization: Api-Key <key>`."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from inquiries.models import ApiKey, User

SCHEME = "Api-Key"
# "Last used" is for a person who looks for forgotten keys; a write for each call would be a waste.
LAST_USED_STEP = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """Set `request.auth` to the ApiKey, `request.user` to its owner or to nobody."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, ApiKey] | None:
        """Return None where another scheme, or none, was used; raise AuthenticationFailed (401) for a bad key."""
        scheme, _blank, text = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        key = ApiKey.objects.matching(text.strip())
        if key is None:
            raise AuthenticationFailed(_("The key is not valid, or it has been revoked."))
        _mark_used(key)
        structlog.contextvars.bind_contextvars(api_key_id=key.pk)
        return key.owner or AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return f'{SCHEME} realm="POK"'


def key_of(request: Request) -> ApiKey | None:
    """The key that the call came with, if any."""
    return request.auth if isinstance(request.auth, ApiKey) else None


def _mark_used(key: ApiKey) -> None:
    if key.last_used_at and key.last_used_at > timezone.now() - LAST_USED_STEP:
        return
    # Conditional on the row: of many calls at the same moment one writes.
    stale = Q(last_used_at=None) | Q(last_used_at__lte=Now() - LAST_USED_STEP)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=Now())
