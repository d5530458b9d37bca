"""The inbox: one address for page and region, and the one poller of the page."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from inquiries.views.listing import Listing
from inquiries.views.requests import AgentRequest

MAX_SHOWN = 100


@never_cache
@require_safe
@login_required
def inbox(request: AgentRequest) -> HttpResponse:
    """Show the list; htmx gets only the region, except when it rebuilds a page from history."""
    if not request.user.works_inbox:
        return render(request, "inquiries/no_role.html", status=403)
    is_region = bool(request.htmx) and not request.htmx.history_restore_request
    listing = Listing(request.user, request.GET)
    context = {"newest": listing.newest, "listing": listing, "news": 0, "is_region": is_region}
    template = "inquiries/_inbox.html" if is_region else "inquiries/inbox.html"
    response = render(request, template, context, status=200 if listing.is_valid else 422)
    patch_vary_headers(response, ["HX-Request"])
    return response


@never_cache
@require_safe
@login_required
def changes(request: AgentRequest) -> HttpResponse:
    """Answer the poller: 204 while nothing has changed, else the changed rows, the counters and how many are new."""
    if not request.user.works_inbox:
        raise Http404
    listing = Listing(request.user, request.GET)
    shown = _shown(request.GET)
    newest = _number(request.GET.get("_newest", ""))
    versions = listing.visible.versions(shown)
    # What has arrived at all is known for nothing; only then it matters what of it belongs to this list.
    news = listing.news(newest, shown) if max(versions, default=0) > newest else 0
    changed = [pk for pk, version in shown.items() if pk in versions and versions[pk] != version]
    same_numbers = listing.counters_digest == request.GET.get("_counters") and str(news) == request.GET.get("_news")
    if not changed and same_numbers:
        return HttpResponse(status=204)
    context = {
        "listing": listing,
        "newest": newest,
        "news": news,
        "news_url": listing.news_url(newest, shown, news) if news else "",
        "shown": ",".join(f"{pk}.{versions.get(pk, version)}" for pk, version in shown.items()),
        "changed": listing.visible.for_queue().filter(pk__in=changed),
        "matching": set(listing.matching.filter(pk__in=changed).values_list("pk", flat=True)),
    }
    return render(request, "inquiries/_inbox_changes.html", context)


def _shown(query: QueryDict) -> dict[int, int]:
    """The rows of the page and their versions, from "12.3,13.0"."""
    pairs = re.findall(r"(\d{1,18})\.(\d{1,10})", query.get("_shown", ""))
    return {int(pk): int(version) for pk, version in pairs[:MAX_SHOWN]}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
