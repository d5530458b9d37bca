"""The closed list that an answer must come from, as engines see it."""

from __future__ import annotations

from inquiries.ai.engine import CategorySpec
from inquiries.models import Category
from pok.kept import Kept

CACHE_SECONDS = 2


def live_categories() -> tuple[CategorySpec, ...]:
    """Return the categories in use, in the supervisor's order."""
    return tuple(
        CategorySpec(row.name, row.description, row.example_lines(), row.keyword_lines())
        for row in Category.objects.live()
    )


# For what is asked with every inquiry; an answer is checked against the table itself.
recent = Kept("live-categories", CACHE_SECONDS, live_categories)
