"""What the detail page shows, whole or in regions, and how each of its actions answers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from inquiries.models import Analysis, Category, Inquiry
from inquiries.models.job import AnalysisQuerySet
from inquiries.states import AIFlag, AIReason, AnalysisState, MessageKind, Sentiment, Status
from inquiries.views.history import history_of
from inquiries.views.requests import AgentRequest
from inquiries.views.thread import thread_of, watch_of
from pok.logging import name_inquiry

# Only a service outside fails so, and only once it has the request.
ASKED_IN_VAIN = (
    AIReason.RATE_LIMITED,
    AIReason.QUOTA,
    AIReason.TIMEOUT,
    AIReason.SERVER_ERROR,
    AIReason.AUTHENTICATION,
    AIReason.MODEL_NOT_FOUND,
    AIReason.BAD_REQUEST,
    AIReason.BAD_ANSWER,
    AIReason.TRUNCATED,
    AIReason.REFUSED,
    AIReason.CONTENT_FILTER,
)


def fetch(request: AgentRequest, pk: int) -> Inquiry:
    """The inquiry, for those who may see it; 404 for everybody else."""
    visible = Inquiry.objects.visible_to(request.user).for_detail().select_related("reply_by")
    inquiry = get_object_or_404(visible, pk=pk)
    name_inquiry(inquiry.pk)
    return inquiry


def context_of(inquiry: Inquiry, **extra: Any) -> dict[str, Any]:
    """Everything that the regions ask for."""
    analyses = list(
        Analysis.objects.readings().filter(inquiry=inquiry).defer("sent_text", "raw_answer").order_by("-id")[:20]
    )
    thread = thread_of(inquiry)
    answers = [entry for entry in thread if entry.message.kind == MessageKind.ANSWER]
    pending = next((entry for entry in reversed(answers) if entry.is_pending), None)
    text = extra.get("editor_text", inquiry.reply_text)
    done = [analysis for analysis in analyses if analysis.state == AnalysisState.DONE]
    return {
        "inquiry": inquiry,
        "analysis": done[0] if done else None,
        "categories": _choices(inquiry),
        "sentiments": Sentiment.choices,
        "thread": thread,
        "pending": pending,
        "has_mail": settings.HAS_MAIL,
        "is_sent": pending is None and bool(answers) and answers[-1].message.body.strip() == text.strip(),
        "watch": watch_of(inquiry, thread),
        "was_sent": sent_outside(inquiry).exists() or was_asked(inquiry),
        "flags": [AIFlag(flag).label for flag in inquiry.flags if flag in AIFlag.values],
        "history": history_of(inquiry, analyses),
        "undoable": set(inquiry.corrections.filter(undone_at=None).values_list("field", flat=True)),
        "can": {status.value: inquiry.can_move(status) for status in Status},
        "can_retry": _can_retry(inquiry),
        "page_url": inquiry.get_absolute_url(),
        "editor_text": inquiry.reply_text,
        "editor_version": inquiry.reply_version,
        **extra,
    }


def sent_outside(inquiry: Inquiry) -> AnalysisQuerySet:
    """Every request of which the text is kept; a trial of other instructions leaves this machine like a reading."""
    return Analysis.objects.filter(inquiry=inquiry).exclude(sent_text="")


def was_asked(inquiry: Inquiry) -> bool:
    """Tell whether the AI service got a request that it did not answer as it should; its text is not kept."""
    return Analysis.objects.filter(inquiry=inquiry, error__in=ASKED_IN_VAIN).exists()


def _choices(inquiry: Inquiry) -> list[Category]:
    """The categories in use, and the inquiry's own where it is no longer in use."""
    live = list(Category.objects.live())
    own = inquiry.category
    return live if own is None or own in live else [*live, own]


def _can_retry(inquiry: Inquiry) -> bool:
    is_short = inquiry.ai_state in {AnalysisState.FAILED, AnalysisState.SKIPPED} or inquiry.is_provisional
    return is_short and not inquiry.is_being_analysed and inquiry.status != Status.SPAM


def respond(
    request: AgentRequest,
    pk: int,
    *,
    status: int = 200,
    with_editor: bool = False,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    """Answer an action: the changed regions for htmx, the page for others (after success, by a redirect)."""
    inquiry = fetch(request, pk)
    if request.htmx:
        context = context_of(inquiry, oob=True, with_editor=with_editor, with_messages=True, **(extra or {}))
        return render(request, "inquiries/_detail_changes.html", context, status=status)
    if status == 200:
        return redirect(inquiry)
    return render(request, "inquiries/detail.html", context_of(inquiry, **(extra or {})), status=status)
