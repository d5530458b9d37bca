"""One inquiry: the page, and its poller."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseStopPolling

from inquiries.models import Analysis
from inquiries.views.requests import AgentRequest
from inquiries.views.workspace import context_of, fetch


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
    """Show word for word what left this machine for the newest reading of an inquiry."""
    inquiry = fetch(request, pk)
    readings = Analysis.objects.readings().filter(inquiry=inquiry).exclude(sent_text="")
    analysis = readings.select_related("sent_system").order_by("-id").first()
    return render(request, "inquiries/sent.html", {"inquiry": inquiry, "analysis": analysis})


@never_cache
@require_safe
@login_required
def changes(request: AgentRequest, pk: int) -> HttpResponse:
    """Answer the poller: 204 while nothing has changed, else the regions; 286 once the analysis is over."""
    inquiry = fetch(request, pk)
    if request.GET.get("version") == str(inquiry.row_version):
        return HttpResponse(status=204) if inquiry.is_being_analysed else HttpResponseStopPolling()
    status = 200 if inquiry.is_being_analysed else HttpResponseStopPolling.status_code
    return render(request, "inquiries/_detail_changes.html", context_of(inquiry, oob=True), status=status)
