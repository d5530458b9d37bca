"""Supervisor with one difference: a closed terminal (SIGHUP) stops POK instead of restarting it without output."""

from __future__ import annotations

import signal
import sys
from typing import Any

from supervisor import supervisord
from supervisor.options import ServerOptions


class Options(ServerOptions):  # type: ignore[misc]
    def setsignals(self) -> None:
        super().setsignals()
        signal.signal(signal.SIGHUP, self._stop)

    def _stop(self, *_: Any) -> None:
        self.signal_receiver.receive(signal.SIGTERM, None)


def main(arguments: list[str]) -> None:
    """Run until a signal says stop; exit 0."""
    options = Options()
    options.realize(arguments)
    options.first = True
    options.test = False
    supervisord.go(options)


if __name__ == "__main__":
    main(sys.argv[1:])
