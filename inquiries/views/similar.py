"""Past inquiries like the one that is read, and their answers as a place to start from."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from inquiries import services
from inquiries.forms_detail import StartFromForm
from inquiries.models import Example, Inquiry
from inquiries.views.actions import agent_action, do, refuse
from inquiries.views.requests import AgentRequest
from inquiries.views.workspace import fetch


@never_cache
@require_safe
@login_required
def similar(request: AgentRequest, pk: int) -> HttpResponse:
    """List them: the region for the detail page, a page of its own without JavaScript."""
    from inquiries.similar import similar_to  # numpy: 20 MB that a web process need not hold before

    inquiry = fetch(request, pk)
    context = {"inquiry": inquiry, "neighbours": similar_to(inquiry)}
    template = "inquiries/_similar.html" if request.htmx else "inquiries/similar.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@agent_action
def start_from(request: AgentRequest, pk: int) -> HttpResponse:
    """Put the answer of a past inquiry into the editor."""
    inquiry, form = fetch(request, pk), StartFromForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    version, text = form.cleaned_data["version"], form.cleaned_data["text"]
    example = _example(request, form.cleaned_data["example"])
    return do(
        request,
        pk,
        lambda: services.start_from_answer(inquiry, actor=request.user, example=example, version=version),
        _("The answer of #%(number)d is in the editor: check it before you send it.") % {"number": example.inquiry_id},
        mine=text,
        with_editor=True,
    )


def _example(request: AgentRequest, inquiry_id: int) -> Example:
    visible = Inquiry.objects.visible_to(request.user).filter(pk=inquiry_id)
    example = get_object_or_404(Example, inquiry__in=visible)
    if not example.answer:
        raise Http404
    return example
