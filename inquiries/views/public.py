"""The customer's pages: the form, the receipt, the status of one inquiry. No account, no cookie but CSRF's."""

from __future__ import annotations

import math
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from inquiries import services
from inquiries.api.throttling import public_limit
from inquiries.forms import InquiryForm, Ticket
from inquiries.models import SiteSettings
from inquiries.services import IdempotencyConflict, Replay
from inquiries.states import Source
from inquiries.views.private import by_token, private_page
from pok.logging import get_logger, name_inquiry
from pok.outage import DOWN, RETRY_AFTER, render_without_database

View = Callable[..., HttpResponse]
log = get_logger(__name__)


# --- The form ----------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Show the form, or take an inquiry in; whatever goes wrong, the typed text stays on the page."""
    if request.method != "POST":
        return form_page(request, InquiryForm.fresh())
    form = InquiryForm(request.POST)
    if not form.is_valid():
        return form_page(request, form, status=422)
    if (ticket := form.given_ticket) is None:
        return _with_notice(request, form.with_new_ticket(), _old_page_text(), status=422)
    try:
        return _take_in(request, form, ticket)
    except IdempotencyConflict as conflict:
        return form_page(request, form.with_new_ticket(), status=409, earlier=conflict.inquiry)
    except DOWN as error:
        log.error("database_down", exc_info=error, route="home")
        return _database_down(request, form)


def _take_in(request: HttpRequest, form: InquiryForm, ticket: Ticket) -> HttpResponse:
    if (wait := public_limit(request)) is not None:
        return _too_many(request, form, math.ceil(wait))
    data = form.cleaned_data
    submission = services.submit(
        customer_name=data["customer_name"],
        email=data["email"],
        message=data["message"],
        source=Source.FORM,
        replay=Replay("form", ticket.key),
        spam_reason=form.spam_reason(ticket),
    )
    name_inquiry(submission.inquiry.pk)
    return redirect("receipt", submission.inquiry.public_token)


def form_page(request: HttpRequest, form: InquiryForm, *, status: int = 200, **context: object) -> HttpResponse:
    """The page with the form; its idempotency key belongs to this visitor only."""
    response = render(request, "inquiries/home.html", {"form": form, **context}, status=status)
    # Not "no-store": going back must find the page, with its text, as it was.
    response["Cache-Control"] = "private, no-cache"
    return response


def after_csrf_failure(request: HttpRequest) -> HttpResponse:
    """The form again with its text and a fresh token: the person only has to press the button once more."""
    text = _("Your browser did not send the security cookie of this page. Your text is still here: send it again.")
    form = InquiryForm(request.POST)
    return _with_notice(request, form if form.given_ticket else form.with_new_ticket(), text, status=403)


def _with_notice(request: HttpRequest, form: InquiryForm, text: str, *, status: int) -> HttpResponse:
    return form_page(request, form, status=status, notice=text)


def _old_page_text() -> str:
    return _("This page was out of date. Your text is still here: please send it again.")


def _too_many(request: HttpRequest, form: InquiryForm, seconds: int) -> HttpResponse:
    text = ngettext(
        "Many inquiries have come from your connection. Your text is still here: send it again in %(n)d second.",
        "Many inquiries have come from your connection. Your text is still here: send it again in %(n)d seconds.",
        seconds,
    ) % {"n": seconds}
    response = _with_notice(request, form, text, status=429)
    response["Retry-After"] = str(seconds)
    return response


def _database_down(request: HttpRequest, form: InquiryForm) -> HttpResponse:
    text = _("We cannot take your inquiry right now. Your text is still here: send it again in a moment.")
    response = render_without_database(request, "inquiries/home.html", {"form": form, "notice": text}, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


# --- What the customer gets ----------------------------------------------------------------------
@require_safe
@private_page
def receipt(request: HttpRequest, token: str) -> HttpResponse:
    """The number and the private link, right after sending."""
    # Said to everybody: whether one was queued would tell what was taken for spam.
    has_receipts = settings.HAS_MAIL and SiteSettings.current().send_receipts
    return render(request, "inquiries/receipt.html", {"inquiry": by_token(token), "has_receipts": has_receipts})


# --- Machines ------------------------------------------------------------------------------------
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Keep crawlers to the form: everything else is private."""
    return render(request, "robots.txt", content_type="text/plain; charset=utf-8")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for this address by themselves."""
    return HttpResponsePermanentRedirect(static("img/pok.svg"))
