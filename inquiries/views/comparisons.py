"""Trials on past inquiries, for supervisors. One URL serves a trial's page and the region of its poller."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseStopPolling

from inquiries import comparing, metrics, services
from inquiries.engines import EMBEDDED
from inquiries.forms_prompts import ComparisonForm
from inquiries.models import Comparison
from inquiries.models.inquiry import InquiryError
from inquiries.services.prompts import says_the_same
from inquiries.views.requests import AgentRequest, posted_from
from inquiries.views.trials import comparison_context, comparison_form, estimate_of

supervisors_only = permission_required("inquiries.supervise", raise_exception=True)


@never_cache
@require_safe
@login_required
@supervisors_only
def comparisons(request: AgentRequest) -> HttpResponse:
    """Past comparisons and the form of a new one; for htmx with a form's values, what that one will cost."""
    if _is_region(request):
        corrected = services.comparisons.corrected_count()
        estimate = estimate_of(comparison_form(corrected, request.GET), corrected)
        return _varied(render(request, "inquiries/_comparison_estimate.html", {"estimate": estimate}))
    return _varied(_list(request))


@never_cache
@require_safe
@login_required
@supervisors_only
def comparison(request: AgentRequest, pk: int) -> HttpResponse:
    """A trial: its progress, then its results. The poller gets 204 while nothing is new, 286 with the results."""
    trial = _fetch(pk)
    status = comparing.status_of(trial)
    is_poll = _is_region(request)
    if is_poll and status.is_running and request.GET.get("seen") == str(status.finished):
        return _varied(HttpResponse(status=204))
    template = "inquiries/_comparison.html" if is_poll else "inquiries/comparison.html"
    response = render(request, template, _figures(trial, status))
    if is_poll and not status.is_running:
        response.status_code = HttpResponseStopPolling.status_code
    return _varied(response)


@posted_from("comparisons")
@supervisors_only
def comparison_start(request: AgentRequest) -> HttpResponse:
    """Start a comparison; what is wrong with it is said above the form, which keeps its values."""
    form = comparison_form(services.comparisons.corrected_count(), request.POST)
    if form.is_valid():
        try:
            trial = services.comparisons.start(actor=request.user, kind=Comparison.Kind.COMPARE, **form.cleaned_data)
        except services.comparisons.AlreadyRuns as error:
            messages.warning(request, str(error))
            return redirect("comparison", pk=error.comparison.pk)
        except InquiryError as error:
            form.add_error(None, str(error))
        else:
            return redirect("comparison", pk=trial.pk)
    return _list(request, form)


@posted_from("comparison")
@supervisors_only
def comparison_cancel(request: AgentRequest, pk: int) -> HttpResponse:
    """Drop what has not begun."""
    services.comparisons.cancel(_fetch(pk), actor=request.user)
    messages.success(request, _("What had not begun is cancelled."))
    return redirect("comparison", pk=pk)


def _list(request: AgentRequest, form: ComparisonForm | None = None) -> HttpResponse:
    context = {"summaries": comparing.summaries(), **comparison_context(form=form)}
    return render(request, "inquiries/comparisons.html", context, status=422 if form else 200)


def _fetch(pk: int) -> Comparison:
    return get_object_or_404(Comparison.objects.select_related("prompt", "current_prompt", "created_by"), pk=pk)


def _figures(trial: Comparison, status: comparing.Status) -> dict[str, Any]:
    context: dict[str, Any] = {
        "comparison": trial,
        "status": status,
        "is_preview": trial.kind == Comparison.Kind.PREVIEW,
        "has_embedded": EMBEDDED in {trial.engine, trial.current_engine},
        "is_same_prompt": _has_same_prompt(trial),
    }
    if status.is_running:
        return context | {"has_live_worker": metrics.has_live_worker()}
    results = comparing.results_of(trial)
    return context | {"results": results, "failures": comparing.failures_of(trial)}


def _has_same_prompt(trial: Comparison) -> bool:
    """Tell whether only the engine or the model was on trial."""
    if trial.prompt is None or trial.current_prompt is None:
        return True
    return says_the_same(trial.prompt, trial.current_prompt)


def _is_region(request: AgentRequest) -> bool:
    return bool(request.htmx) and not request.htmx.history_restore_request


def _varied(response: HttpResponse) -> HttpResponse:
    patch_vary_headers(response, ["HX-Request"])
    return response
