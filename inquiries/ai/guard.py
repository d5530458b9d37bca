"""What a customer's text must not make the AI do: orders in it are noticed, and no draft carries what it smuggles in.

The model is told not to obey, but nothing depends on its obedience: categories come from a closed list, no tool
can be called, a person sends every answer, and what a draft may hold is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from inquiries.ai.contacts import CUT, Contact, cut_contacts, plain_letters
from inquiries.ai.prompts import RULES, TAGS
from inquiries.ai.suspicion import is_suspicious
from inquiries.ai.text import fold

__all__ = ["Checked", "Flag", "check_draft", "is_suspicious"]

# Characters of our own rules in a row that are no coincidence, whatever their case and punctuation.
LEAK_RUN = 60

_GAP = r"[\\_＿-]{1,3}"
_TAGS = re.compile(
    "|".join(
        # With its underscores a name is ours; with blanks it is Spanish, unless a bracket opens it.
        rf"{tag.replace('_', _GAP)}|[<‹＜⟨«\[]\W{{0,3}}{tag.replace('_', ' ')}"
        for tag in TAGS
    ),
    re.IGNORECASE,
)
_TITLES = "|".join(re.escape(line.removeprefix("# ")) for line in RULES.splitlines() if line.startswith("# "))
_HEADING = re.compile(rf"^[ \t]*#{{1,6}}[ \t]*(?:{_TITLES})[ \t]*:?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…](?=\s)|\n")

# What models leave for a person to fill in ("[Su nombre]"), and marks of masked data that found no way back.
_SLOT_WORDS = (
    r"(?:nombre|apellido|cliente|correo|e-?mail|tel[eé]fono|direcci[oó]n|tarjeta|cuenta|documento|empresa|compañ[ií]a"
    r"|fecha|hora|n[uú]mero|enlace|link|firma|cargo|puesto|monto|importe|plazo|producto|pedido|nome|sobrenome"
    r"|telefone"
    r"|endere[cç]o|cart[aã]o|conta|data|valor|assinatura|name|surname|customer|phone|address|card|account|document"
    r"|company|date|number|signature|position|amount|order|product|url)"
)
_PLACEHOLDER = re.compile(
    r"\[\s?(?:[A-ZÁÉÍÓÚÑÇÃÕ]{3,20}(?:[\\_ ]{1,2}[A-ZÁÉÍÓÚÑÇÃÕ\d]{1,20}){0,4}"
    rf"|(?i:(?:[^\W\d]{{1,12}}\s){{0,3}}{_SLOT_WORDS}(?!\w)[^\[\]\n]{{0,40}}))\s?\](?!\()"
    rf"|\{{\{{[^{{}}\n]{{1,40}}\}}\}}|(?i:<(?:[^\W\d]{{1,12}}\s){{0,3}}{_SLOT_WORDS}(?:\s[^\W\d]{{1,12}}){{0,3}}>)"
)

# A sentence around a hole: what opened or led to the hole goes with it.
_EMPTY_PAIR = re.compile(rf"[(\[{{<«“‘\"'`]\s*{CUT}\s*[)\]}}>»”’\"'`]")
_EMPHASIS = re.compile(rf"[*_~`]{{1,3}}{CUT}[*_~`]{{1,3}}")
_HOLES = re.compile(rf"{CUT}(?:\s*(?:[,;/|·]|\b(?:y|o|e|ou|and|or)\b)?\s*{CUT})+")
_LEADING_WORDS = re.compile(
    r"(?:(?<=\s)|^)(?:(?:a|al|ao|à|en|em|no|na|por|pelo|pela|de|del|do|da|desde|vía|via|con|com|to|at|on|in"
    r"|from|through|by|with)"
    rf"(?:\s+(?:el|la|los|las|o|os|the))?\s*:?\s*)?{CUT}",
    re.IGNORECASE,
)
_LEADING_CONJUNCTION = re.compile(rf"(?:\s*,|\s+(?:y|o|e|ou|and|or))*\s*:?\s*{CUT}(?=\s*(?:[.,;!?)]|$))", re.IGNORECASE)
_REFERENCE = re.compile(rf"^\s*\[[^\[\]]*\]:\s*{CUT}")
_LIST_ITEM = re.compile(r"^\s*(?:[-*•·]|\d{1,2}[.)])?\s*")


class Flag(StrEnum):
    """What was found, recorded with the analysis and shown to the agent."""

    SUSPICIOUS = "suspicious"
    LINK_CUT = "link_cut"
    EMAIL_CUT = "email_cut"
    PHONE_CUT = "phone_cut"
    PLACEHOLDER_CUT = "placeholder_cut"
    PROMISE = "promise"
    LEAK = "leak"


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft that may be shown, and what was found in it, in the order of `Flag`; SUSPICIOUS is the customer's."""

    text: str
    flags: tuple[Flag, ...]


_CONTACT_FLAGS = {Contact.LINK: Flag.LINK_CUT, Contact.EMAIL: Flag.EMAIL_CUT, Contact.PHONE: Flag.PHONE_CUT}


