"""What the monitor, the probes and Prometheus ask: how much waits, how fast it goes, who works, what went wrong.

Reads only. Ages are computed by the database, whose clock all hosts share. No question costs more as the tables grow:
counts stop at COUNT_CAP, lists at their limit, and each stands on an index.
"""

from __future__ import annotations

from inquiries.metrics.failures import last_failures, waiting_to_try_again
from inquiries.metrics.heartbeats import Worker, has_live_worker, workers
from inquiries.metrics.last_hour import Pace, Quantiles, Slice, pace
from inquiries.metrics.mails import Mail, mail, troubled_mails
from inquiries.metrics.outside import (
    Backup,
    EngineInUse,
    Light,
    Service,
    ai_notice,
    ai_service,
    backup,
    engine_in_use,
    mail_service,
    spent,
)
from inquiries.metrics.waiting import Backlog, Pause, Queue, backlog, pause, queue

__all__ = [
    "Backlog",
    "Backup",
    "EngineInUse",
    "Light",
    "Mail",
    "Pace",
    "Pause",
    "Quantiles",
    "Queue",
    "Service",
    "Slice",
    "Worker",
    "ai_notice",
    "ai_service",
    "backlog",
    "backup",
    "engine_in_use",
    "has_live_worker",
    "last_failures",
    "mail",
    "mail_service",
    "pace",
    "pause",
    "queue",
    "spent",
    "troubled_mails",
    "waiting_to_try_again",
    "workers",
]
