"""What the pages of the team say about the AI as a whole."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from inquiries import metrics

register = template.Library()


@register.simple_tag
def ai_notice() -> str:
    """One sentence while the AI does not read as it is set up to; "" in ordinary times."""
    texts = {
        "analysis_paused": _("The analysis is paused: new inquiries wait unread until a supervisor resumes it."),
        "budget": _("The AI budget is used up: the embedded engine reads new inquiries until the limit starts anew."),
        "paused": _(
            "The AI service does not answer: the embedded engine reads for now; those inquiries are read again later."
        ),
    }
    return texts.get(metrics.ai_notice(), "")
