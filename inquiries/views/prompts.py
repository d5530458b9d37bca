"""The instructions of the AI, for supervisors: their versions, one version, and a new one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.views import redirect_to_login
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from inquiries import comparing, services
from inquiries.forms_prompts import PreviewForm, PromptForm
from inquiries.models import Comparison, PromptVersion, Tone
from inquiries.models.inquiry import InquiryError
from inquiries.services.prompts import TEXTS, says_the_same
from inquiries.views.requests import AgentRequest, posted_from
from inquiries.views.text_diff import FieldDiff, field_diff
from inquiries.views.trials import comparison_context, start_preview

supervisors_only = permission_required("inquiries.supervise", raise_exception=True)
MOST_USES = 20


@never_cache
@require_safe
@login_required
@supervisors_only
def prompts(request: AgentRequest) -> HttpResponse:
    """All versions, the newest first, and how the drafts of each did."""
    versions = PromptVersion.objects.select_related("created_by").defer("facts", "forbidden", "signature")
    figures = comparing.version_figures()
    rows = [(version, figures.get(version.pk)) for version in versions]
    return render(request, "inquiries/prompts.html", {"rows": rows, "newest": comparing.NEWEST_OUTCOMES})


@never_cache
@require_safe
@login_required
@supervisors_only
def prompt(request: AgentRequest, pk: int) -> HttpResponse:
    """One version: its texts, how it differs from the one in use, and what can be done with it."""
    return _page(request, _version(pk), PreviewForm())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def prompt_new(request: AgentRequest) -> HttpResponse:
    """The form of a new version, filled with the texts of `?desde=<id>` or of the version in use."""
    if request.method == "POST" and not request.user.is_authenticated:
        return _signed_out(request)
    return _edit(request)


@posted_from("prompt")
@supervisors_only
def prompt_activate(request: AgentRequest, pk: int) -> HttpResponse:
    """Put a version into use."""
    version = services.prompts.activate(_version(pk), actor=request.user)
    messages.success(request, _("%(version)s is in use now.") % {"version": version})
    return redirect("prompt", pk=pk)


@posted_from("prompt")
@supervisors_only
def prompt_preview(request: AgentRequest, pk: int) -> HttpResponse:
    """Try a version on the newest inquiries, or on the one that is named."""
    version, form = _version(pk), PreviewForm(request.POST)
    if form.is_valid():
        try:
            trial = start_preview(request.user, version, form.cleaned_data["number"])
        except services.comparisons.AlreadyRuns as error:
            messages.warning(request, str(error))
            return redirect("comparison", pk=error.comparison.pk)
        except InquiryError as error:
            form.add_error("number", str(error))
        else:
            return redirect("comparison", pk=trial.pk)
    return _page(request, version, form, status=422)


@login_required
@supervisors_only
def _edit(request: AgentRequest) -> HttpResponse:
    base = _base(request)
    start = {name: getattr(base, name) for name in TEXTS}
    form = PromptForm(request.POST) if request.method == "POST" else PromptForm(initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            version = services.prompts.save_version(
                actor=request.user, base=base, **{name: form.cleaned_data[name] for name in form.fields}
            )
        except services.prompts.NothingChanged as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(version)s is saved. It is not in use yet.") % {"version": version})
            return redirect("prompt", pk=version.pk)
    return render(
        request,
        "inquiries/prompt_new.html",
        {"form": form, "base": base},
        status=422 if form.is_bound else 200,
    )


def _page(request: AgentRequest, version: PromptVersion, form: PreviewForm, status: int = 200) -> HttpResponse:
    current = services.prompts.active()
    context: dict[str, Any] = {
        "version": version,
        "current": current,
        "is_same": says_the_same(version, current),
        "changes": _changes(version, current),
        "texts": [(_label(name), _shown(version, name)) for name in TEXTS],
        "uses": _uses(version),
        "system": services.prompts.system_text(version),
        "preview_form": form,
        "preview_size": services.comparisons.PREVIEW_SIZE,
        "trials": Comparison.objects.filter(prompt=version).select_related("created_by")[:10],
        **comparison_context(version),
    }
    return render(request, "inquiries/prompt.html", context, status=status)


def _version(pk: int) -> PromptVersion:
    return get_object_or_404(PromptVersion.objects.select_related("created_by"), pk=pk)


def _base(request: AgentRequest) -> PromptVersion:
    wanted = request.GET.get("desde", "")
    if not wanted:
        return services.prompts.active()
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) < 18):
        raise Http404
    return get_object_or_404(PromptVersion, pk=int(wanted))


def _changes(version: PromptVersion, current: PromptVersion) -> list[FieldDiff]:
    """The fields that differ from the version in use, word by word."""
    return [
        field_diff(_label(name), _shown(version, name), _shown(current, name))
        for name in TEXTS
        if getattr(version, name) != getattr(current, name)
    ]


def _label(name: str) -> str:
    return str(PromptVersion._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _shown(version: PromptVersion, name: str) -> str:
    return str(Tone(version.tone).label) if name == "tone" else str(getattr(version, name))


def _uses(version: PromptVersion) -> list[LogEntry]:
    """When this version was put into use, and by whom, the newest first."""
    kind = ContentType.objects.get_for_model(PromptVersion)
    noted = LogEntry.objects.filter(content_type=kind, object_id=str(version.pk)).select_related("user")
    return list(noted.order_by("-action_time")[:MOST_USES])


def _signed_out(request: AgentRequest) -> HttpResponse:
    """The session ended while somebody wrote: show the texts, which are kept nowhere else, and lead to the sign-in."""
    text = "\n\n".join(filter(str.strip, (request.POST.get(name, "") for name in TEXTS if name != "tone")))
    sign_in = redirect_to_login(request.get_full_path())
    if not text:
        return sign_in
    return render(request, "inquiries/signed_out.html", {"text": text, "sign_in": sign_in.url}, status=403)
