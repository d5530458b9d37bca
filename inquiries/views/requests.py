"""Requests as the views of the team know them."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from inquiries.models import User


class AgentRequest(HttpRequest):
    """A request of somebody who is signed in; only for annotations."""

    user: User
    htmx: HtmxDetails
