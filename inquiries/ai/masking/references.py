"""Numbers of orders, invoices and tickets: of use in their own conversation, another customer's data in any other."""

from __future__ import annotations

import re

from inquiries.ai.masking.marks import GENERIC
from inquiries.ai.masking.spans import Kind

_FEWEST_DIGITS = 5
# Not within an address of the web or of mail, nor behind the point of an amount.
_TOKEN = re.compile(r"(?<![\w./@:,?=&%-])[^\W_][\w-]*(?:/[\w-]+)*(?![@\w])")
_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/]\d{1,2}[-/]\d{2,4}")
_MONEY_BEFORE = re.compile(r"(?:[$€£]|\bS/|\b(?:USD|EUR|MXN|ARS|CLP|COP|PEN|BRL|UYU))\.?\s?$", re.IGNORECASE)
_MONEY_AFTER = re.compile(
    r"[.,]\d|\s?(?:[$€£%]|(?:pesos?|euros?|d[oó]lar(?:es)?|soles|reais|usd|eur|mxn|ars|clp|cop|pen|brl|uyu)\b)",
    re.IGNORECASE,
)


def without_references(text: str) -> str:
    """Return `text` with [número] in place of every word with five digits or more; dates and amounts stay."""
    return _TOKEN.sub(lambda word: GENERIC[Kind.NUMERO] if _is_reference(text, word) else word[0], text)


def _is_reference(text: str, word: re.Match[str]) -> bool:
    if sum(sign.isdigit() for sign in word[0]) < _FEWEST_DIGITS or _DATE.fullmatch(word[0]):
        return False
    return not (
        _MONEY_BEFORE.search(text, max(0, word.start() - 5), word.start()) or _MONEY_AFTER.match(text, word.end())
    )
