"""What POK knows before anybody has taught it: default categories, training sentences, reply templates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from inquiries.ai.engine import CategorySpec

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DefaultCategory:
    """A category that a new installation starts with; `colour` is a palette name."""

    spec: CategorySpec
    colour: str


@cache
def default_categories() -> tuple[DefaultCategory, ...]:
    """Return the default categories in the order in which they are shown."""
    return tuple(
        DefaultCategory(
            CategorySpec(
                name=entry["name"],
                description=entry["description"],
                examples=tuple(entry["examples"]),
                keywords=tuple(entry["keywords"]),
            ),
            entry["colour"],
        )
        for entry in load("categories")
    )


@cache
def sentiment_sentences() -> dict[str, tuple[str, ...]]:
    """Return training sentences per sentiment, in inquiry style."""
    return {sentiment: tuple(sentences) for sentiment, sentences in load("sentiment").items()}


@cache
def courtesy_sentences() -> tuple[str, ...]:
    """Return greetings, thanks, presentations and signatures: sentences that say nothing about the matter."""
    return tuple(load("courtesy"))


@cache
def out_of_scope_sentences() -> tuple[str, ...]:
    """Return chit-chat, spam, tests and empty words: what does not belong to a customer-service desk."""
    return tuple(load("out_of_scope"))


@cache
def load(name: str) -> Any:
    """Return the parsed `<name>.json`; treat it as read-only, it is shared."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
