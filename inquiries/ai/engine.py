"""What every engine takes, gives back and raises."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

SENTIMENTS = ("Positivo", "Neutral", "Negativo")


class ErrorKind(StrEnum):
    """Why an attempt failed; `inquiries.states` holds the words that an agent reads."""

    RATE_LIMITED = "rate_limited"
    QUOTA = "quota"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"
    AUTHENTICATION = "authentication"
    MODEL_NOT_FOUND = "model_not_found"
    BAD_REQUEST = "bad_request"
    BAD_ANSWER = "bad_answer"
    UNKNOWN_CATEGORY = "unknown_category"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    CONTENT_FILTER = "content_filter"
    NO_CATEGORIES = "no_categories"
    NOT_CONFIGURED = "not_configured"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Used:
    """What a call took, whatever became of its answer."""

    model: str
    tokens_in: int
    tokens_out: int


class AIError(Exception):
    """An attempt that gave no usable answer.

    `kind` says why in one word, `detail` is for the supervisor (never a key, never customer text),
    `permanent` tells that another try would end the same, `retry_after` is the vendor's wish in seconds, `used` what
    an answer took that is of no use and has to be paid for all the same.
    """

    def __init__(
        self,
        kind: ErrorKind,
        detail: str = "",
        *,
        permanent: bool,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind
        self.detail = detail
        self.permanent = permanent
        self.retry_after = retry_after
        self.used: Used | None = None


@dataclass(frozen=True, slots=True)
class CategorySpec:
    """One live category as an engine sees it."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledText:
    """What a person said about one message: a category's name, one of SENTIMENTS, or both; "" says nothing.

    `weight` tells how many examples it counts for.
    """

    text: str
    category: str = ""
    sentiment: str = ""
    weight: float = 2.0


@dataclass(frozen=True, slots=True)
class CompanyProfile:
    """Who answers: facts the draft may use, how it should sound, and what it must never promise."""

    name: str = ""
    facts: str = ""
    tone: str = "usted"
    signature: str = ""
    style: str = ""
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownExample:
    """An inquiry that people have corrected or answered, without personal data; "" where nothing is known."""

    text: str
    category: str = ""
    sentiment: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the customer, or else the team, wrote after the first message."""

    text: str
    is_customers: bool


@dataclass(frozen=True, slots=True)
class AnalysisRequest:
    """One inquiry to read. `categories` is closed: the answer's category is one of their names.

    Where the customer wrote again, `thread` holds what came after `text`, oldest first, up to the message to answer;
    `left_out` turns between the two did not fit.
    """

    text: str
    customer_name: str
    categories: tuple[CategorySpec, ...]
    company: CompanyProfile = field(default_factory=CompanyProfile)
    examples: tuple[ShownExample, ...] = ()
    thread: tuple[Turn, ...] = ()
    left_out: int = 0

    @property
    def newest(self) -> str:
        """The message that the draft replies to."""
        return self.thread[-1].text if self.thread else self.text


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """What an engine understood, and the reply it proposes.

    `category` is a name out of the request, `sentiment` one of SENTIMENTS, `language` an ISO 639-1 code,
    `confidence` lies in 0..1, `reason` is one short sentence, token counts are 0 for engines without tokens,
    `raw` is the vendor's answer as it came, for the record. `abstains` is true where the text lies outside what
    the engine was taught (chit-chat, spam, a greeting alone): the category is then a guess for a person to check.
    `system` and `sent` are the instructions and the data that left this machine, "" where nothing did.
    """

    category: str
    sentiment: str
    language: str
    confidence: float
    reply: str
    reason: str
    engine: str
    model: str
    prompt_version: str
    tokens_in: int = 0
    tokens_out: int = 0
    raw: str = ""
    abstains: bool = False
    system: str = ""
    sent: str = ""


class Engine(Protocol):
    """Reads one inquiry at a time; safe to call from many threads at once."""

    name: str

    def analyse(self, request: AnalysisRequest) -> AnalysisResult:
        """Return what the inquiry is about; raise AIError and nothing else."""
        ...
