"""What a Chat Completions server sends back, checked before any of it is believed."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from inquiries.ai.engine import SENTIMENTS

MAX_REPLY = 8000
MAX_REASON = 300

# What models write instead of a code, folded by `name_key`.
LANGUAGE_NAMES = {
    "aleman": "de",
    "basque": "eu",
    "castellano": "es",
    "catala": "ca",
    "catalan": "ca",
    "deu": "de",
    "deutsch": "de",
    "eng": "en",
    "english": "en",
    "espanol": "es",
    "euskara": "eu",
    "fra": "fr",
    "frances": "fr",
    "francais": "fr",
    "french": "fr",
    "galego": "gl",
    "gallego": "gl",
    "german": "de",
    "ingles": "en",
    "ita": "it",
    "italian": "it",
    "italiano": "it",
    "por": "pt",
    "portugues": "pt",
    "portuguese": "pt",
    "spa": "es",
    "spanish": "es",
}


def clean_text(text: str) -> str:
    """Return `text` with plain line ends and without what PostgreSQL, JSON or a page cannot hold.

    Dropped: control characters but newline and tab (PostgreSQL refuses NUL), lone surrogates (no UTF-8 form).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"})


def name_key(name: str) -> str:
    """Fold case, accents, punctuation and spacing away: two names with one key are one name to a reader."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(re.findall(r"\w+", letters))


def match_name(answer: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `answer` means, None if there is none or more than one."""
    known = list(dict.fromkeys(names))
    if answer in known:
        return answer
    key = name_key(answer)
    alike = [name for name in known if name_key(name) == key]
    return alike[0] if key and len(alike) == 1 else None


def _sentiment(value: object) -> object:
    return match_name(value, SENTIMENTS) or value if isinstance(value, str) else value


def _language(value: str) -> str:
    """Turn es-MX, ES and español into es; an unknown language is "", not worth losing the answer for."""
    first = re.split(r"[_ ]", name_key(value), maxsplit=1)[0]
    return first if re.fullmatch("[a-z]{2}", first) else LANGUAGE_NAMES.get(first, "")


def _confidence(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, 0.0), 1.0)


def _clean(value: str) -> str:
    return clean_text(value).strip()


def _one_line(value: str) -> str:
    return " ".join(clean_text(value).split())[:MAX_REASON]


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("empty")
    return value


class Answer(BaseModel):
    """The JSON object that `prompts.response_schema` asks for; types are strict, unknown keys are dropped."""

    # Errors reach logs, and an answer quotes the customer.
    model_config = ConfigDict(strict=True, extra="ignore", hide_input_in_errors=True)

    category: str
    sentiment: Annotated[Literal["Positivo", "Neutral", "Negativo"], BeforeValidator(_sentiment)]
    language: Annotated[str, AfterValidator(_language)]
    confidence: Annotated[float, AfterValidator(_confidence)]
    reply: Annotated[str, AfterValidator(_clean), AfterValidator(_not_empty), Field(max_length=MAX_REPLY)]
    reason: Annotated[str, AfterValidator(_one_line)]


class ChatMessage(BaseModel):
    """`message` of a choice: one of the two texts is there."""

    content: str | None = None
    refusal: str | None = None


class Choice(BaseModel):
    """One choice; `finish_reason` is stop, length or content_filter."""

    message: ChatMessage
    finish_reason: str | None = None


class Completion(BaseModel):
    """The part of a chat completion that POK reads (platform.openai.com/docs/api-reference/chat/object)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    choices: Annotated[list[Choice], Field(min_length=1)]
    model: str | None = None
    usage: object = None

    def tokens(self, name: Literal["prompt_tokens", "completion_tokens"]) -> int:
        """Tokens used; 0 when the server does not say, because an answer is worth more than its bill."""
        count = self.usage.get(name) if isinstance(self.usage, dict) else None
        return count if isinstance(count, int) and count > 0 else 0


def unwrap(content: str) -> str:
    """Return the JSON inside what some local models put around it: a <think> block, a Markdown fence."""
    text = re.sub(r"^\s*<think>.*?</think>", "", content, count=1, flags=re.DOTALL).strip()
    fenced = re.fullmatch(r"```(?:json)?\s*\n(.*?)\n?\s*```", text, flags=re.DOTALL | re.IGNORECASE)
    return fenced[1] if fenced else text
