"""Tells a customer's text that tries to instruct the AI from an ordinary one, in Spanish, Portuguese and English.

Patterns look for what a customer has no reason to write to a desk: orders to a model, forged turns and
delimiters, requests for the prompt. They are read on several views of a text (folded, line by line, with
spaced or disguised letters put back, decoded), because the disguise is half of the attack. A hit only warns
the agent; nothing is refused because of it, and what no pattern knows is still bound by the closed list of
categories and by the check of the draft. Kinds of attack after OWASP's list for LLM applications, LLM01:2025.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

from inquiries.ai.prefilter import Prefilter
from inquiries.ai.suspicion_patterns import PATTERNS
from inquiries.ai.text import fold

# Twice what a prompt carries.
MAX_CHARS = 20_000
_MAX_BLOBS = 5

# Letters of other scripts that look Latin (Unicode's confusables.txt, the lower-case ones in common use).
_LOOK_ALIKES = str.maketrans("аеорсухіјѕԁһкмтвнԛԝɡαορνικτυ", "aeopcyxijsdhkmtbhqwgaopviktu")
_LEET = str.maketrans("013457@$", "oieastas")

_BLOB = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_BASE64_CUE = re.compile(
    r"base ?64|\b(?:de)?co(?:dific|dif|de\b|ded)|descifr|decifr|desencript|\bobey\b|obedece|ejecut"
)
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")
_SELECTORS = re.compile("[\U000e0100-\U000e01ef]{4,}")
_SPLIT_WORD = re.compile(r"(?<=[^\W\d_])[\u200b\u200c\u200d\u2060\ufeff]+(?=[^\W\d_])")
_OVERRIDE = re.compile("\u202e")
# "Ignoré" is a report and "ignore" an order; folding would make them one.
_PAST = re.compile(r"\b(?:ignor|olvid|descart|anul|desactiv|activ|pas|dej|marqu|respet)é\b", re.IGNORECASE)
_SPACED = re.compile(r"(?<!\w)(?:\w[ .*_\-|]){2,}\w(?!\w)")
_HYPHENED = re.compile(r"(?<=[^\W\d_])-\s?(?=[^\W\d_])")
_MIXED = re.compile(r"(?<!\S)(?=[^\s]{0,30}[a-z])(?=[^\s]{0,30}[013457@$])[a-z013457@$]{2,30}(?![\w@])")


def is_suspicious(text: str) -> bool:
    """Tell whether the text tries to instruct the AI; give it the customer's name and message in one text."""
    text = text[:MAX_CHARS]
    return _is_smuggling(text) or any(_is_order(view) for view in _readings(text))


def _is_smuggling(text: str) -> bool:
    """Tell characters that hide words from a person and not from a model.

    The marks that phones put around a pasted number, and the tags in the flags of England, Scotland and
    Wales, are ordinary.
    """
    bare = _FLAG.sub("", text)
    if _TAGS.search(bare) or _SELECTORS.search(bare) or _OVERRIDE.search(bare):
        return True
    return sum("LATIN" in unicodedata.name(bare[hit.start() - 1], "") for hit in _SPLIT_WORD.finditer(bare)) >= 3


def _readings(text: str) -> Iterator[str]:
    """Yield the text as it stands and as what it may be decoded to, once."""
    plain = _visible(html.unescape(unquote(text)))
    yield plain
    folded = fold(plain)
    if _BASE64_CUE.search(folded):
        yield from _decoded(plain)
    if "rot13" in folded or "rot 13" in folded:
        yield codecs.encode(plain, "rot13")
    if re.search(r"al reves|backwards|reversed|de tras para frente|ao contrario", folded):
        yield plain[::-1]


def _decoded(text: str) -> Iterator[str]:
    for blob in _BLOB.findall(text)[:_MAX_BLOBS]:
        bare = blob.rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(bare + "=" * (-len(bare) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue


def _is_order(text: str) -> bool:
    return any(_patterns().matches(view) for view in _views(text))


@lru_cache(maxsize=1)
def _patterns() -> Prefilter:
    return Prefilter(PATTERNS)


def _views(text: str) -> Iterator[str]:
    """Yield the folded text by lines, as one line, and with disguised words put back, each only if it differs."""
    folded = fold(_PAST.sub("yo", text)).translate(_LOOK_ALIKES)
    spelled = _SPACED.sub(lambda found: re.sub(r"[\W_]", "", found[0]), folded)
    by_line = re.sub(r"[^\S\n]+", " ", spelled)
    flat = " ".join(spelled.split())
    whole = _HYPHENED.sub("", flat)
    letters = _MIXED.sub(lambda found: found[0].translate(_LEET), flat)
    yield from dict.fromkeys((by_line, flat, whole, letters))


def _visible(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) != "Cf")
