"""Ask a pattern only where the text holds a word that it cannot match without.

A hundred patterns with many branches take milliseconds for a message of a few lines; to see which of their words
occur in it takes microseconds, and in an ordinary message hardly any does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from re import _constants as codes  # type: ignore[attr-defined] # the tree that `re` itself compiles
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

SHORTEST = 3  # letters; shorter words stand in every text
Words = frozenset[str]


class Prefilter:
    """Patterns of one kind of text, which is searched as it is: the flag IGNORECASE is not for them."""

    def __init__(self, patterns: Iterable[re.Pattern[str]]) -> None:
        self._patterns = [(pattern, needed_words(pattern)) for pattern in patterns]
        self._words: Words = frozenset().union(*(words for _pattern, words in self._patterns))

    def matches(self, text: str) -> bool:
        """Tell whether any of the patterns is found in the text."""
        found = {word for word in self._words if word in text}
        return any(
            pattern.search(text) for pattern, words in self._patterns if not words or not words.isdisjoint(found)
        )


def needed_words(pattern: re.Pattern[str]) -> Words:
    """Return words one of which is in every text that matches; none where nothing of the kind can be told."""
    if pattern.flags & re.IGNORECASE:
        return frozenset()
    return _of_sequence(parser.parse(pattern.pattern, pattern.flags))


def _of_sequence(parts: Iterable[tuple[Any, Any]]) -> Words:
    """Return the best that one part of a sequence demands: they must all match."""
    choices: list[Words] = []
    run = ""
    for code, value in [*parts, (None, None)]:
        if code is codes.LITERAL:
            run += chr(value)
            continue
        choices += [frozenset({run}), _of_part(code, value)]
        run = ""
    usable = [words for words in choices if words and min(map(len, words)) >= SHORTEST]
    return max(usable, key=lambda words: (min(map(len, words)), -len(words)), default=frozenset())


def _of_part(code: Any, value: Any) -> Words:
    if code is codes.SUBPATTERN:
        _group, flags, _no_flags, parts = value
        return frozenset() if flags & re.IGNORECASE else _of_sequence(parts)
    if code in {codes.MAX_REPEAT, codes.MIN_REPEAT} and value[0] > 0:
        return _of_sequence(value[2])
    if code is codes.BRANCH:
        branches = [_of_sequence(branch) for branch in value[1]]
        return frozenset().union(*branches) if all(branches) else frozenset()
    return frozenset()
