"""What the machine does, for supervisors: backlog, pace, workers, services, errors. One URL serves page and region."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

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
from inquiries.models import Analysis, Delivery, Inquiry
from inquiries.models.inquiry import InquiryError
from inquiries.states import AnalysisState
from inquiries.views.pace_charts import pace_charts
from inquiries.views.requests import AgentRequest, posted_from
from pok.logging import name_inquiry

ALL = "all"
supervisors_only = permission_required("inquiries.supervise", raise_exception=True)


@require_safe
@never_cache
@login_required
@supervisors_only
def monitor(request: AgentRequest) -> HttpResponse:
    """The page, its region for the poller, or 204 where the poller's digest still holds."""
    region = _region(request)
    is_poll = bool(request.htmx) and not request.htmx.history_restore_request
    if is_poll and request.GET.get("seen") == region["digest"]:
        return _varied(HttpResponse(status=204))
    return _varied(render(request, "inquiries/_monitor.html" if is_poll else "inquiries/monitor.html", region))


@posted_from("monitor")
@supervisors_only
def retry_failed(request: AgentRequest) -> HttpResponse:
    """Ask again for one failed analysis (`inquiry=<id>`), or for all of them (`inquiry=all`)."""
    return _act(request, lambda: _retry(request, request.POST.get("inquiry", ALL)))


@posted_from("monitor")
@supervisors_only
def dismiss_failed(request: AgentRequest) -> HttpResponse:
    """Set one failed analysis aside (`inquiry=<id>`)."""

    def dismiss() -> str:
        inquiry = _inquiry(request, request.POST.get("inquiry", ""))
        services.dismiss(inquiry, actor=request.user)
        return _("The failed analysis of inquiry #%(pk)d is set aside.") % {"pk": inquiry.pk}

    return _act(request, dismiss)


@posted_from("monitor")
@supervisors_only
def pause_analysis(request: AgentRequest) -> HttpResponse:
    """Let no worker begin an analysis until somebody resumes."""

    def pause() -> str:
        services.pause_analysis(actor=request.user)
        return _("The analysis is paused.")

    return _act(request, pause)


@posted_from("monitor")
@supervisors_only
def resume_analysis(request: AgentRequest) -> HttpResponse:
    """Let the workers go on."""

    def resume() -> str:
        services.resume_analysis(actor=request.user)
        return _("The analysis goes on.")

    return _act(request, resume)


@posted_from("monitor")
@supervisors_only
def resend_mail(request: AgentRequest) -> HttpResponse:
    """Send one email again that failed or may not have arrived (`delivery=<id>`)."""

    def resend() -> str:
        services.send_again(_mail(request), actor=request.user)
        return _("The email will be sent again.")

    return _act(request, resend)


@posted_from("monitor")
@supervisors_only
def settle_mail(request: AgentRequest) -> HttpResponse:
    """Close one email that a person has dealt with (`delivery=<id>`)."""

    def settle() -> str:
        services.settle(_mail(request), actor=request.user)
        return _("Noted: this email needs nothing more.")

    return _act(request, settle)


def _act(request: AgentRequest, verb: Callable[[], str]) -> HttpResponse:
    """Do it, say how it went, and answer with the region or the page."""
    try:
        messages.success(request, verb())
    except InquiryError as error:
        messages.error(request, str(error))
    if request.htmx:
        return render(request, "inquiries/_monitor_acted.html", {**_region(request), "oob": True})
    return redirect("monitor")


def _retry(request: AgentRequest, which: str) -> str:
    if which == ALL:
        count = services.retry_failed(actor=request.user)
        return ngettext("%(n)d analysis is asked for again.", "%(n)d analyses are asked for again.", count) % {
            "n": count
        }
    inquiry = _inquiry(request, which)
    services.retry(inquiry, actor=request.user)
    return _("The analysis of inquiry #%(pk)d is asked for again.") % {"pk": inquiry.pk}


def _inquiry(request: AgentRequest, number: str) -> Inquiry:
    inquiry = get_object_or_404(Inquiry.objects.visible_to(request.user), pk=_number(number))
    name_inquiry(inquiry.pk)
    return inquiry


def _mail(request: AgentRequest) -> Delivery:
    visible = Delivery.objects.filter(inquiry__in=Inquiry.objects.visible_to(request.user))
    mail: Delivery = get_object_or_404(visible.select_related("inquiry"), pk=_number(request.POST.get("delivery", "")))
    name_inquiry(mail.inquiry_id)
    return mail


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise Http404
    return int(text)


def _region(request: AgentRequest) -> dict[str, str]:
    """The region's HTML and a digest of it. The form's CSRF token stands outside, or no digest would ever hold."""
    html = render_to_string("inquiries/_monitor_body.html", _figures(), request)
    return {"body": html, "digest": hashlib.sha256(html.encode()).hexdigest()[:16]}


def _figures() -> dict[str, object]:
    workers = metrics.workers()
    pace = metrics.pace()
    return {
        "backlog": metrics.backlog(),
        "queue": metrics.queue(),
        "pause": metrics.pause(),
        "pace": pace,
        "charts": pace_charts(pace),
        "workers": workers,
        "has_live_worker": any(worker.is_alive for worker in workers),
        "failures": _with_buttons(list(metrics.last_failures())),
        "trying_again": metrics.waiting_to_try_again(),
        "engine": metrics.engine_in_use(),
        "ai": metrics.ai_service(),
        "spent": metrics.spent(),
        "mail_service": metrics.mail_service(),
        "mail": metrics.mail(),
        "troubled_mails": metrics.troubled_mails(),
        "backup": metrics.backup(),
    }


def _with_buttons(failures: list[Analysis]) -> list[Analysis]:
    """Give each inquiry its buttons once, beside its newest failure."""
    seen: set[int] = set()
    for analysis in failures:
        is_first = analysis.inquiry_id not in seen
        seen.add(analysis.inquiry_id)
        analysis.can_retry = is_first and analysis.inquiry.ai_state == AnalysisState.FAILED  # type: ignore[attr-defined]
    return failures


def _varied(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response
