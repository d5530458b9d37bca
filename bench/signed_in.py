"""Settings of the poller's baseline: POK as it is, with one more view (`bench.hello`)."""

from __future__ import annotations

from pok.settings import *  # noqa: F403

ROOT_URLCONF = "bench.hello"
