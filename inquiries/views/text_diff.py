"""Two texts beside each other, the words that differ marked on both sides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Spaces stand by themselves: a line added behind a word must not change the word.
_WORDS = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words, and whether the other text has it too."""

    text: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """A field of two versions: its label and both texts in pieces."""

    label: str
    mine: list[Piece]
    theirs: list[Piece]


def field_diff(label: str, mine: str, theirs: str) -> FieldDiff:
    """Set two texts against each other word by word."""
    ours, others = _WORDS.findall(mine), _WORDS.findall(theirs)
    diff = FieldDiff(label, [], [])
    # difflib's own heuristic for frequent words stays on: it keeps long texts quick.
    for tag, i, j, k, m in SequenceMatcher(None, ours, others).get_opcodes():
        if j > i:
            diff.mine.append(Piece("".join(ours[i:j]), tag != "equal"))
        if m > k:
            diff.theirs.append(Piece("".join(others[k:m]), tag != "equal"))
    return diff
