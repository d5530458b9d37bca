"""E-mail addresses, also where their signs are spelt out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inquiries.ai.masking.spans import Kind, Span

_LOCAL = r"(?<![\w.+'-])[\w+][\w.+'-]{0,63}"
_DOMAIN = r"(?:[\w-]{1,63}\.){1,5}[^\W\d_]{2,24}"
# With a blank around the sign, or without an ending, only what nobody writes by chance.
_PROVIDER = r"(?:gmail|hotmail|outlook|yahoo|icloud|live|msn|protonmail|uol|bol|terra)"
_DOT = r"(?:\s?\.\s?|\s(?:punto|ponto|dot)\s|\s?\((?:punto|ponto|dot)\)\s?)"
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_LOCAL}[@＠]{_DOMAIN}(?![\w])",
        rf"{_LOCAL}\s?[@＠]\s?{_PROVIDER}(?:\s?[.,]\s?(?:com|es|net)(?:\.[a-z]{{2}})?)?(?!\w)",
        rf"{_LOCAL}\s?[(\[]\s?(?:at|arroba|a)\s?[)\]]\s?(?:[\w-]{{1,63}}{_DOT}){{1,4}}[a-z]{{2,24}}(?!\w)",
        rf"{_LOCAL}\s(?:arroba|at)\s(?:[\w-]{{1,63}}\s(?:punto|ponto|dot)\s){{1,3}}[a-z]{{2,6}}(?!\w)",
        rf"{_LOCAL}\s(?:arroba|at)\s{_PROVIDER}(?:{_DOT}(?:com|es|net)(?:\.[a-z]{{2}})?)?(?!\w)",
    )
)


def find_mails(text: str) -> Iterator[Span]:
    """Yield the e-mail addresses in `text`."""
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), Kind.CORREO)


def find_known_mail(text: str, email: str) -> Iterator[Span]:
    """Yield the places of one address, however unusual it is, in any case."""
    if "@" in email:
        for match in re.finditer(rf"(?<!\w){re.escape(email.strip())}(?!\w)", text, re.IGNORECASE):
            yield Span(match.start(), match.end(), Kind.CORREO)
