"""Structured logs on standard output: readable lines on a terminal, JSON elsewhere.

A line names ids and routes. It never holds what a customer wrote, a key, a password or a path, for paths carry tokens.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, ProgrammingError
from redis.exceptions import RedisError

# Their texts speak of code and services. Others quote data: a ValueError the value, an IntegrityError the whole row.
HARMLESS = (
    AttributeError,
    ImportError,
    ImproperlyConfigured,
    InterfaceError,
    NameError,
    OSError,
    OperationalError,
    ProgrammingError,
    RedisError,
    TypeError,
)
MESSAGE_LENGTH = 200


def describe_error(error: BaseException) -> str:
    """Return the traceback, causes first, without the texts of errors that quote data."""
    return "\n".join(_one_error(link) for link in reversed(_chain(error)))


def _chain(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in links:
        links.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return links


def _one_error(error: BaseException) -> str:
    name = type(error).__qualname__
    lines = str(error).splitlines() if isinstance(error, HARMLESS) else []
    # PostgreSQL quotes rows from the second line on.
    text = f"{name}: {lines[0][:MESSAGE_LENGTH]}" if lines else name
    return "".join(traceback.format_tb(error.__traceback__)) + text


def add_exception(logger: Any, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace `exc_info` by the text that may be shown."""
    found = event.pop("exc_info", None)
    if isinstance(found, tuple):
        found = found[1]
    elif found and not isinstance(found, BaseException):
        found = sys.exc_info()[1]
    if isinstance(found, BaseException):
        event["exception"] = describe_error(found)
    return event


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    add_exception,
]


class OnceAMinute(logging.Filter):
    """Let an error of the queue through once a minute: a broker that is down meets every idle worker without end."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("huey") or record.levelno < logging.ERROR:
            return True
        now, last = time.monotonic(), self._last.get(record.name)
        if last is not None and now - last < 60.0:
            return False
        self._last[record.name] = now
        return True


def logging_config(*, debug: bool, style: str = "auto") -> dict[str, Any]:
    """Return Django's LOGGING and point structlog at it; `style` is text, json or auto (text on a terminal)."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    level = "DEBUG" if debug else "INFO"
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": _renderers(style),
        "foreign_pre_chain": SHARED,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"pok": formatter},
        "filters": {"once_a_minute": {"()": OnceAMinute}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "pok",
                "stream": "ext://sys.stdout",
                "filters": ["once_a_minute"],
            }
        },
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": _loggers(level),
    }


def _loggers(level: str) -> dict[str, dict[str, Any]]:
    # These repeat the path; a request's own line has its route, its code and, for a crash, the trace.
    telltales = ("django.request", "django.server", "django.security.csrf")
    loggers: dict[str, dict[str, Any]] = {
        "pok": {"level": level},
        "inquiries": {"level": level},
        "django_structlog": {"level": "INFO"},
        "django": {"handlers": [], "level": "WARNING"},
        # A handler of its own, or the consumer adds one that writes plain text.
        "huey": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # Names who tried to sign in.
        "axes": {"level": "ERROR"},
    }
    return loggers | {name: {"handlers": [], "level": "CRITICAL", "propagate": True} for name in telltales}


def _renderers(style: str) -> list[Any]:
    readable = style == "text" or (style == "auto" and sys.stdout.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the structured logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def name_inquiry(pk: int) -> None:
    """Let every later line of this request carry the number of the inquiry that it is about."""
    structlog.contextvars.bind_contextvars(inquiry_id=pk)


logging.captureWarnings(True)
