"""The marks that stand for personal data: reversible ones such as [CORREO_1] and generic ones such as [correo]."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from inquiries.ai.masking.spans import Kind

GENERIC = {
    Kind.CORREO: "[correo]",
    Kind.TARJETA: "[tarjeta]",
    Kind.CUENTA: "[cuenta]",
    Kind.DOCUMENTO: "[documento]",
    Kind.TELEFONO: "[teléfono]",
    Kind.DIRECCION: "[dirección]",
    Kind.NOMBRE: "[nombre]",
    Kind.NUMERO: "[número]",
}
# A model that answers in another language translates the placeholder along with the rest.
_TRANSLATED = {
    "email": Kind.CORREO,
    "e-mail": Kind.CORREO,
    "card": Kind.TARJETA,
    "cartao": Kind.TARJETA,
    "account": Kind.CUENTA,
    "conta": Kind.CUENTA,
    "document": Kind.DOCUMENTO,
    "phone": Kind.TELEFONO,
    "telefone": Kind.TELEFONO,
    "address": Kind.DIRECCION,
    "endereco": Kind.DIRECCION,
    "name": Kind.NOMBRE,
    "nome": Kind.NOMBRE,
    "number": Kind.NUMERO,
}
_WORDS = {kind.value: kind for kind in Kind} | _TRANSLATED

# Accents may be composed or not; Markdown puts a backslash before "_".
_MARK = re.compile(
    r"\[\s{0,3}(?P<word>e-mail|[a-z\u00c0-\u017f\u0300-\u036f]{4,14})"
    r"(?:\s{0,3}(?:\\?[_-])?\s{0,3}(?P<number>\d{1,4}))?\s{0,3}\]",
    re.IGNORECASE,
)
_LINK_WORDS = re.compile(
    r"(?:(?<!\w)(?:al?|de|del|en|con|para|por|el|la|su|tu|vuestro|nuestro|to|at|on|the|your|em|n[ao]|ao|seu)[ \t]{1,3})"
    r"{1,3}$",
    re.IGNORECASE,
)
_CLOSES = re.compile(r"[ \t]{0,3}(?:[.,;:!?…)\n]|$)")
_BLANKS = re.compile(r"[ \t]*")


def leftover_marks(text: str) -> tuple[str, ...]:
    """Return the marks that stand in `text`, reversible or generic, as they are written there."""
    return tuple(match[0] for match in _MARK.finditer(text) if _kind(match))


def neutralise(text: str) -> str:
    """Return `text` with round brackets around whatever its writer made look like a mark; the length stays."""
    return _MARK.sub(lambda match: f"({match[0][1:-1]})" if _kind(match) else match[0], text)


def generalise(text: str) -> str:
    """Return `text` with every mark in its generic form."""
    return _MARK.sub(lambda match: GENERIC[kind] if (kind := _kind(match)) else match[0], text)


@dataclass(frozen=True, slots=True)
class Restored:
    """A reply with its placeholders filled in; `unknown` lists the marks that were cut."""

    text: str = field(repr=False)
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Masked:
    """A text that may leave the machine, and what is needed to undo it."""

    text: str
    customer_name: str
    values: Mapping[str, str] = field(repr=False)
    """Placeholder to original. Personal data: never to be logged or sent."""
    counts: Mapping[str, int]

    def restore(self, reply: str) -> Restored:
        """Put the originals back into `reply`; cut every mark that was not given out with this text."""
        return restore(reply, self.values)


def restore(reply: str, values: Mapping[str, str]) -> Restored:
    """Fill `values` (placeholder to original) into `reply` in one pass, so that no original is read as a mark.

    Case, accents and blanks inside of the brackets do not matter. A mark that is not among `values`, generic ones
    included, is cut together with a preposition or article that would be left dangling.
    """
    pieces: list[str] = []
    unknown: list[str] = []
    position = 0
    for match in _MARK.finditer(reply):
        kind = _kind(match)
        if kind is None:
            continue
        before = reply[position : match.start()]
        position = match.end()
        original = values.get(placeholder(kind, int(match["number"]))) if match["number"] else None
        if original is None:
            unknown.append(match[0])
            before, position = _cut(reply, before, position, first=not pieces)
            original = ""
        pieces += (before, original)
    return Restored("".join(pieces) + reply[position:], tuple(unknown))


def placeholder(kind: Kind, number: int) -> str:
    """Return the reversible mark of the `number`-th value of a kind, counted from 1."""
    return f"[{kind.upper()}_{number}]"


def _kind(match: re.Match[str]) -> Kind | None:
    decomposed = unicodedata.normalize("NFD", match["word"].lower())
    return _WORDS.get("".join(sign for sign in decomposed if not unicodedata.combining(sign)))


def _cut(reply: str, before: str, end: int, *, first: bool) -> tuple[str, int]:
    """Return what stands before a mark that goes, and where the text goes on, without doubled blanks."""
    if _CLOSES.match(reply, end):
        return _LINK_WORDS.sub("", before).rstrip(" \t"), end
    at_start = before.endswith("\n") or (first and not before)
    if at_start or before.endswith((" ", "\t", "(", "¿", "¡")):
        blanks = _BLANKS.match(reply, end)
        return before, blanks.end() if blanks else end
    return before, end
