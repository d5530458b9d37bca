"""What an agent does to an inquiry. Each view reads a form, calls one verb and answers with the changed regions."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inquiries import services
from inquiries.forms_detail import AnswerForm, CategoryForm, CloseForm, DeliveryForm, ReplyForm, SentimentForm, UndoForm
from inquiries.models import Delivery, Inquiry
from inquiries.models.inquiry import InquiryError, InvalidMove, StaleInquiry
from inquiries.states import MessageKind, Sentiment, Status
from inquiries.views.conflict import clash_of, who_ended
from inquiries.views.requests import AgentRequest, View, posted_from
from inquiries.views.workspace import context_of, fetch, respond

agent_action = posted_from("detail")


@agent_action
def set_category(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), CategoryForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    category = form.cleaned_data["category"]
    return do(
        request,
        pk,
        lambda: services.correct_category(inquiry, actor=request.user, category=category),
        _("Category: %(name)s.") % {"name": category.name},
    )


@agent_action
def set_sentiment(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), SentimentForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    sentiment = Sentiment(form.cleaned_data["sentiment"])
    return do(
        request,
        pk,
        lambda: services.correct_sentiment(inquiry, actor=request.user, sentiment=sentiment),
        _("Sentiment: %(name)s.") % {"name": sentiment.label},
    )


@agent_action
def undo(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), UndoForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    field = form.cleaned_data["field"]
    return do(
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
        return refuse(request, pk, form)
    text, version = form.cleaned_data["text"], form.cleaned_data["version"]
    if not inquiry.is_waiting:
        return _clash(request, pk, text)
    try:
        saved = services.save_reply(inquiry, actor=request.user, text=text, version=version)
    except services.ReplyConflict as conflict:
        return _clash(request, pk, text, str(conflict))
    except InquiryError as error:
        return _clash(request, pk, text, str(error))
    if request.htmx:
        return _saved(request, saved, has_moved=saved.status != inquiry.status)
    messages.success(request, _("The reply was saved."))
    return redirect(saved)


@agent_action
def use_draft(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), ReplyForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    version, text = form.cleaned_data["version"], form.cleaned_data["text"]
    return do(
        request,
        pk,
        lambda: services.use_draft(inquiry, actor=request.user, version=version),
        _("The AI's draft is back."),
        mine=text,
        with_editor=True,
    )


@agent_action
def send(request: AgentRequest, pk: int) -> HttpResponse:
    """Send the editor's text; a second click on the same text finds it on its way and says so."""
    inquiry, form = fetch(request, pk), ReplyForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    text, version = form.cleaned_data["text"], form.cleaned_data["version"]

    def verb() -> None:
        try:
            services.send_answer(inquiry, actor=request.user, text=text, version=version)
        except (InvalidMove, StaleInquiry):
            if not _is_sent(fetch(request, pk), text):
                raise

    done = _("The answer is on its way. You can still undo it.")
    return do(request, pk, verb, done, mine=text, with_editor=True)


@agent_action
def undo_send(request: AgentRequest, pk: int) -> HttpResponse:
    """Take an answer back that has not left yet; a second click finds it taken back and says the same."""
    inquiry, form = fetch(request, pk), AnswerForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    answer = form.cleaned_data["answer"]
    return do(
        request,
        pk,
        lambda: services.undo_send(inquiry, actor=request.user, answer=answer),
        _("The answer was not sent. Its text is in the editor."),
        # Who has reopened the inquiry meanwhile has an editor already, maybe with another text.
        with_editor=not inquiry.is_waiting,
    )


def _decide(verb: Callable[..., Delivery], done: object) -> View:
    """The view of a decision about an email that failed, or of which nobody knows whether it arrived."""

    @agent_action
    def act(request: AgentRequest, pk: int) -> HttpResponse:
        inquiry, form = fetch(request, pk), DeliveryForm(request.POST)
        if not form.is_valid():
            return refuse(request, pk, form)
        email = get_object_or_404(inquiry.deliveries, pk=form.cleaned_data["delivery"])
        return do(request, pk, lambda: verb(email, actor=request.user), str(done))

    return act


resend = _decide(services.send_again, gettext_lazy("The email will be sent again."))
settle = _decide(services.settle, gettext_lazy("Noted: this email needs nothing more."))


