"""Places in a text that hold personal data, and how overlapping ones become one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a place holds. Where two places of equal length overlap, the kind named first wins.

    NUMERO is for texts that are reused: an order's number is of use to its own customer alone.
    """

    CORREO = "correo"
    CUENTA = "cuenta"
    DOCUMENTO = "documento"
    TARJETA = "tarjeta"
    TELEFONO = "telefono"
    DIRECCION = "direccion"
    NOMBRE = "nombre"
    NUMERO = "numero"


_RANK = {kind: rank for rank, kind in enumerate(Kind)}


class Span(NamedTuple):
    """Characters `start` to `end` (not included) of a text."""

    start: int
    end: int
    kind: Kind


Detector = Callable[[str], Iterable[Span]]


def resolve(spans: Iterable[Span]) -> list[Span]:
    """Return disjoint spans in the order of the text.

    Overlapping spans become one that covers them all, of the longest one's kind: nothing that a detector took for
    personal is left standing at its edges.
    """
    disjoint: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end, _RANK[span.kind])):
        length = span.end - span.start
        if not disjoint or span.start >= disjoint[-1].end:
            disjoint.append(span)
            longest = length
            continue
        last = disjoint[-1]
        wins = (-length, _RANK[span.kind]) < (-longest, _RANK[last.kind])
        disjoint[-1] = Span(last.start, max(last.end, span.end), span.kind if wins else last.kind)
        longest = max(longest, length)
    return disjoint


def whole_words(text: str, span: Span) -> Span:
    """Return the span extended to the ends of the words that it cuts."""
    start, end, kind = span
    while _joined(text, start):
        start -= 1
    while _joined(text, end):
        end += 1
    return Span(start, end, kind)


def repeated(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield every place where a value that was found once stands again as a word of its own."""
    for value, kind in {text[span.start : span.end]: span.kind for span in spans}.items():
        start = text.find(value)
        while start >= 0:
            end = start + len(value)
            if not _joined(text, start) and not _joined(text, end):
                yield Span(start, end, kind)
            start = text.find(value, end)


def _joined(text: str, at: int) -> bool:
    return 0 < at < len(text) and bool(_IN_WORD.match(text, at - 1))


_IN_WORD = re.compile(r"\w\w")
