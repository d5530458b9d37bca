"""What a caller may do: keys by their scopes, people by their role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from inquiries.api.keys import key_of

if TYPE_CHECKING:  # DRF loads this module while it makes APIView
    from rest_framework.views import APIView


class CanCreateInquiries(BasePermission):
    """Anyone without a key, and keys that may create."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        key = key_of(request)
        return key is None or key.can_create


class CanReadInquiries(BasePermission):
    """Keys that may read, and people who work the inbox."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if key := key_of(request):
            return key.can_read
        return bool(request.user.is_active and request.user.has_perm("inquiries.work_inbox"))
