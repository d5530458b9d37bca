"""What a supervisor's threshold of doubt means for the inquiries that wait."""

from __future__ import annotations

from django.db import transaction

from inquiries.models import Inquiry, SiteSettings


@transaction.atomic
def remark_doubtful() -> int:
    """Apply the threshold of the settings to what was read before; return how many inquiries changed their mark."""
    return Inquiry.objects.remark(SiteSettings.get_solo().review_threshold)
