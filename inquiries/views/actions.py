"""What an agent does to an inquiry. Each view reads a form, calls one verb and answers with the changed regions."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from inquiries import services
from inquiries.forms_detail import CategoryForm, CloseForm, ReplyForm, SentimentForm, UndoForm
from inquiries.models import Inquiry
from inquiries.models.inquiry import InquiryError
from inquiries.states import Sentiment, Status
from inquiries.templatetags.desk import person
from inquiries.views.requests import AgentRequest
from inquiries.views.workspace import Conflict, context_of, fetch, respond

View = Callable[..., HttpResponse]


def agent_action(view: View) -> View:
    """POST only, by somebody who is signed in, never cached."""
    guarded: View = never_cache(require_POST(login_required(view)))
    return guarded


@agent_action
def set_category(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), CategoryForm(request.POST)
    if not form.is_valid():
        return _refuse(request, pk, form)
    category = form.cleaned_data["category"]
    return _do(
        request,
        pk,
        lambda: services.correct_category(inquiry, actor=request.user, category=category),
        _("Category: %(name)s.") % {"name": category.name},
    )


@agent_action
def set_sentiment(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), SentimentForm(request.POST)
    if not form.is_valid():
        return _refuse(request, pk, form)
    sentiment = Sentiment(form.cleaned_data["sentiment"])
    return _do(
        request,
        pk,
        lambda: services.correct_sentiment(inquiry, actor=request.user, sentiment=sentiment),
        _("Sentiment: %(name)s.") % {"name": sentiment.label},
    )


@agent_action
def undo(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), UndoForm(request.POST)
    if not form.is_valid():
        return _refuse(request, pk, form)
    field = form.cleaned_data["field"]
    return _do(
        request,
        pk,
        lambda: services.undo_correction(inquiry, actor=request.user, field=field),
        _("The correction was taken back."),
    )


@agent_action
def save_reply(request: AgentRequest, pk: int) -> HttpResponse:
    """Keep the editor's text: the autosave gets a line that says so, a plain form the page again."""
    inquiry, form = fetch(request, pk), ReplyForm(request.POST)
    if not form.is_valid():
        return _refuse(request, pk, form)
    text, version = form.cleaned_data["text"], form.cleaned_data["version"]
    if not inquiry.is_waiting:
        return _clash(request, inquiry, text, _("This inquiry is no longer open: the reply was not saved."))
    try:
        saved = services.save_reply(inquiry, actor=request.user, text=text, version=version)
    except services.ReplyConflict as conflict:
        return _clash(request, conflict.inquiry, text, str(conflict))
    except InquiryError as error:
        return _clash(request, fetch(request, pk), text, str(error))
    if request.htmx:
        return render(request, "inquiries/_saved.html", {"inquiry": saved})
    messages.success(request, _("The reply was saved."))
    return redirect(saved)


@agent_action
def use_draft(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), ReplyForm(request.POST)
    if not form.is_valid():
        return _refuse(request, pk, form)
    version, text = form.cleaned_data["version"], form.cleaned_data["text"]
    return _do(
        request,
        pk,
        lambda: services.use_draft(inquiry, actor=request.user, version=version),
        _("The AI's draft is back."),
        mine=text,
        with_editor=True,
    )


@agent_action
def publish(request: AgentRequest, pk: int) -> HttpResponse:
    """Publish the editor's text; a second click on the same text finds it published and says so."""
    inquiry, form = fetch(request, pk), ReplyForm(request.POST)
    if not form.is_valid():
        return _refuse(request, pk, form)
    text, version = form.cleaned_data["text"], form.cleaned_data["version"]

    def verb() -> None:
        if not (inquiry.status == Status.ANSWERED and _is_published(inquiry, text)):
            services.publish_answer(inquiry, actor=request.user, text=text, version=version)

    done = _("The answer is published: the customer sees it on the status page.")
    return _do(request, pk, verb, done, mine=text, with_editor=True)


@agent_action
def close(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), CloseForm(request.POST)
    if not form.is_valid():
        return _refuse(request, pk, form)
    reason = form.cleaned_data["reason"]
    return _do(
        request,
        pk,
        lambda: services.close(inquiry, actor=request.user, reason=reason),
        _("The inquiry is closed."),
        with_editor=True,
    )


@agent_action
def reopen(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry = fetch(request, pk)
    return _do(
        request,
        pk,
        lambda: services.reopen(inquiry, actor=request.user),
        _("The inquiry is open again."),
        with_editor=True,
    )


@agent_action
def mark_spam(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry = fetch(request, pk)
    return _do(
        request,
        pk,
        lambda: services.mark_spam(inquiry, actor=request.user),
        _("The inquiry is marked as spam."),
        with_editor=True,
    )


@agent_action
def unmark_spam(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry = fetch(request, pk)
    return _do(
        request,
        pk,
        lambda: services.unmark_spam(inquiry, actor=request.user),
        _("The inquiry is back from spam."),
        with_editor=True,
    )


@agent_action
def retry(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry = fetch(request, pk)
    return _do(request, pk, lambda: services.retry(inquiry, actor=request.user), _("A new analysis was asked for."))


def _do(
    request: AgentRequest,
    pk: int,
    verb: Callable[[], object],
    done: str,
    *,
    mine: str = "",
    with_editor: bool = False,
) -> HttpResponse:
    """Call the verb and answer. What cannot be done is a 409 (an empty reply a 422) that says why; the text stays."""
    try:
        verb()
    except services.ReplyConflict as conflict:
        return _clash(request, conflict.inquiry, mine, str(conflict))
    except InquiryError as error:
        messages.error(request, str(error))
        status = 422 if isinstance(error, services.EmptyReply) else 409
        kept = {"editor_text": mine} if mine else {}
        return respond(request, pk, status=status, extra=kept)
    messages.success(request, done)
    return respond(request, pk, with_editor=with_editor)


def _is_published(inquiry: Inquiry, text: str) -> bool:
    newest = inquiry.messages.order_by("-id").first()
    return newest is not None and newest.body == text


def _clash(request: AgentRequest, inquiry: Inquiry, mine: str, reason: str) -> HttpResponse:
    """Show both texts and let the person choose; nothing was written."""
    fresh = fetch(request, inquiry.pk)
    conflict = Conflict(
        mine=mine,
        theirs=fresh.reply_text,
        theirs_by=person(fresh.reply_by) if fresh.reply_by else "",
        version=fresh.reply_version,
        reason=reason,
        is_over=not fresh.is_waiting,
    )
    if request.htmx:
        context = context_of(fresh, oob=True, conflict=conflict)
        return render(request, "inquiries/_detail_changes.html", context, status=409)
    context = context_of(fresh, conflict=conflict, editor_text=mine)
    return render(request, "inquiries/detail.html", context, status=409)


def _refuse(request: AgentRequest, pk: int, form: forms.Form) -> HttpResponse:
    for errors in form.errors.values():
        for error in errors:
            messages.error(request, str(error))
    return respond(request, pk, status=422)
