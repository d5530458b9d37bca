"""The programs of PostgreSQL: pg_dump, and pg_restore whose SQL goes through psql.

They get the connection by libpq's variables, so that no password stands in a list of processes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from psycopg import pq

from inquiries.backups.archive import CHUNK, Pulse, opened_for_itself
from inquiries.backups.errors import FULL, BackupError, BackupReason, files_explained

INSTALL = "install PostgreSQL's client programs (Debian and Ubuntu: apt install postgresql-client)"
LONGEST_HEADER = 100  # lines
DUMP_OPTIONS = ("--format=custom", "--compress=0", "--lock-wait-timeout=60000")
WITHOUT = ("--no-owner", "--no-privileges", "--no-comments")
# pg_dump sets an empty one: functions that call each other by plain names, as ours do, would not be found.
SEARCH_PATH = re.compile(rb"SELECT pg_catalog\.set_config\('search_path', '', false\);\n")
TIMEOUT_OF_17 = b"SET transaction_timeout = 0;\n"


def find(program: str) -> str:
    """Return the path of a program. Raises BackupError where it is not installed."""
    if found := shutil.which(program):
        return found
    raise BackupError(BackupReason.NO_TOOL, f"{program} was not found: {INSTALL}.")


def ensure_dump(server_version: int) -> None:
    """Raise BackupError where there is no pg_dump, or one that is older than the server (as 170002)."""
    told = subprocess.run([find("pg_dump"), "--version"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    found = re.search(r"\) (\d+)", told.stdout)
    have, need = int(found[1]) if found else 0, server_version // 10_000
    if have < need:
        text = f"pg_dump is of version {have or '?'}, the server of version {need}: {INSTALL}, version {need} or newer."
        raise BackupError(BackupReason.OLD_TOOL, text)


def dump(conninfo: Mapping[str, Any], moment: str, target: Path, pulse: Pulse) -> None:
    """Write the database, as it is in the exported snapshot, into `target`."""
    command = [find("pg_dump"), *DUMP_OPTIONS, *WITHOUT, f"--snapshot={moment}", "--no-password"]
    with (
        files_explained(target.parent),
        opened_for_itself(target) as file,
        _started(command, conninfo) as (process, told),
    ):
        while chunk := cast("IO[bytes]", process.stdout).read(CHUNK):
            file.write(chunk)
            pulse()
        _ensure_ended(process, told, "pg_dump")


def restore(
    conninfo: Mapping[str, Any], dump_file: Path, before: Sequence[str], after: Sequence[str], server_version: int
) -> str:
    """Run `before`, the dump and `after` in one session; return what it printed, columns apart by "|".

    `after` is not reached unless pg_restore came to a good end, so a COMMIT belongs there. Raises BackupError.
    """
    reading = [find("pg_restore"), *WITHOUT, "--no-tablespaces", "--file=-", str(dump_file)]
    running = [find("psql"), "-XqAt", "--no-password", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse"]
    with tempfile.TemporaryFile() as printed:
        with (
            _started(running, conninfo, stdin=subprocess.PIPE, stdout=printed) as (session, session_told),
            _started(reading, {}) as (reader, reader_told),
        ):
            source, sink = cast("IO[bytes]", reader.stdout), cast("IO[bytes]", session.stdin)
            with suppress(BrokenPipeError):  # then psql has ended, and says why
                sink.write("\n".join([*before, ""]).encode())
                _pass_header(source, sink, server_version)
                shutil.copyfileobj(source, sink, CHUNK)
                _ensure_ended(reader, reader_told, "pg_restore")
                sink.write("\n".join(["", *after, ""]).encode())
                sink.close()
            _ensure_ended(session, session_told, "psql")
        printed.seek(0)
        return printed.read().decode("utf-8", "replace")


def _pass_header(source: IO[bytes], target: IO[bytes], server_version: int) -> None:
    """Pass the settings at the beginning of a dump on, without those that would not work here."""
    for _line in range(LONGEST_HEADER):
        line = source.readline()
        if line == TIMEOUT_OF_17 and server_version < 170_000:
            continue
        if SEARCH_PATH.fullmatch(line):
            # What is named in full is found all the same; the rest as it is when POK runs.
            target.write(b"RESET search_path;\n")
            return
        target.write(line)


@contextmanager
def _started(
    command: Sequence[str], conninfo: Mapping[str, Any], **streams: Any
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """Run a program; one that has not ended with the block is killed, which undoes an open transaction."""
    with tempfile.TemporaryFile() as told:
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} | streams
        process = subprocess.Popen(command, env=_environment(conninfo), stderr=told, **options)  # noqa: S603
        try:
            yield process, told
        finally:
            if process.poll() is None:
                process.kill()
            with suppress(BrokenPipeError):
                process.__exit__(None, None, None)


def _environment(conninfo: Mapping[str, Any]) -> dict[str, str]:
    """Return our own environment with the connection's parameters, and messages in English to tell errors apart."""
    names = {option.keyword.decode(): option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    given = {names[key]: str(value) for key, value in conninfo.items() if key in names and value is not None}
    return {**os.environ, "LC_ALL": "C", **given}


def _ensure_ended(process: subprocess.Popen[bytes], told: IO[bytes], name: str) -> None:
    """Wait for the end; raise BackupError with the program's first complaint where it is not a good one."""
    if process.wait() == 0:
        return
    told.seek(0)
    lines = told.read(20_000).decode("utf-8", "replace").splitlines()
    complaints = [line for line in lines if "ERROR" in line or "error" in line or "FATAL" in line] or lines
    is_full = any(os.strerror(number) in line for number in FULL for line in lines)
    reason = BackupReason.DISK_FULL if is_full else BackupReason.DATABASE
    why = complaints[0][:300].rstrip(".") if complaints else "it ended without a word"
    raise BackupError(reason, f"{name}: {why}.")
