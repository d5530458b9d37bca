"""`python -m pok.launch`: start the whole of POK on one box; `make run` and `make demo` are this.

The steps: settings, one start per data folder, a free port, `manage.py setup`; then this process becomes
supervisor, which runs the web server and the worker and restarts what dies.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pwd
import shlex
import signal
import socket
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
PATIENCE = 60.0  # seconds for the web server to answer before we say nothing at all

MAIN = """\
[supervisord]
nodaemon=true
user={user}
directory={directory}
pidfile={folder}/supervisord.pid
logfile=/dev/null
logfile_maxbytes=0
loglevel=warn
"""
PROGRAM = """
[program:{name}]
command={command}
stdout_logfile={output}
stdout_logfile_maxbytes=0
redirect_stderr=true
killasgroup=true
stopsignal=TERM
{options}
"""
# The worker finishes the calls that are under way (HUEY's shutdown_timeout) before it is killed.
SERVICE = "autorestart=true\nstartsecs=2\nstartretries=50\nstopwaitsecs=30"
ONCE = "autorestart=false\nstartsecs=0\nexitcodes=0"


class CannotStart(Exception):
    """Why POK does not start, in one line for the person at the terminal."""


def main(arguments: list[str] | None = None) -> None:
    """Start POK; return only by exit: 0 after a stop, 1 with one line where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m pok.launch", description="Start POK.")
    parser.add_argument("--demo", action="store_true", help="with sample inquiries, in var/demo")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    options = parser.parse_args(arguments)
    try:
        start(host=options.host, is_demo=options.demo)
    except (CannotStart, ImproperlyConfigured) as error:
        sys.exit(f"POK: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def start(*, host: str, is_demo: bool) -> None:
    """Prepare everything, then become supervisor."""
    if is_demo:
        use_demo_folder()
    os.chdir(BASE_DIR)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pok.settings")
    from django.conf import settings

    lock = lock_folder(settings.DATA_DIR)
    check_port(host, settings.PORT)
    password_line = prepare()
    if settings.LOG_FORMAT == "auto" and sys.stdout.isatty():
        os.environ["POK_LOG_FORMAT"] = "text"  # the programs see only supervisor's pipe
    config = write_config(settings.DATA_DIR, host=host, is_demo=is_demo)
    announce(lock, banner(has_new_password=bool(password_line), is_demo=is_demo), host, settings.PORT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pok.supervise", "--configuration", str(config)])  # noqa: S606


def use_demo_folder() -> None:
    """Keep samples away from real data: an own folder, and no database or queue but the ones in it."""
    folder = Path(os.environ.get("POK_DATA_DIR") or BASE_DIR / "var") / "demo"
    # Set and empty counts as absent, and .env does not override it.
    os.environ |= {"POK_DATA_DIR": str(folder), "DATABASE_URL": "", "REDIS_URL": "", "EMAIL_URL": ""}
    os.environ |= {"POK_ADMIN_USER": "supervisora", "POK_ADMIN_PASSWORD": "demo-supervisora"}


def lock_folder(folder: Path) -> int:
    """Take the folder for this process and the supervisor it becomes; return the lock's descriptor."""
    descriptor = os.open(folder / "launch.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise CannotStart(f"it runs already on the data folder {folder}.") from error
    os.set_inheritable(descriptor, True)
    return descriptor


def check_port(host: str, port: int) -> None:
    """Raise CannotStart where the web server could not listen."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            hint = f"make run PORT={port + 1 if port < 65535 else 8001}"
            raise CannotStart(f"port {port} cannot be used ({why}); choose another one: {hint}") from error


def prepare() -> str:
    """Run `manage.py setup`; return the line with the first password, which it has printed, or nothing."""
    import django
    from django.conf import settings
    from django.core.management import CommandError, call_command
    from django.db import OperationalError, connection, connections

    # A pool would try for ten seconds and then not say why; this process needs one connection.
    settings.DATABASES["default"].get("OPTIONS", {}).pop("pool", None)
    django.setup()
    try:
        connection.ensure_connection()
        password_line = call_command("setup")
    except OperationalError as error:
        reason = str(error).strip().splitlines()
        raise CannotStart(f"the database does not answer: {reason[0] if reason else 'no reason given'}") from error
    except CommandError as error:
        raise CannotStart(str(error)) from error
    finally:
        connections.close_all()
    return password_line or ""


def write_config(folder: Path, *, host: str, is_demo: bool) -> Path:
    """Write supervisor's configuration into the data folder."""
    serve = [sys.executable, "-m", "pok.serve"]
    manage = [sys.executable, str(BASE_DIR / "manage.py")]
    programs = [
        ("web", [*serve, "web", "--host", host, "--supervised"], SERVICE),
        ("worker", [*serve, "worker", "--supervised"], SERVICE),
    ]
    if is_demo:
        programs.append(("demo", [*manage, "load_demo", "--wait", "120"], ONCE))
    output = _output(folder)
    user = pwd.getpwuid(os.getuid()).pw_name if os.getuid() == 0 else ""
    text = MAIN.format(user=user, directory=_escaped(str(BASE_DIR)), folder=_escaped(str(folder)))
    for name, command, options in programs:
        text += PROGRAM.format(name=name, command=_escaped(shlex.join(command)), output=output, options=options)
    path = folder / "supervisord.conf"
    path.write_text(text.replace("user=\n", ""))
    return path


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _output(folder: Path) -> str:
    """Where the programs' lines go: to our own output if it can be opened a second time (a socket cannot)."""
    try:
        os.close(os.open("/dev/fd/1", os.O_WRONLY | os.O_APPEND))
        # In a file (`make run > pok.log`) several writers must not overwrite each other.
        fcntl.fcntl(1, fcntl.F_SETFL, fcntl.fcntl(1, fcntl.F_GETFL) | os.O_APPEND)
    except OSError:
        return _escaped(str(folder / "pok.log"))
    return "/dev/fd/1"


def banner(*, has_new_password: bool, is_demo: bool) -> str:
    """What the person at the terminal needs once POK answers."""
    from django.conf import settings

    lines = [
        ("Customers' form", f"{settings.BASE_URL}/"),
        ("Agents' inbox", f"{settings.BASE_URL}/bandeja/"),
        ("Data", str(settings.DATA_DIR)),
        ("Stop", "Ctrl-C"),
    ]
    if has_new_password:
        lines.insert(2, ("Sign in", f"as {settings.ADMIN_USER}, with the password above; change it at /clave/"))
    if is_demo:
        lines[2:2] = [
            ("Supervisor", f"{settings.ADMIN_USER} / {settings.ADMIN_PASSWORD}"),
            ("Agents", "lucia / demo-lucia, mateo / demo-mateo"),
        ]
    return "\n".join(["", "POK is running.", *(f"  {name:<16} {value}" for name, value in lines), ""])


def announce(lock: int, text: str, host: str, port: int) -> None:
    """Print the text when the web server answers; a child does the waiting, as this process becomes supervisor."""
    sys.stdout.flush()
    parent = os.getpid()
    if os.fork():
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.close(lock)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and os.getppid() == parent:
        if _answers(host, port):
            os.write(1, f"{text}\n".encode())
            break
        time.sleep(0.1)
    os._exit(0)


def _answers(host: str, port: int) -> bool:
    connection = HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # noqa: S104 - a comparison
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True  # whatever the answer is


if __name__ == "__main__":
    main()
