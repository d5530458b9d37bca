"""Words for the pages of instructions and comparisons."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from inquiries.states import AIFlag

register = template.Library()


@register.filter
def flag_words(flags: Iterable[str]) -> list[str]:
    """The sentences of a reading's warnings; values that nobody knows any more are left out."""
    return [str(AIFlag(flag).label) for flag in flags if flag in AIFlag.values]
