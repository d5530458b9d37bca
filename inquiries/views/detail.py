"""One inquiry: the page, and its poller."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseStopPolling

from inquiries.states import Purpose
from inquiries.views.requests import AgentRequest
from inquiries.views.thread import thread_of, watch_of
from inquiries.views.workspace import context_of, fetch, sent_outside, was_asked

MOST_REQUESTS = 50


@never_cache
@require_safe
@login_required
def detail(request: AgentRequest, pk: int) -> HttpResponse:
    """Show an inquiry with everything an agent does to it."""
    return render(request, "inquiries/detail.html", context_of(fetch(request, pk)))


@never_cache
@require_safe
@login_required
def sent(request: AgentRequest, pk: int) -> HttpResponse:
    """Show word for word what left this machine, trials included: one request, by its number or the last reading."""
    inquiry = fetch(request, pk)
    requests = list(sent_outside(inquiry).select_related("sent_system").order_by("-id")[:MOST_REQUESTS])
    wanted = request.GET.get("lectura")
    readings = [row for row in requests if row.purpose != Purpose.COMPARE] or requests
    analysis = next((row for row in requests if str(row.pk) == wanted), readings[0] if readings else None)
    context = {"inquiry": inquiry, "analysis": analysis, "requests": requests, "unanswered": was_asked(inquiry)}
    return render(request, "inquiries/sent.html", context)


@never_cache
@require_safe
@login_required
def changes(request: AgentRequest, pk: int) -> HttpResponse:
    """Answer the poller: 204 while nothing has changed, else the regions; 286 once nothing will change by itself."""
    inquiry = fetch(request, pk)
    watch = watch_of(inquiry, thread_of(inquiry))
    if request.GET.get("version") == watch.version:
        return HttpResponse(status=204) if watch.period else HttpResponseStopPolling()
    # Only a page without an editor takes one from here: nobody's text can be in it.
    with_editor = inquiry.is_waiting and "bare" in request.GET
    context = context_of(inquiry, oob=True, with_editor=with_editor)
    status = 200 if watch.period else HttpResponseStopPolling.status_code
    return render(request, "inquiries/_detail_changes.html", context, status=status)
