"""Structured logs on standard output: readable lines on a terminal, JSON elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def logging_config(*, debug: bool) -> dict[str, Any]:
    """Return Django's LOGGING and point structlog at it."""
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
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"pok": {"()": structlog.stdlib.ProcessorFormatter, "processors": [*_renderers()], "foreign_pre_chain": SHARED}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "pok", "stream": "ext://sys.stdout"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {
            "pok": {"level": level},
            "inquiries": {"level": level},
            "django_structlog": {"level": level},
            "huey": {"level": "WARNING"},
            # The request line of django.request repeats the path, and paths carry customers' tokens.
            "django.request": {"level": "CRITICAL"},
            "axes": {"level": "ERROR"},
        },
    }


def _renderers() -> list[Any]:
    readable = sys.stdout.isatty()
    renderer: Any = structlog.dev.ConsoleRenderer() if readable else structlog.processors.JSONRenderer()
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the structured logger of a module."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


logging.captureWarnings(True)
