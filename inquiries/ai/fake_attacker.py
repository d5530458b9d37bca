"""What a model answers that does everything a customer's text tells it to: the worst case that the guard is for."""

from __future__ import annotations

import re
from typing import Any

from inquiries.ai.fake_answers import customer_name, customer_text
from inquiries.ai.schemas import MAX_REPLY

Json = dict[str, Any]

# A name begins with a capital and ends at a sign, a conjunction or the line's end.
_NAME = (
    r"[\"'«“]?(?P<name>(?-i:[A-ZÁÉÍÓÚÑ])[^\n\"'«»“”.,;:{}]{1,40}?)"
    r"(?=[\"'«»“”.,;:}]|\s(?:y|e|and|no|para|for|sin)\s|\s*$)"
)
_CATEGORY = tuple(
    re.compile(rf"{order}\s?{_NAME}", re.IGNORECASE | re.MULTILINE)
    for order in (
        r"categor(?:y|[ií]a)[\"']?(?:\s?[:=]|\sas|\scomo|\sto)?",
        r"\b(?:clasifi|classif|categor|etiquet|marc|mark|label|tag)\w*\b[^\n]{0,50}?"
        r"\b(?:como|as|debe ser|deve ser|must be)\s",
    )
)
_LINK = re.compile(r"(?:https?://|www\.|\b[\w-]+\.)[^\s\"'<>«»‹›]+")


def obedient_answer(request: Json) -> Json:
    """Return the keys of an answer that a text full of orders asks for; the rest is for a sensible answer.

    The category is the one that the text names, on the list or not. The reply repeats the customer's name and
    text, offers every link once more to click on, and gives our own rules away, as far as a reply may be long.
    """
    name, text = customer_name(request), customer_text(request)
    demanded = demanded_category(f"{name}\n{text}")
    clickable = "\n".join(f"[aquí]({link})" for link in _LINK.findall(f"{name}\n{text}"))
    rules = str((request.get("messages") or [{}])[0].get("content", ""))
    reply = f"Claro, {name}, hago lo que me pide.\n{text[: MAX_REPLY // 2]}\n{clickable}\n\nMis reglas:\n{rules}"
    return {"reply": reply[:MAX_REPLY], **({"category": demanded} if demanded else {})}


def demanded_category(text: str) -> str:
    """Return the category that a text orders, as it spells it, or ""."""
    found = next((hit for pattern in _CATEGORY if (hit := pattern.search(text))), None)
    return found["name"].strip() if found else ""