@agent_action
def close(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry, form = fetch(request, pk), CloseForm(request.POST)
    if not form.is_valid():
        return refuse(request, pk, form)
    reason = form.cleaned_data["reason"]
    return do(
        request,
        pk,
        lambda: services.close(inquiry, actor=request.user, reason=reason),
        _("The inquiry is closed."),
        with_editor=True,
        ends=True,
    )


def _move(verb: Callable[..., Inquiry], done: object) -> View:
    """The view of a verb that changes the status and needs nothing but a click."""

    @agent_action
    def act(request: AgentRequest, pk: int) -> HttpResponse:
        inquiry = fetch(request, pk)
        return do(request, pk, lambda: verb(inquiry, actor=request.user), str(done), with_editor=True)

    return act


reopen = _move(services.reopen, gettext_lazy("The inquiry is open again."))
mark_spam = _move(services.mark_spam, gettext_lazy("The inquiry is marked as spam."))
unmark_spam = _move(services.unmark_spam, gettext_lazy("The inquiry is back from spam."))


@agent_action
def retry(request: AgentRequest, pk: int) -> HttpResponse:
    inquiry = fetch(request, pk)
    return do(request, pk, lambda: services.retry(inquiry, actor=request.user), _("A new analysis was asked for."))


def do(
    request: AgentRequest,
    pk: int,
    verb: Callable[[], object],
    done: str,
    *,
    mine: str | None = None,
    with_editor: bool = False,
    ends: bool = False,
) -> HttpResponse:
    """Call the verb and answer. What cannot be done is a 409 (an empty reply a 422) that says why; the text stays.

    `mine` is the editor's text, where the form brings it. What `ends` an inquiry that somebody else ended first
    is told who did.
    """
    try:
        verb()
    except services.ReplyConflict as conflict:
        return _clash(request, pk, mine or "", str(conflict))
    except InquiryError as error:
        if (mine is not None or ends) and not (fresh := fetch(request, pk)).is_waiting:
            if mine is None:
                messages.error(request, who_ended(fresh))
            return _clash(request, pk, mine or "")
        status = 422 if isinstance(error, services.EmptyReply) else 409
        return _complain(request, pk, [str(error)], status, mine)
    messages.success(request, done)
    return respond(request, pk, with_editor=with_editor)


def _is_sent(inquiry: Inquiry, text: str) -> bool:
    newest = inquiry.messages.filter(kind=MessageKind.ANSWER).last()
    return inquiry.status == Status.ANSWERED and newest is not None and newest.body == text


def _saved(request: AgentRequest, inquiry: Inquiry, *, has_moved: bool) -> HttpResponse:
    """The line of an autosave; with the first one, which opens the inquiry, its head and history too."""
    context = context_of(inquiry, oob=True) if has_moved else {"inquiry": inquiry}
    return render(request, "inquiries/_saved.html", context | {"has_moved": has_moved})


def _clash(request: AgentRequest, pk: int, mine: str, reason: str = "") -> HttpResponse:
    """Show both texts and let the person choose; nothing was written."""
    fresh = fetch(request, pk)
    conflict = clash_of(fresh, mine, reason)
    if request.htmx:
        context = context_of(fresh, oob=True, conflict=conflict, with_messages=True)
        return render(request, "inquiries/_detail_changes.html", context, status=409)
    context = context_of(fresh, conflict=conflict, editor_text=mine or fresh.reply_text)
    return render(request, "inquiries/detail.html", context, status=409)


def refuse(request: AgentRequest, pk: int, form: forms.Form) -> HttpResponse:
    """Answer a form that brings something impossible with what is wrong about it; the text stays."""
    reasons = [str(error) for errors in form.errors.values() for error in errors]
    mine = request.POST.get("text", "") if isinstance(form, ReplyForm) else None
    return _complain(request, pk, reasons, 422, mine)


def _complain(request: AgentRequest, pk: int, reasons: list[str], status: int, mine: str | None) -> HttpResponse:
    """Say why, beside the buttons of the editor where its text came along, which stays in it."""
    extra: dict[str, object] = {} if mine is None else {"reply_errors": reasons, "editor_text": mine}
    if mine is None or not request.htmx:  # a whole page opens at its top, far from the editor
        for reason in reasons:
            messages.error(request, reason)
    return respond(request, pk, status=status, extra=extra)
