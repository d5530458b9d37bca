"""The customer's private page: what became of the inquiry, the conversation, and the form to write again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseStopPolling

from inquiries import services
from inquiries.api.throttling import public_limit
from inquiries.forms import FollowUpForm, Ticket
from inquiries.models import Inquiry, Message
from inquiries.models.inquiry import InquiryError
from inquiries.services import IdempotencyConflict
from inquiries.states import MessageKind, Status
from inquiries.views.private import by_token, private_page
from pok.logging import get_logger
from pok.outage import DOWN, RETRY_AFTER, render_without_database

log = get_logger(__name__)


class CustomerState(TextChoices):
    """An inquiry's state in the customer's words; whether it was taken for spam is nobody's business."""

    RECEIVED = "received", gettext_lazy("Received")
    IN_PROGRESS = "in-progress", gettext_lazy("In progress")
    ANSWERED = "answered", gettext_lazy("Answered")
    CLOSED = "closed", gettext_lazy("Closed")


STATES = {
    Status.NEW: CustomerState.RECEIVED,
    Status.OPEN: CustomerState.IN_PROGRESS,
    Status.ANSWERED: CustomerState.ANSWERED,
    Status.CLOSED: CustomerState.CLOSED,
    Status.SPAM: CustomerState.RECEIVED,
}
FINAL = frozenset({CustomerState.ANSWERED, CustomerState.CLOSED})
# Where an answer may be on its way although the team is through.
HOLDING = frozenset({Status.ANSWERED, Status.CLOSED})


@dataclass(frozen=True, slots=True)
class Turn:
    """One text of the conversation; `number` counts them from the first message, 0, on."""

    body: str
    at: datetime
    is_answer: bool
    number: int


@require_safe
@private_page
@vary_on_headers("HX-Request")
def status(request: HttpRequest, token: str) -> HttpResponse:
    """The state in the customer's words and the conversation; the same address serves the poller."""
    inquiry = by_token(token)
    page = _page(inquiry)
    if not request.headers.get("HX-Request"):
        return render(request, "inquiries/status.html", page | {"form": FollowUpForm.fresh()})
    if request.GET.get("v") == page["version"] and not page["is_final"]:
        return HttpResponse(status=204)
    response = render(request, "inquiries/_status.html", page)
    response.status_code = HttpResponseStopPolling.status_code if page["is_final"] else 200
    return response


# The token in the address is the right to write; no cookie counts, so that there is nothing to forge. And pages that
# send no referrer send "Origin: null", which the CSRF check would refuse.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@private_page
def follow_up(request: HttpRequest, token: str) -> HttpResponse:
    """Take what the customer writes to an inquiry that we have; whatever goes wrong, the text stays on the page."""
    if request.method != "POST":  # the address of a page with an error, typed or kept
        return redirect("status", token)
    form = FollowUpForm(request.POST)
    try:
        inquiry = by_token(token)
        if not form.is_valid():
            return _form_again(request, inquiry, form, status=422)
        if (ticket := form.given_ticket) is None:
            text = _("This page was out of date. Your text is still here: please send it again.")
            return _form_again(request, inquiry, form.with_new_ticket(), text, status=422)
        return _take_in(request, inquiry, form, ticket)
    except DOWN as error:
        log.error("database_down", exc_info=error, route="follow_up")
        return _database_down(request, token, form)


def _take_in(request: HttpRequest, inquiry: Inquiry, form: FollowUpForm, ticket: Ticket) -> HttpResponse:
    if (wait := public_limit(request)) is not None:
        return _too_many(request, inquiry, form, math.ceil(wait))
    try:
        services.follow_up(inquiry, text=form.cleaned_data["message"], key=ticket.key)
    except IdempotencyConflict:
        text = _("This page has sent another text already. If you want to send this one too, press the button again.")
        return _form_again(request, inquiry, form.with_new_ticket(), text, status=409)
    except InquiryError as error:
        return _form_again(request, inquiry, form, str(error), status=409)
    return redirect("status", inquiry.public_token)


def _form_again(
    request: HttpRequest, inquiry: Inquiry, form: FollowUpForm, notice: str = "", *, status: int
) -> HttpResponse:
    page = _page(inquiry) | {"form": form, "notice": notice}
    return render(request, "inquiries/status.html", page, status=status)


def _too_many(request: HttpRequest, inquiry: Inquiry, form: FollowUpForm, seconds: int) -> HttpResponse:
    text = ngettext(
        "Many inquiries have come from your connection. Your text is still here: send it again in %(n)d second.",
        "Many inquiries have come from your connection. Your text is still here: send it again in %(n)d seconds.",
        seconds,
    ) % {"n": seconds}
    response = _form_again(request, inquiry, form, text, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _database_down(request: HttpRequest, token: str, form: FollowUpForm) -> HttpResponse:
    text = _("We cannot take your message right now. Your text is still here: send it again in a moment.")
    context = {"form": form, "notice": text, "token": token}
    response = render_without_database(request, "inquiries/status_down.html", context, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def _page(inquiry: Inquiry) -> dict[str, object]:
    thread = sorted(inquiry.messages.thread(), key=lambda message: message.published_at)  # as the customer saw it grow
    is_held = inquiry.status in HOLDING and inquiry.messages.pending().exists()
    state = _state(inquiry, thread, is_held=is_held)
    return {
        "inquiry": inquiry,
        "turns": _turns(inquiry, thread),
        "has_answer": any(message.kind == MessageKind.ANSWER for message in thread),
        "wrote_last": bool(thread) and thread[-1].kind == MessageKind.CUSTOMER,
        "written": sum(message.kind == MessageKind.CUSTOMER for message in thread),
        "state": state,
        "is_final": state in FINAL and not is_held,
        "version": f"{state.value}-{len(thread)}",
    }


def _state(inquiry: Inquiry, thread: list[Message], *, is_held: bool) -> CustomerState:
    """What the customer is told. An answer that can still be taken back is not there yet, and what became spam goes
    on as if it were none.
    """
    if inquiry.status == Status.SPAM and any(message.kind == MessageKind.ANSWER for message in thread):
        is_answered = thread[-1].kind == MessageKind.ANSWER
        return CustomerState.ANSWERED if is_answered else CustomerState.IN_PROGRESS
    if inquiry.status == Status.ANSWERED and is_held:
        return CustomerState.IN_PROGRESS
    return STATES[Status(inquiry.status)]


def _turns(inquiry: Inquiry, thread: list[Message]) -> list[Turn]:
    """The conversation, the newest first: who comes back looks for what is new."""
    turns = [Turn(inquiry.message, inquiry.created_at, is_answer=False, number=0)]
    for message in thread:
        turns.append(Turn(message.body, message.published_at, message.kind == MessageKind.ANSWER, len(turns)))
    return turns[::-1]
