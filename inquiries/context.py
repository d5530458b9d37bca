"""What every template may ask for."""

from __future__ import annotations

from django.http import HttpRequest

from inquiries.models import SiteSettings


def site(request: HttpRequest) -> dict[str, object]:
    """The desk's settings as `site`."""
    return {"site": SiteSettings.current()}
