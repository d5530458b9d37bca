"""`/metrics` for Prometheus, only with POK_METRICS_TOKEN: `Authorization: Bearer <token>`.

Without the variable the address does not exist. It asks for no session and leaves no line in the log.

`pok_http_*` and `process_*` are this process's own: several web processes have to be scraped one by one, and summed.
Everything else is read from the tables, so it is the same whichever process answers: take `max()` over the instances,
never `sum()`. While the database is away `pok_database_up` is 0 and only the process's own remain.
"""

from __future__ import annotations

from secrets import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in Prometheus's text format; 401 for another token, 404 where none is set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not _is_allowed(request):
        refused = HttpResponse("POK_METRICS_TOKEN\n", status=401, content_type="text/plain")
        refused["WWW-Authenticate"] = 'Bearer realm="POK"'
        return refused
    from pok import meters

    text, content_type = meters.exposition()
    return HttpResponse(text, content_type=content_type, headers={"Cache-Control": "no-store"})


def _is_allowed(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    # WSGI hands the header's bytes over as Latin-1.
    sent = token.strip().encode("latin-1", errors="replace")
    return compare_digest(sent, settings.METRICS_TOKEN.encode()) and scheme.lower() == "bearer"
