"""`python -m pok.serve web|worker`: one of POK's two services, under supervisor, in a container or by hand."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

# A browser's idle connections must not hold up a stop.
STOP_PATIENCE = 10


def main(arguments: list[str] | None = None) -> None:
    """Run the service until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m pok.serve")
    parser.add_argument("service", choices=["web", "worker"])
    parser.add_argument("--host", default="127.0.0.1", help="web: the address to listen on")
    parser.add_argument("--supervised", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pok.settings")
    if options.supervised:
        stop_with_supervisor()
    if options.service == "web":
        serve_web(options.host)
    else:
        serve_worker()


def stop_with_supervisor() -> None:
    """Stop when supervisor is gone, even by kill -9: it holds the other end of our standard input."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="supervisor-watch", daemon=True).start()


def serve_web(host: str) -> None:
    """Serve the pages and the API by granian; its own access log stays off, since paths carry tokens."""
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    # Not a fork: a thread of ours is running.
    multiprocessing.set_start_method("spawn", force=True)
    Granian(
        "pok.wsgi:application",
        address=host,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.WEB_THREADS,
        log_access=False,
        log_level=LogLevels.warning,
        workers_kill_timeout=STOP_PATIENCE,
    ).serve(target_loader=load_application, wrap_loader=False)


def load_application() -> Callable[..., Any]:
    """Load Django in granian's worker process, which must not outlive its parent and keep the port."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="parent-watch", daemon=True).start()
    from pok.outage import limit_lock_wait

    limit_lock_wait()
    from pok.wsgi import application

    return application


def serve_worker() -> None:
    """Run Huey's consumer, which finds `inquiries.tasks` by itself and starts the sweeper."""
    import django
    from django.core.management import call_command

    django.setup()
    from inquiries.sweeper import hand_over

    try:
        call_command("run_huey")
    finally:
        hand_over()


if __name__ == "__main__":
    main()
