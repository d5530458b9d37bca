"""The engine behind OPENAI_API_KEY: OpenAI, and every server that speaks Chat Completions.

Chat Completions with a `json_schema` response format is what OpenAI, Azure v1, Ollama, vLLM, llama.cpp and
LM Studio share (platform.openai.com/docs/api-reference/chat). The SDK sends, we read: its own parsing lets
JSONDecodeError, AttributeError and TypeError out for answers that are not what it expects.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from inquiries.ai.engine import AIError, AnalysisRequest, AnalysisResult, ErrorKind, Used
from inquiries.ai.prompts import PROMPT_VERSION, build_messages, response_schema
from inquiries.ai.schemas import Answer, Choice, Completion, match_name, unwrap

if TYPE_CHECKING:
    # Half a second and 40 MiB: only a worker that asks pays for them.
    import openai

Parsed = TypeVar("Parsed", bound=BaseModel)

# Stated, because the SDK would otherwise read OPENAI_BASE_URL itself, even when it is empty.
OPENAI_URL = "https://api.openai.com/v1"
CONNECT_SECONDS = 5.0
MAX_RESPONSE_BYTES = 1_000_000
MAX_RETRY_AFTER = 3600.0
QUOTA_RETRY_AFTER = 900.0

# Another try of these ends the same until a person changes something.
PERMANENT = frozenset(
    {
        ErrorKind.AUTHENTICATION,
        ErrorKind.MODEL_NOT_FOUND,
        ErrorKind.BAD_REQUEST,
        ErrorKind.CONTENT_FILTER,
        ErrorKind.REFUSED,
        ErrorKind.NO_CATEGORIES,
        ErrorKind.NOT_CONFIGURED,
    }
)

# A vendor's code says more than its status: OpenAI sends quota as 429, Azure its filter as 400.
CODE_KINDS = {
    "insufficient_quota": ErrorKind.QUOTA,
    "billing_not_active": ErrorKind.QUOTA,
    "billing_hard_limit_reached": ErrorKind.QUOTA,
    "content_filter": ErrorKind.CONTENT_FILTER,
    "model_not_found": ErrorKind.MODEL_NOT_FOUND,
}
STATUS_KINDS = {
    401: ErrorKind.AUTHENTICATION,
    402: ErrorKind.QUOTA,
    403: ErrorKind.AUTHENTICATION,
    404: ErrorKind.MODEL_NOT_FOUND,
    408: ErrorKind.SERVER_ERROR,
    409: ErrorKind.SERVER_ERROR,
    425: ErrorKind.SERVER_ERROR,
    429: ErrorKind.RATE_LIMITED,
}


class OpenAIEngine:
    """Asks one Chat Completions server; safe to call from many threads at once.

    `base_url` None means OpenAI; `deadline` is seconds for a whole call; `token_limit_param` is `max_tokens`
    for servers that know nothing newer; `reasoning_effort` is sent only when set: models that do not reason
    refuse it. What a model reasons counts against `token_limit`. The first `analyse` checks the settings.
    """

    name = "openai"
    prompt_version = PROMPT_VERSION

    def __init__(
        self,
        *,
        api_key: str,
        base_url: str | None = None,
        model: str,
        deadline: float = 60.0,
        token_limit: int = 1200,
        token_limit_param: str = "max_completion_tokens",  # noqa: S107 tokens of text
        reasoning_effort: str = "",
    ) -> None:
        self._api_key = api_key.strip()
        self._base_url = base_url or None
        self._model = model.strip()
        self._deadline = deadline
        self._extra: dict[str, object] = {token_limit_param: token_limit}
        if reasoning_effort:
            self._extra["reasoning_effort"] = reasoning_effort
        self._client: openai.OpenAI | None = None
        self._lock = threading.Lock()

    def analyse(self, request: AnalysisRequest) -> AnalysisResult:
        """Return what the inquiry is about; raise AIError and nothing else."""
        if not request.categories:
            raise _failure(ErrorKind.NO_CATEGORIES)
        messages = build_messages(request)
        outcome = self._ask(self._shared_client(), request, messages)
        # Raised outside every handler: the SDK's exceptions quote keys and customers, and would be chained.
        if isinstance(outcome, AIError):
            raise outcome
        completion = _parsed(Completion, outcome)
        used = self._used(completion)
        try:
            result = self._result(request, _content(completion.choices[0]), used)
        except AIError as error:
            error.used = used
            raise
        return replace(result, system=messages[0]["content"], sent=messages[1]["content"])

    def close(self) -> None:
        """Close the connections; a later `analyse` opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, client: openai.OpenAI, request: AnalysisRequest, messages: list[dict[str, str]]) -> bytes | AIError:
        """Return the body of the server's answer, or the error that came instead."""
        import openai

        from inquiries.ai.deadline import budget

        try:
            with budget(seconds=self._deadline, max_bytes=MAX_RESPONSE_BYTES):
                return self._post(client, request, messages)
        except AIError as exc:
            failure = exc
        except openai.APIStatusError as exc:
            failure = self._status_failure(exc)
        except openai.APITimeoutError:
            failure = _failure(ErrorKind.TIMEOUT, f"no answer within {self._deadline:g} s")
        except openai.APIConnectionError as exc:
            failure = _failure(ErrorKind.UNREACHABLE, type(exc.__cause__ or exc).__name__)
        except (openai.OpenAIError, ValueError, TypeError, AttributeError, RuntimeError, OSError) as exc:
            # What the SDK lets through when its own state surprises it; the name only, a text may quote.
            failure = _failure(ErrorKind.INTERNAL, type(exc).__name__)
        return failure

    def _post(self, client: openai.OpenAI, request: AnalysisRequest, messages: list[dict[str, str]]) -> bytes:
        import httpx2

        schema = {"name": "inquiry", "strict": True, "schema": response_schema(request.categories)}
        body = {
            "model": self._model,
            "messages": messages,
            "response_format": {"type": "json_schema", "json_schema": schema},
            **self._extra,
        }
        # Not `chat.completions.create`: it looks at every word of the schema anew, a tenth of the call's own work.
        content = json.dumps(body, ensure_ascii=False).encode()
        return client.post("/chat/completions", content=content, cast_to=httpx2.Response).content

    def _shared_client(self) -> openai.OpenAI:
        # A client per call costs ten times the CPU of a call; 200 threads shared one without an error.
        with self._lock:
            if self._client is None:
                self._client = self._new_client()
            return self._client

    def _new_client(self) -> openai.OpenAI:
        problem = self._misconfigured()
        if problem:
            raise _failure(ErrorKind.NOT_CONFIGURED, problem)
        import openai

        from inquiries.ai.deadline import bound

        timeout = openai.Timeout(self._deadline, connect=min(self._deadline, CONNECT_SECONDS))
        try:
            return openai.OpenAI(
                api_key=self._api_key or "none",
                base_url=self._base_url or OPENAI_URL,
                timeout=timeout,
                max_retries=0,
                default_headers={"Accept-Encoding": "identity"},
                http_client=bound(openai.DefaultHttpxClient(timeout=timeout)),
            )
        except (openai.OpenAIError, ImportError, ValueError, OSError) as exc:
            # A proxy variable that httpx2 cannot use, an SSL_CERT_FILE that is not there.
            raise _failure(ErrorKind.NOT_CONFIGURED, f"client: {type(exc).__name__}") from None

    def _misconfigured(self) -> str:
        """Say what is wrong with the settings, "" if nothing: the SDK would fail later, and less clearly."""
        if not self._model:
            return "no model"
        if not self._api_key and self._base_url is None:
            return "no API key"
        if not re.fullmatch(r"[\x21-\x7e]*", self._api_key):
            return "the API key has characters that no header can carry"
        return "" if self._base_url is None or _is_http_url(self._base_url) else "base URL is not http(s)://host"

    def _status_failure(self, exc: openai.APIStatusError) -> AIError:
        names = [name for name in (exc.code, exc.type) if isinstance(name, str)]
        kind = next((CODE_KINDS[name] for name in names if name in CODE_KINDS), None)
        kind = kind or STATUS_KINDS.get(exc.status_code)
        kind = kind or (ErrorKind.SERVER_ERROR if exc.status_code >= 500 else ErrorKind.BAD_REQUEST)
        retry_after = None if kind in PERMANENT else _retry_after(exc.response.headers)
        if kind is ErrorKind.QUOTA:
            retry_after = max(retry_after or 0.0, QUOTA_RETRY_AFTER)
        words = [word for word in (*names, exc.param) if isinstance(word, str) and self._is_quotable(word)]
        detail = " ".join([f"HTTP {exc.status_code}", f"model {self._model}", *dict.fromkeys(words)])
        return _failure(kind, detail, retry_after=retry_after)

    def _is_quotable(self, word: str) -> bool:
        """Tell identifiers (`unsupported_parameter`) from text that may quote the key or the customer."""
        if not re.fullmatch(r"[A-Za-z0-9_.\[\]]{1,64}", word):
            return False
        return not self._api_key or (self._api_key not in word and word not in self._api_key)

    def _used(self, completion: Completion) -> Used:
        model = completion.model or self._model
        return Used(model, completion.tokens("prompt_tokens"), completion.tokens("completion_tokens"))

    def _result(self, request: AnalysisRequest, content: str, used: Used) -> AnalysisResult:
        answer = _parsed(Answer, unwrap(content))
        category = match_name(answer.category, (spec.name for spec in request.categories))
        if category is None:
            raise _failure(ErrorKind.UNKNOWN_CATEGORY)
        return AnalysisResult(
            category=category,
            sentiment=answer.sentiment,
            language=answer.language,
            confidence=answer.confidence,
            reply=answer.reply,
            reason=answer.reason,
            engine=self.name,
            model=used.model,
            prompt_version=self.prompt_version,
            tokens_in=used.tokens_in,
            tokens_out=used.tokens_out,
            raw=content,
        )