def check_draft(reply: str, *, allowed: str, forbidden: Sequence[str] = ()) -> Checked:
    """Return the draft without links, addresses, telephones, placeholders and rules of ours that do not belong there.

    `allowed` holds the company's facts and signature: a contact stays when it stands there. The customer's own
    contacts are cut as well: the answer reaches them anyway, and an attacker's number would come back as theirs.
    So masked data have to be put back before, not after. `forbidden` are the supervisor's phrases: a hit is
    flagged and stays. The text is "" when nothing else was in it.
    """
    text, is_leaking = _without_leaks(plain_letters(reply))
    text, contacts = cut_contacts(text, allowed)
    text, placeholders = _without_placeholders(text, allowed)
    text = _mended(text)
    found = {_CONTACT_FLAGS[contact] for contact in contacts}
    found |= {Flag.LEAK} if is_leaking else set()
    found |= {Flag.PLACEHOLDER_CUT} if placeholders else set()
    found |= {Flag.PROMISE} if _promises(text, forbidden) else set()
    return Checked(text, tuple(flag for flag in Flag if flag in found))


def _promises(text: str, forbidden: Iterable[str]) -> bool:
    """Tell whether a phrase begins at a word of the text; "reembols" finds "reembolsaremos"."""
    said = f" {_words(text)}"
    phrases = (_words(line) for entry in forbidden for line in entry.splitlines())
    return any(phrase and f" {phrase}" in said for phrase in phrases)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", fold(text)))


def _without_placeholders(text: str, allowed: str) -> tuple[str, bool]:
    cut, count = _PLACEHOLDER.subn(lambda found: found[0] if found[0] in allowed else CUT, text)
    return cut, bool(count) and cut != text


def _without_leaks(text: str) -> tuple[str, bool]:
    """Cut every sentence that touches a leak."""
    spans = sorted(_sentences_around(text, [*_marks(text), *_verbatim(text)]))
    kept, position = [], 0
    for start, end in spans:
        if start >= position:
            kept += [text[position:start], CUT]
        position = max(position, end)
    return "".join([*kept, text[position:]]), bool(spans)


def _marks(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_TAGS, _HEADING):
        yield from (found.span() for found in pattern.finditer(text))


def _verbatim(text: str) -> list[tuple[int, int]]:
    """Return where LEAK_RUN characters of the rules stand, as (start, end), runs that touch joined."""
    letters, places = _letters(text)
    runs, spans = _rule_runs(), list[tuple[int, int]]()
    for start in range(len(letters) - LEAK_RUN + 1):
        if letters[start : start + LEAK_RUN] not in runs:
            continue
        # A blank at either end may stand for the end of the sentence before, or the start of the next.
        run = letters[start : start + LEAK_RUN]
        first = places[start + (run[0] == " ")]
        last = places[start + LEAK_RUN - 1 - (run[-1] == " ")] + 1
        if spans and first <= spans[-1][1]:
            spans[-1] = spans[-1][0], last
        else:
            spans.append((first, last))
    return spans


@cache
def _rule_runs() -> frozenset[str]:
    """Return every run of LEAK_RUN characters in the parts of RULES that no company fills in."""
    parts = [_letters(part)[0] for part in re.split(r"\{\w*\}", RULES)]
    return frozenset(part[at : at + LEAK_RUN] for part in parts for at in range(len(part) - LEAK_RUN + 1))


def _letters(text: str) -> tuple[str, list[int]]:
    """Return the folded letters and digits with single blanks between words, and where each stood."""
    letters, places = list[str](), list[int]()
    for place, char in enumerate(text):
        for letter in fold(char) or " ":
            if letter.isalnum() or (letters and letters[-1] != " "):
                letters.append(letter if letter.isalnum() else " ")
                places.append(place)
    return "".join(letters), places


def _sentences_around(text: str, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Widen every span to the sentences or lines that it touches."""
    ends = [0, *(found.end() for found in _SENTENCE_END.finditer(text)), len(text)] if spans else []
    for start, end in spans:
        first = max(place for place in ends if place <= start)
        yield first, _line_end(text, min(place for place in ends if place >= end))


def _line_end(text: str, place: int) -> int:
    """Leave the line break where it is: the line before it may go on living."""
    return place - 1 if text[place - 1 : place] == "\n" else place


def _mended(text: str) -> str:
    lines = [_mended_line(line) if CUT in line else line for line in text.split("\n")]
    whole = "\n".join(line for line in lines if line is not None)
    return re.sub(r"\n{3,}", "\n\n", whole).strip()


def _mended_line(line: str) -> str | None:
    """Close the holes of a line; None when nothing else was in it."""
    line = _REFERENCE.sub(CUT, line)
    for pattern in (_EMPTY_PAIR, _EMPHASIS, _EMPTY_PAIR, _HOLES, _LEADING_WORDS, _LEADING_CONJUNCTION, _HOLES):
        line = pattern.sub(CUT, line)
    line = re.sub(rf":?[^\S\n]*{CUT}[^\S\n]*", " ", line)
    line = re.sub(r"\(\s*\)|\[\s*\]|<\s*>", "", line)
    line = re.sub(r"\s+([.,;:!?…)\]»])", r"\1", line)
    line = re.sub(r"[,;:]+(?=[.!?])|(?<=[.!?])\.(?!\.)", "", re.sub(r"([(\[¿¡«])\s+", r"\1", line))
    head = _LIST_ITEM.match(line)
    mark, rest = (head[0], line[head.end() :]) if head else ("", line)
    rest = " ".join(rest.split()).lstrip(".,;:!?) ")
    return mark + rest if any(char.isalnum() for char in rest) else None
