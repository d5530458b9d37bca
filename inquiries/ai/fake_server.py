"""A Chat Completions server that plays every way a real one behaves: for tests, and to try POK without a key.

    with FakeOpenAI(scenario="500") as server:
        OpenAIEngine(api_key="k", model="m", base_url=server.base_url)

A request plays the first of these that is set: the next of `server.play(...)`, a model named like a scenario,
`server.scenario`. Over HTTP the scenario changes with `POST /_fake/scenario` (body: names, comma-separated;
the last one stays), and `GET /_fake/calls` counts what came in.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from inquiries.ai.fake_answers import customer_text, sensible_answer
from inquiries.ai.fake_attacker import obedient_answer

HANG_SECONDS = 120.0
HUGE_BYTES = 3_000_000
RETRY_AFTER = 7
DATE_RETRY_SECONDS = 90

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One HTTP answer; `body` is sent as it is."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True)
class Recorded:
    """One chat request as it came in: `headers` by lower-case name, `text` is the customer's."""

    body: Json
    headers: dict[str, str]
    scenario: str
    text: str


def _json(payload: object, status: int = 200, **headers: str) -> Reply:
    return Reply(_dumps(payload).encode(), status, headers)


def _dumps(payload: object) -> str:
    return json.dumps(payload, ensure_ascii=False)


def _error(status: int, code: str | None, message: str = "fake error", **headers: str) -> Reply:
    error = {"message": message, "type": "fake_error", "param": None, "code": code}
    return _json({"error": error}, status, **headers)


