"""Names of persons: the customer's own wherever it stands, others only after a word that introduces them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inquiries.ai.masking.spans import Kind, Span
from inquiries.ai.masking.words import EVERYDAY_NAMES, NAME_PARTICLES, NAME_TITLES, NEVER_IN_NAMES, NO_NAMES, fold

_MIN_LETTERS = 3
_WORD = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+")
_GAP = re.compile(r"[ \t\u00a0]{1,3}|[ ]?-[ ]?|,[ ]")
_JOINT = re.compile(r"[\d_]")
_CAPITAL = r"[A-ZÁÉÍÓÚÜÑÂÊÔÃÕÇÀ]"
_PROPER = rf"{_CAPITAL}(?:[^\W\d_]|['’\u0300-\u036f]|-(?=[^\W\d_])){{1,24}}"
_NAME = rf"{_PROPER}(?:[ ](?:(?:de|del|la|las|los|da|do|dos|DE|DEL|LA)[ ]){{0,2}}{_PROPER}){{0,3}}"
_TWO_WORDS = rf"{_PROPER}(?:[ ](?:(?:de|del|la|las|los|da|do|dos|DE|DEL|LA)[ ]){{0,2}}{_PROPER}){{1,3}}"
_INTRODUCED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\w)(?i:mi nombre(?: completo)? es|me llamo|meu nome [eé]|me chamo|my name is)[ :]{1,2}" + f"({_NAME})",
        r"(?<!\w)(?i:a nombre de|em nome de|la titular es|el titular es|titular:|nombre completo:|nombre y apellidos?:"
        r"|nome completo:|destinatari[oa]:|recibe:|firmado:|firma:|fdo\.?:?)(?:[ ](?i:el|la)(?=[ ]))?"
        r"(?:[ ](?:(?i:se[ñn]ora?)|[Ss]ra?\.?))?\s?" + f"({_NAME})",
        r"(?<!\w)(?i:nombre:|nome:|soy|sou|les escribe|le escribe|habla|i am|i'm)[ ]" + f"({_TWO_WORDS})",
        r"(?<!\w)(?:[Ss]r(?:ta|a)?\.?|Dra?\.|[Ss]eñor(?:a|ita)?|SRA?\.?)[ ]" + f"({_NAME})",
        r"(?<!\w)(?i:atte|att|atentamente|atenciosamente|cordialmente|saludos(?: cordiales)?|un (?:cordial )?saludo"
        r"|gracias|abra[cç]os?|slds)[.,:]{0,2}(?:[ ]{1,2}|[ ]?\n\s{0,3})"
        rf"({_NAME})(?=[ ]?[.,]?[ ]?(?:\n|$|\Z))",
    )
)
# Hurried writers use no capitals; after these words a name follows all the same, unless a word of every day does.
_SMALL = re.compile(
    r"(?<!\w)(?i:mi nombre es|me llamo|meu nome [eé]|me chamo)[ ]{1,2}"
    r"(?P<name>[^\W\d_]{3,20}(?:[ ][^\W\d_]{3,20}){0,2})(?P<after>[ ]?(?:[.,;\n]|$|y\b|con\b|de\b))?"
)


def find_own_name(text: str, name: str) -> Iterator[Span]:
    """Yield where `name` or a part of it stands, in any case and with or without accents, as whole words.

    A part alone counts from three letters; one that is also an everyday word only with a capital letter.
    """
    if not has_name(name):
        return
    parts = _parts(name)
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text):
        if fold(word[0]) not in parts or _is_joined(text, word):
            continue
        if run and not _GAP.fullmatch(text, run[-1].end(), word.start()):
            yield from _name_in(run)
            run = []
        run.append(word)
    yield from _name_in(run)


def find_introduced_names(text: str) -> Iterator[Span]:
    """Yield the names that follow "me llamo", "a nombre de", a farewell and the like."""
    for pattern in _INTRODUCED:
        for match in pattern.finditer(text):
            yield from _trimmed(match.start(1), match[1])
    for match in _SMALL.finditer(text):
        name = match["name"]
        if name[0].isupper() or fold(name.split()[0]) in NEVER_IN_NAMES:
            continue
        words = name.split() if match["after"] is not None else name.split()[:1]
        while words and fold(words[-1]) in NEVER_IN_NAMES:
            words.pop()
        yield Span(match.start("name"), match.start("name") + len(" ".join(words)), Kind.NOMBRE)


def has_name(name: str) -> bool:
    """Tell whether a field for the name holds one at all."""
    return bool(_parts(name) - NAME_PARTICLES)


def _parts(name: str) -> frozenset[str]:
    return frozenset(fold(match[0]) for match in _WORD.finditer(name)) - NO_NAMES


def _is_joined(text: str, word: re.Match[str]) -> bool:
    """Tell whether the word is a part of something such as "ana_92" or "flores2"."""
    return bool(_JOINT.match(text, word.end()) or (word.start() and _JOINT.match(text, word.start() - 1)))


def _name_in(run: list[re.Match[str]]) -> Iterator[Span]:
    while run and fold(run[0][0]) in NAME_PARTICLES:
        run = run[1:]
    while run and fold(run[-1][0]) in NAME_PARTICLES:
        run = run[:-1]
    words = [word[0] for word in run if fold(word[0]) not in NAME_PARTICLES]
    if not words:
        return
    if len(words) > 1 or (
        len(words[0]) >= _MIN_LETTERS and (words[0][0].isupper() or fold(words[0]) not in EVERYDAY_NAMES)
    ):
        yield Span(run[0].start(), run[-1].end(), Kind.NOMBRE)


def _trimmed(start: int, name: str) -> Iterator[Span]:
    """Yield the name without a title, up to the first word that cannot be one: in capitals all words look alike."""
    begin = end = 0
    for word in _WORD.finditer(name):
        folded = fold(word[0])
        if folded in NAME_PARTICLES or (not end and folded in NAME_TITLES):
            continue
        if folded in NEVER_IN_NAMES or folded in NO_NAMES:
            break
        begin = begin if end else word.start()
        end = word.end()
    if end:
        yield Span(start + begin, start + end, Kind.NOMBRE)