def _failure(kind: ErrorKind, detail: str = "", *, retry_after: float | None = None) -> AIError:
    return AIError(kind, detail, permanent=kind in PERMANENT, retry_after=retry_after)


def _is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an unclosed [
        return False


def _parsed(model: type[Parsed], text: str | bytes) -> Parsed:
    try:
        return model.model_validate_json(text)
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    # Place and rule only, and not chained: an answer quotes the customer.
    place = ".".join(map(str, problem["loc"]))
    raise _failure(ErrorKind.BAD_ANSWER, f"{model.__name__} {place}: {problem['type']}")


def _content(choice: Choice) -> str:
    """Return the text of a finished answer; raise the AIError that its ending means."""
    if choice.message.refusal:
        raise _failure(ErrorKind.REFUSED)
    if choice.finish_reason == "content_filter":
        raise _failure(ErrorKind.CONTENT_FILTER, "finish_reason content_filter")
    if choice.finish_reason == "length":
        # Sampling varies, and so does what a reasoning model spends before it writes: a second try may fit.
        raise _failure(ErrorKind.TRUNCATED, "token limit reached")
    if not choice.message.content:
        raise _failure(ErrorKind.BAD_ANSWER, "no content")
    return choice.message.content


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return what Retry-After asks for (RFC 9110 10.2.3: seconds or a date) in 0..MAX_RETRY_AFTER seconds."""
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return min(max(seconds, 0.0), MAX_RETRY_AFTER) if math.isfinite(seconds) else None


def _seconds_until(http_date: str) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
    except ValueError:
        return math.nan
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime.now(UTC)).total_seconds()