def _completion(request: Json, content: str | None, **changes: Any) -> Json:
    """Return a chat completion; `changes` overwrite the choice's keys."""
    message = {"role": "assistant", "content": content, "refusal": None}
    sent = sum(len(str(part.get("content", ""))) for part in request.get("messages", []))
    used = {"prompt_tokens": sent // 4, "completion_tokens": len(content or "") // 4}
    return {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": f"{request.get('model', 'fake')}-fake",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **changes}],
        "usage": {**used, "total_tokens": sum(used.values())},
    }


def _ok(request: Json, **changes: object) -> Reply:
    return _content(request, _dumps({**sensible_answer(request), **changes}))


def _content(request: Json, content: str | None, **changes: object) -> Reply:
    return _json(_completion(request, content, **changes))


def _refusal(request: Json) -> Reply:
    message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    return _content(request, None, message=message)


def _fenced(request: Json) -> Reply:
    answer = json.dumps(sensible_answer(request), ensure_ascii=False, indent=2)
    return _content(request, f"```json\n{answer}\n```")


def _truncated(request: Json) -> Reply:
    answer = _dumps(sensible_answer(request))
    return _content(request, answer[: len(answer) // 2], finish_reason="length")


def _without(request: Json, key: str, replacement: object) -> Reply:
    return _json({**_completion(request, _dumps(sensible_answer(request))), key: replacement})


def _gzipped(request: Json) -> Reply:
    return Reply(gzip.compress(_ok(request).body), headers={"Content-Encoding": "gzip"})


def _rate_limited_until(_request: Json) -> Reply:
    moment = datetime.now(UTC) + timedelta(seconds=DATE_RETRY_SECONDS)
    return _error(429, "rate_limit_exceeded", **{"Retry-After": format_datetime(moment, usegmt=True)})


def _broken(request: Json) -> Reply:
    body = _ok(request).body
    return Reply(body[: len(body) // 2])


# What each scenario answers; those in WIRE below are about how bytes travel, not what they say.
REPLIES: dict[str, Callable[[Json], Reply]] = {
    "ok": _ok,
    "obey": lambda body: _ok(body, **obedient_answer(body)),
    "429": lambda _: _error(429, "rate_limit_exceeded", **{"Retry-After": str(RETRY_AFTER)}),
    "429_no_retry_after": lambda _: _error(429, "rate_limit_exceeded"),
    "429_date": _rate_limited_until,
    "429_long": lambda _: _error(429, "rate_limit_exceeded", **{"Retry-After": "999999"}),
    "429_odd": lambda _: _error(429, None, **{"Retry-After": "soon"}),
    "429_past": lambda _: _error(429, None, **{"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}),
    "quota": lambda _: _error(429, "insufficient_quota"),
    "402": lambda _: _error(402, None),
    "500": lambda _: _error(500, "server_error"),
    "503": lambda _: _error(503, None, **{"Retry-After": str(RETRY_AFTER)}),
    "502_html": lambda _: Reply(b"<html>Bad gateway</html>", 502, content_type="text/html"),
    "400": lambda _: _error(400, "unsupported_parameter"),
    "400_list": lambda _: _json([{"error": {"type": ["odd"]}}], 400),
    "400_odd": lambda _: _json({"error": {"type": ["odd"], "code": 7, "param": {}}}, 400),
    "401": lambda _: _error(401, "invalid_api_key"),
    "403": lambda _: _error(403, "unsupported_country_region_territory"),
    "404": lambda _: _error(404, "model_not_found"),
    "408": lambda _: _error(408, None),
    "409": lambda _: _error(409, None),
    "413": lambda _: _error(413, None),
    "422": lambda _: _error(422, None),
    "azure_content_filter": lambda _: _error(400, "content_filter"),
    "broken_json": _broken,
    "empty_body": lambda _: Reply(b""),
    "not_utf8": lambda _: Reply(b'{"choices": "\xff\xfe"}'),
    "html": lambda _: Reply(b"<html><body>Sign in to the proxy</body></html>", content_type="text/html"),
    "json_list": lambda _: _json([1, 2]),
    "error_200": lambda _: _json({"error": {"message": "overloaded", "code": 529}}),
    "fenced": _fenced,
    "think": lambda body: _content(body, f"<think>hm</think>\n{_dumps(sensible_answer(body))}"),
    "wrong_schema": lambda body: _content(body, _dumps({"label": "Ventas", "score": "high"})),
    "not_json": lambda body: _content(body, "Claro, la categoría es Ventas."),
    "empty_content": lambda body: _content(body, ""),
    "null_content": lambda body: _content(body, None),
    "empty_reply": lambda body: _ok(body, reply=" \n"),
    "unknown_category": lambda body: _ok(body, category="Astrología"),
    "truncated": _truncated,
    "refusal": _refusal,
    "content_filter": lambda body: _content(body, None, finish_reason="content_filter"),
    "empty_choices": lambda body: _without(body, "choices", []),
    "null_choices": lambda body: _without(body, "choices", None),
    "null_message": lambda body: _content(body, None, message=None),
    "no_usage": lambda body: _without(body, "usage", None),
    "gzip": _gzipped,
}


class Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 with keep-alive, as the SDK's pool expects."""

    protocol_version = "HTTP/1.1"
    # Header and body are two writes; Nagle would hold the second for 40 ms.
    disable_nagle_algorithm = True
    server: FakeOpenAI

    def do_GET(self) -> None:
        if self.path == "/_fake/calls":
            with self.server.lock:
                counts = dict(self.server.counts)
            self.send(_json({"total": sum(counts.values()), "by_message": counts}))
        elif self.path.endswith("/models"):
            self.send(_json({"object": "list", "data": [{"id": "fake", "object": "model"}]}))
        else:
            self.send(_error(404, None, "no such path"))

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_fake/scenario":
            self._choose(raw.decode(errors="replace"))
        elif self.path.endswith("/chat/completions"):
            self._chat(raw)
        else:
            self.send(_error(404, None, "no such path"))

    def _choose(self, names: str) -> None:
        *first, last = [name.strip() for name in names.split(",")]
        try:
            self.server.play(*first)
            self.server.scenario = last
        except ValueError as exc:
            self.send(_error(400, None, str(exc)))
        else:
            self.send(_json({"scenario": last}))

    def _chat(self, raw: bytes) -> None:
        try:
            body = json.loads(raw)
            name = self.server.record(body, {key.lower(): value for key, value in self.headers.items()})
        except (ValueError, AttributeError):
            self.send(_error(400, None, "the body is not a JSON object"))
            return
        self.server.stopping.wait(self.server.latency)
        if name in WIRE:
            WIRE[name](self, body)
        else:
            self.send(REPLIES[name](body))

    def start(self, reply: Reply, length: int | None = None) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body) if length is None else length))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, reply: Reply) -> None:
        self.start(reply)
        self.wfile.write(reply.body)

    def drip(self, data: bytes) -> None:
        for position in range(len(data)):
            if self.server.stopping.wait(self.server.drip_interval):
                break
            self.wfile.write(data[position : position + 1])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class calls it so
        """Stay silent: tests and `fake_openai` print what matters."""


def _hang(handler: Handler, _body: Json) -> None:
    handler.close_connection = True
    handler.server.stopping.wait(HANG_SECONDS)


def _reset(handler: Handler, body: Json) -> None:
    reply = _ok(body)
    handler.start(reply)
    handler.wfile.write(reply.body[: len(reply.body) // 2])
    # Linger 0 makes the close a TCP reset.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def _drip(handler: Handler, body: Json) -> None:
    reply = _ok(body)
    handler.start(reply)
    handler.drip(reply.body)


def _drip_headers(handler: Handler, _body: Json) -> None:
    handler.close_connection = True
    handler.drip(b"HTTP/1.1 200 OK\r\nX-Filler: " + b"a" * 10_000)


def _huge(handler: Handler, _body: Json) -> None:
    handler.start(Reply(b""), HUGE_BYTES)
    for _ in range(HUGE_BYTES // 1000):
        handler.wfile.write(b" " * 1000)


def _key_echo(handler: Handler, body: Json) -> None:
    """Quote the key and the customer wherever an error has room, as some gateways do."""
    key = handler.headers.get("Authorization", "").removeprefix("Bearer ")
    quoted = {
        "message": f"Incorrect key {key}: {customer_text(body)}",
        "code": key,
        "type": key,
        "param": key,
    }
    handler.send(_json({"error": quoted}, 401))


WIRE: dict[str, Callable[[Handler, Json], None]] = {
    "hang": _hang,
    "reset": _reset,
    "drip": _drip,
    "drip_headers": _drip_headers,
    "huge": _huge,
    "key_echo": _key_echo,
}
SCENARIOS = (*REPLIES, *WIRE)


class FakeOpenAI(ThreadingHTTPServer):
    """The server. As a context manager it runs in a thread of its own until the block ends."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        scenario: str = "ok",
        latency: float = 0.0,
        drip_interval: float = 0.4,
    ) -> None:
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.latency = latency
        self.drip_interval = drip_interval
        self.scenario = scenario
        self.requests: list[Recorded] = []
        self.counts: Counter[str] = Counter()
        self.connections = 0
        self._queue: deque[str] = deque()
        super().__init__((host, port), Handler)

    @property
    def scenario(self) -> str:
        """What plays when neither queue nor model names a scenario."""
        return self._scenario

    @scenario.setter
    def scenario(self, name: str) -> None:
        self._scenario = _known(name)

    @property
    def base_url(self) -> str:
        """What OPENAI_BASE_URL has to be."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}/v1"

    def play(self, *names: str) -> None:
        """Play these once each, in this order, before anything else."""
        known = [_known(name) for name in names]
        with self.lock:
            self._queue.extend(known)

    def record(self, body: Json, headers: dict[str, str]) -> str:
        """Keep a request and return the scenario it plays."""
        text, model = customer_text(body), str(body.get("model"))
        with self.lock:
            by_model = model if model in SCENARIOS else self.scenario
            name = self._queue.popleft() if self._queue else by_model
            self.requests.append(Recorded(body, headers, name, text))
            self.counts[text] += 1
        return name

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up on a slow answer is the point of half the scenarios.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def __enter__(self) -> FakeOpenAI:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()


def _known(name: str) -> str:
    if name not in SCENARIOS:
        raise ValueError(f"unknown scenario {name!r}; known: {', '.join(SCENARIOS)}")
    return name


def unreachable_url() -> str:
    """Return a base URL on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
