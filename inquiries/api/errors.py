"""Every error of the API as JSON: `{field: [texts]}` or `{"detail": text}`, never a page, never a trace."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from pok import outage
from pok.logging import get_logger

log = get_logger(__name__)


class Conflict(exceptions.APIException):
    """409: the call contradicts an earlier one."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class InternalError(exceptions.APIException):
    """500: a mistake of ours; the log has it."""

    default_detail = gettext_lazy("Something failed here. It has been logged.")


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer for any exception of an API view; DRF calls it. None leaves an outage to DatabaseDownMiddleware."""
    if isinstance(exc, outage.DOWN):
        return None
    error = _as_api_exception(exc, type(context.get("view")).__name__)
    return drf_exception_handler(error, dict(context))


def _as_api_exception(exc: Exception, view: str) -> exceptions.APIException:
    if isinstance(exc, exceptions.APIException):
        return _in_plain_words(exc)
    if isinstance(exc, Http404):
        return exceptions.NotFound(_("There is nothing at this address."))
    if isinstance(exc, DjangoPermissionDenied):
        return exceptions.PermissionDenied()
    log.error("api_error", view=view, exc_info=exc)
    return InternalError()


def _in_plain_words(exc: exceptions.APIException) -> exceptions.APIException:
    """Say what to do about it where DRF only says what is wrong."""
    match exc:
        case exceptions.NotAuthenticated():
            exc.detail = exceptions.ErrorDetail(
                _("A key is needed: send the header “Authorization: Api-Key <key>”."), "not_authenticated"
            )
        case exceptions.UnsupportedMediaType():
            exc.detail = exceptions.ErrorDetail(
                _("Send JSON in UTF-8 with the header “Content-Type: application/json”."), "unsupported_media_type"
            )
        case exceptions.Throttled():
            exc.detail = exceptions.ErrorDetail(_throttled_text(exc), "throttled")
        case _:
            pass
    return exc


def _throttled_text(exc: exceptions.Throttled) -> str:
    seconds = max(1, math.ceil(getattr(exc, "wait", None) or 1))
    exc.wait = seconds  # type: ignore[attr-defined]  # DRF makes Retry-After of it
    text = ngettext(
        "Too many requests. Try again in %(seconds)d second.",
        "Too many requests. Try again in %(seconds)d seconds.",
        seconds,
    )
    return text % {"seconds": seconds}


@csrf_exempt
def not_found(request: HttpRequest, path: str = "") -> JsonResponse:
    """Answer for every address below /api/ that does not exist, whatever the method."""
    return JsonResponse({"detail": _("There is nothing at this address.")}, status=404)
