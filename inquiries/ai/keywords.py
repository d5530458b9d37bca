"""Keywords that a supervisor gives a category, found in text without regard to case and accents. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from inquiries.ai.text import fold, words

# A keyword this short ("iva", "app") must be the whole word, or it would match half the dictionary.
_WHOLE_WORD_UP_TO = 3


class Keywords:
    """A list of keywords: "factur" finds "facturación"; "no anda" finds those words side by side."""

    def __init__(self, keywords: Sequence[str]) -> None:
        folded = (haystack(keyword).strip() for keyword in keywords)
        self._needles = tuple(dict.fromkeys(_needle(keyword) for keyword in folded if keyword))

    def count(self, folded: str) -> int:
        """Return how many of the keywords occur in a text folded by `haystack`."""
        return sum(needle in folded for needle in self._needles)

    def matches(self, text: str) -> list[str]:
        """Return the words of the text that the keywords found, spelled as in the text."""
        originals = [original for original, _ in _folded_words(text)]
        folded = haystack(text)
        found = [needle for needle in self._needles if needle in folded]
        # Every word has one blank before it, so the blanks before a match count the words before it.
        starts = [folded[: folded.index(needle)].count(" ") for needle in found]
        ends = [start + len(needle.split()) for start, needle in zip(starts, found, strict=True)]
        return [" ".join(originals[start:end]) for start, end in zip(starts, ends, strict=True)]


def haystack(text: str) -> str:
    """Return the folded words of a text between single blanks, as `Keywords.count` wants them."""
    return f" {' '.join(token for _, token in _folded_words(text))} "


def _folded_words(text: str) -> list[tuple[str, str]]:
    """Return (word as written, folded word) pairs; "½" folds to two words, so one may stand twice."""
    return [(original, token) for original in words(text) for token in words(fold(original))]


def _needle(folded: str) -> str:
    return f" {folded} " if len(folded) <= _WHOLE_WORD_UP_TO else f" {folded}"
