"""Draft replies out of templates: greeting, what was asked, the next step, signature. Pure.

Texts live in `seeds/replies.json`. "[usted|tú|vos]" holds the three Spanish ways of address. A draft promises
no time, no price and no refund: only a person can.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import Any

from inquiries.ai.engine import CompanyProfile
from inquiries.ai.seeds import load
from inquiries.ai.text import clean, fold, shorten, word_set

MAX_ECHO = 160
_GENERIC = "*"
_TONES = {"usted": 0, "tu": 1, "tuteo": 1, "vos": 2, "voseo": 2}

_TONE_CHOICE = re.compile(r"\[([^|\]]*)\|([^|\]]*)\|([^|\]]*)\]")
_PLACE = re.compile(r"\{(name|echo|company)\}")

_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|info|[a-z]{2})(?:/\S*)?\b",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"\S+@\S+")
# Cards, documents, telephones: what a customer typed once need not travel again in a mail.
_LONG_NUMBER = re.compile(r"\+?\d(?:[ .\-/]?\d){6,}")

_TITLES = word_set("sr sra srta dr dra ing lic prof don doña dona mr mrs ms señor señora senor senora")
_NOT_NAMES = word_set(
    """cliente clienta usuario usuaria anonimo anonima anonymous admin administrador administracion test na
    prueba nombre apellido name user unknown desconocido nadie ninguno sin empresa compras ventas soporte
    contabilidad info contacto gerencia recepcion tienda hola buenas none null undefined consulta la el los
    las grupo comercial transportes distribuidora hotel restaurante colegio clinica ferreteria farmacia"""
)
_COMPANY_WORD = re.compile(
    r"\b(?:s\.?\s?a\.?\s?s?|s\.?r\.?l|ltda|e\.?i\.?r\.?l|s\.?c|c\.?v|inc|llc|gmbh|cia|corp)\b\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reply is made of: the engine's findings, the customer, the sentence to echo, and who answers.

    `is_again` where the customer wrote to us before: what was asked of them then need not be asked once more.
    """

    category: str
    sentiment: str
    language: str
    customer_name: str = ""
    sentence: str = ""
    company: CompanyProfile = field(default_factory=CompanyProfile)
    is_again: bool = False


def draft_reply(draft: Draft) -> str:
    """Return the draft in the customer's language ("es", "pt", "en"; Spanish for any other).

    The same inquiry always gives the same draft; different ones get different wordings.
    """
    texts = load("replies").get(draft.language) or load("replies")["es"]
    entry = texts["again"] if draft.is_again else _entry(texts["categories"], draft.category)
    name, echo = first_name(draft.customer_name), echo_of(draft.sentence)
    opening = _pick(entry["opening"][draft.sentiment], draft.sentence)
    quoted = [_pick(texts["echo"][draft.sentiment], draft.sentence)] if echo else []
    parts = [
        texts["greeting" if name else "greeting_without_name"],
        " ".join([opening, *quoted]),
        entry["next"][draft.sentiment],
        texts["farewell"][draft.sentiment],
    ]
    values = {"name": name, "echo": echo, "company": draft.company.name.strip()}
    body = [_fill(part, draft.company.tone, values) for part in parts]
    return "\n\n".join([*body[:-1], f"{body[-1]}\n{_signature(texts, draft.company, values)}"])


def first_name(customer_name: str) -> str:
    """Return the first name to greet with, or "" when the text does not look like a person's name.

    "Pérez, Juan" and "Sr. JUAN PÉREZ" give "Juan"; e-mails, numbers, links and companies give "".
    """
    name = " ".join(clean(customer_name).split())
    if (
        len(name) > 80
        or re.search(r"[\d@/\\<>{}\[\]|_#:;!?]|www\.|\.com", name, re.IGNORECASE)
        or _COMPANY_WORD.search(name)
    ):
        return ""
    surname, comma, given = name.partition(",")
    tokens = [token.strip(".'’-\"()") for token in (given if comma and given.strip() else surname).split()]
    tokens = [token for token in tokens if token and fold(token) not in _TITLES]
    return _capitalised(tokens[0]) if tokens and _looks_like_name(tokens[0]) else ""


def echo_of(sentence: str) -> str:
    """Return the sentence for quoting: no links, e-mails or long numbers, <= MAX_ECHO characters, or ""."""
    bare = _LONG_NUMBER.sub("…", _LINK.sub("…", _EMAIL.sub("…", clean(sentence))))
    # Quotation marks inside would end the quotation for the reader.
    bare = re.sub(r"[«»“”\"]", "'", bare)
    bare = " ".join(bare.split()).strip(" .,;:-–…")
    return shorten(bare, MAX_ECHO) if sum(char.isalpha() for char in bare) >= 3 else ""


def _entry(categories: dict[str, Any], category: str) -> Any:
    """Return the texts of a default category, or the generic ones; case and accents do not matter."""
    by_name = {fold(name): entry for name, entry in categories.items()}
    return by_name.get(fold(category).strip(), categories[_GENERIC])


def _pick(variants: list[str], seed: str) -> str:
    return variants[zlib.crc32(seed.encode("utf-8", "replace")) % len(variants)]


def _fill(template: str, tone: str, values: dict[str, str]) -> str:
    """Choose the way of address, then put the values in: one pass, so a customer's braces stay text."""
    group = _TONES.get(fold(tone).strip(), 0) + 1
    addressed = _TONE_CHOICE.sub(lambda choice: choice.group(group), template)
    return _PLACE.sub(lambda place: values[place.group(1)], addressed)


def _signature(texts: dict[str, Any], company: CompanyProfile, values: dict[str, str]) -> str:
    if company.signature.strip():
        return company.signature.strip()
    return _fill(texts["team" if values["company"] else "team_without_name"], company.tone, values)


def _looks_like_name(token: str) -> bool:
    letters = token.replace("'", "").replace("’", "").replace("-", "")
    return letters.isalpha() and 2 <= len(letters) <= 20 and fold(letters) not in _NOT_NAMES


def _capitalised(token: str) -> str:
    """Give "juan" and "JUAN" a capital; leave "McArthur" and scripts without case alone."""
    return token.title() if token.islower() or token.isupper() else token
