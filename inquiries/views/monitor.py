"""What the machine does, for supervisors: backlog, workers, errors. One URL serves the page and its region."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from inquiries import metrics, services
from inquiries.models import Inquiry
from inquiries.models.inquiry import InquiryError
from inquiries.states import AnalysisState
from inquiries.views.requests import AgentRequest, posted_from
from pok.logging import name_inquiry

ALL = "all"


@require_safe
@never_cache
@login_required
@permission_required("inquiries.supervise", raise_exception=True)
def monitor(request: AgentRequest) -> HttpResponse:
    """The page, its region for the poller, or 204 where the poller's digest still holds."""
    region = _region(request)
    is_poll = bool(request.htmx) and not request.htmx.history_restore_request
    if is_poll and request.GET.get("seen") == region["digest"]:
        return _varied(HttpResponse(status=204))
    return _varied(render(request, "inquiries/_monitor.html" if is_poll else "inquiries/monitor.html", region))


@posted_from("monitor")
@permission_required("inquiries.supervise", raise_exception=True)
def retry_failed(request: AgentRequest) -> HttpResponse:
    """Ask again for one failed analysis (`inquiry=<id>`), or for all of them (`inquiry=all`)."""
    try:
        messages.success(request, _retry(request, request.POST.get("inquiry", ALL)))
    except InquiryError as error:
        messages.error(request, str(error))
    if request.htmx:
        return render(request, "inquiries/_monitor_retried.html", {**_region(request), "oob": True})
    return redirect("monitor")


def _retry(request: AgentRequest, which: str) -> str:
    if which == ALL:
        count = services.retry_failed(actor=request.user)
        return ngettext("%(n)d analysis is asked for again.", "%(n)d analyses are asked for again.", count) % {
            "n": count
        }
    if not (which.isascii() and which.isdigit() and len(which) < 18):
        raise Http404
    inquiry = get_object_or_404(Inquiry.objects.visible_to(request.user), pk=which)
    name_inquiry(inquiry.pk)
    services.retry(inquiry, actor=request.user)
    return _("The analysis of inquiry #%(pk)d is asked for again.") % {"pk": inquiry.pk}


def _region(request: AgentRequest) -> dict[str, str]:
    """The region's HTML and a digest of it. The form's CSRF token stands outside, or no digest would ever hold."""
    html = render_to_string("inquiries/_monitor_body.html", _figures(), request)
    return {"body": html, "digest": hashlib.sha256(html.encode()).hexdigest()[:16]}


def _figures() -> dict[str, object]:
    workers = metrics.workers()
    failures = list(metrics.last_failures())
    seen: set[int] = set()
    for analysis in failures:  # one button for an inquiry, beside its newest failure
        is_first = analysis.inquiry_id not in seen
        seen.add(analysis.inquiry_id)
        analysis.can_retry = is_first and analysis.inquiry.ai_state == AnalysisState.FAILED  # type: ignore[attr-defined]
    return {
        "backlog": metrics.backlog(),
        "workers": workers,
        "has_live_worker": any(worker.is_alive for worker in workers),
        "failures": failures,
        "trying_again": metrics.waiting_to_try_again(),
        "engine": metrics.engine_in_use(),
        "service": metrics.service_state(),
        "spent": metrics.spent(),
    }


def _varied(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response
