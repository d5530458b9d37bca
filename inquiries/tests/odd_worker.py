"""`python -m inquiries.tests.odd_worker`: a worker as tests need it, with shorter times or something wrong with it."""

from __future__ import annotations

import argparse
import copyreg
import datetime
import os
import time
from datetime import datetime as Right  # noqa: N812 - the class itself, before it is replaced
from typing import Any


def main() -> None:
    """Make it odd, then run the product's own worker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", type=float, default=0.0, help="seconds that this host's clock is wrong by")
    parser.add_argument("--lease", type=float, help="seconds of a lease; it is renewed four times within")
    parser.add_argument("--grace", type=int, help="seconds for what is under way when the worker is told to stop")
    parser.add_argument("--dies-on", metavar="WORD", help="the process ends at once over a message with this word")
    options = parser.parse_args()
    if options.clock:
        shift_clock(options.clock)  # before anything has imported the time
    os.environ["DJANGO_SETTINGS_MODULE"] = "pok.settings"
    import django
    from django.conf import settings

    if options.grace is not None:
        settings.HUEY["consumer"]["shutdown_timeout"] = options.grace  # type: ignore[index]
    django.setup()
    if options.lease:
        shorten_leases(options.lease)
    if options.dies_on:
        die_on(options.dies_on)
    from pok.serve import serve_worker

    serve_worker()


def shift_clock(seconds: float) -> None:
    """Let Python's clocks be wrong; those of the database are not."""
    right_time = time.time

    class Kind(type):
        def __instancecheck__(cls, thing: Any) -> bool:
            return isinstance(thing, Right)

    class Wrong(Right, metaclass=Kind):
        def __new__(cls, *parts: Any, **named: Any) -> Any:
            return remade(*parts, **named)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return Right.now(tz) + datetime.timedelta(seconds=seconds)

        @classmethod
        def utcnow(cls) -> Any:
            return Right.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=seconds)

    # Pickles name the class by its place in the module, where the wrong one stands now.
    copyreg.pickle(Right, lambda moment: (remade, tuple(moment.__reduce_ex__(4)[1])))
    time.time = lambda: right_time() + seconds
    datetime.datetime = Wrong  # type: ignore[misc]


def remade(*parts: Any, **named: Any) -> datetime.datetime:
    """A moment like any other."""
    return Right(*parts, **named)  # noqa: DTZ001 - as the caller says


def shorten_leases(seconds: float) -> None:
    """Let a test wait less for what a worker left."""
    from inquiries import jobs, sweeper

    jobs.LEASE = datetime.timedelta(seconds=seconds)
    sweeper.PERIOD = seconds / 4


def die_on(word: str) -> None:
    """End the process as a crash in native code does, in the middle of a call."""
    from inquiries.ai.openai import OpenAIEngine

    analyse = OpenAIEngine.analyse

    def analyse_or_die(self: OpenAIEngine, request: Any) -> Any:
        if word in request.text:
            time.sleep(0.5)  # the other threads are in the middle of their own calls
            os._exit(139)
        return analyse(self, request)

    OpenAIEngine.analyse = analyse_or_die  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
