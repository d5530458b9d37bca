"""What the fake server's model "thinks": keyword overlap, so that a person trying POK by hand sees sense."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from inquiries.ai.prompts import NAME_TAG, TEXT_TAG, THREAD_TAG
from inquiries.ai.schemas import name_key

Json = dict[str, Any]

# Beginnings of words, folded by `name_key`.
BAD = (
    *(
        "mal",
        "pesim",
        "enfad",
        "queja",
        "reclam",
        "problem",
        "error",
        "molest",
        "nunca",
        "roto",
        "rota",
        "tarde",
    ),
    *("inacept", "horrib", "decepc", "fall", "estaf", "terrib", "angry", "broken", "worst", "refund"),
)
GOOD = ("gracias", "excelen", "encant", "feliz", "genial", "perfect", "felicit", "maravill", "thank", "great")
ENGLISH = {"the", "my", "is", "and", "you", "have", "with", "please", "not", "was", "for", "to", "i"}
CATCH_ALL = ("otr", "general", "vari", "consulta")
STEM = 5

REPLIES = {
    "es": "Hola{name}, gracias por escribirnos. Hemos recibido su consulta sobre {category} y el equipo la"
    " está revisando; le responderemos con los detalles.",
    "en": "Hello{name}, thank you for writing to us. We have received your message about {category} and our"
    " team is looking into it; we will get back to you with the details.",
}


def customer_text(request: Json) -> str:
    """Return the customer's words out of a chat request, or the whole last message of another client."""
    prompt = _last_message(request)
    return _between(prompt, TEXT_TAG) or prompt


def customer_name(request: Json) -> str:
    """Return the customer's name out of a chat request, "" in another client's."""
    return _between(_last_message(request), NAME_TAG)


def sensible_answer(request: Json) -> Json:
    """Return the answer's object for a request, as its schema asks for it."""
    text = customer_text(request)
    before = _between(_last_message(request), THREAD_TAG)
    category, hits = pick_category(f"{before} {text}", _categories(request))
    language = "en" if len(ENGLISH.intersection(name_key(text).split())) >= 3 else "es"
    name = customer_name(request)
    return {
        "reason": f"Palabras en común con la categoría: {hits}.",
        "language": language,
        "category": category,
        "sentiment": sentiment(text),
        "confidence": round(min(0.95, 0.35 + 0.2 * hits), 2),
        "reply": REPLIES[language].format(name=f" {name}" if name else "", category=category),
    }


def pick_category(text: str, categories: dict[str, str]) -> tuple[str, int]:
    """Return the category whose description shares most words with `text`, and how many.

    A word that several categories use tells nothing. Without any hit, the one that sounds like "others".
    """
    words = {name: _stems(f"{name} {about}") for name, about in categories.items()}
    common = Counter(stem for stems in words.values() for stem in stems)
    said = {stem for stem in _stems(text) if common[stem] == 1}
    hits = {name: len(stems & said) for name, stems in words.items()}
    best = max(hits, key=hits.__getitem__)
    if hits[best]:
        return best, hits[best]
    return next((name for name in hits if name_key(name).startswith(CATCH_ALL)), best), 0


def sentiment(text: str) -> str:
    """Return the sentiment with more of its words in `text`."""
    words = name_key(text).split()
    score = sum(word.startswith(GOOD) for word in words) - sum(word.startswith(BAD) for word in words)
    score -= len(re.findall(r"\bno (?:funciona|llega|puedo|recib)", " ".join(words)))
    return "Positivo" if score > 0 else "Negativo" if score < 0 else "Neutral"


def _categories(request: Json) -> dict[str, str]:
    """Return the names that the schema allows, each with its line of the system prompt."""
    schema = (request.get("response_format") or {}).get("json_schema", {}).get("schema", {})
    names = schema.get("properties", {}).get("category", {}).get("enum") or ["General"]
    system = str((request.get("messages") or [{}])[0].get("content", ""))
    return {name: _line_about(name, system) for name in names}


def _line_about(name: str, system: str) -> str:
    start = f"- {name}: "
    return next((line.removeprefix(start) for line in system.splitlines() if line.startswith(start)), "")


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in name_key(text).split() if len(word) > 3}


def _last_message(request: Json) -> str:
    return str((request.get("messages") or [{}])[-1].get("content", ""))


def _between(text: str, tag: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    return found[1].strip() if found else ""
