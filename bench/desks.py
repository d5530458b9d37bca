"""Desks full of made-up inquiries for the rows about lists: seeded once a run, shared by the rows.

POK_BENCH_ROWS: how many inquiries the large desk holds (1,000,000); fewer for a quick look, whose figures mean little.
POK_BENCH_DESKS: a folder in which the desks stay for the next run, because a million take minutes to make.
"""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench.installation import POSTGRES, Installation, PostgresRedis, Sqlite, Stores, Web, end
from bench.reader import Reader

LARGE = int(os.environ.get("POK_BENCH_ROWS") or 1_000_000)
MIDDLE, SMALL = min(LARGE, 100_000), min(LARGE, 1_000)
KEPT = os.environ.get("POK_BENCH_DESKS", "")
COUNT = "from inquiries.models import Inquiry; print(Inquiry.objects.count())"
SIGN_IN = """
from django.contrib.auth.models import Group
from django.test import Client
from inquiries.models import User
person, _ = User.objects.get_or_create(username="bench")
person.groups.add(Group.objects.get(name="Agentes"))
client = Client()
client.force_login(person)
print(client.cookies["sessionid"].value)
"""


class Postgres(PostgresRedis):
    """A database on the PostgreSQL server, which stays where desks are kept. Reading needs no Redis."""

    name = "PostgreSQL"

    def __init__(self, size: int) -> None:
        self.database = f"pok_{Path(KEPT).name}_{size}" if KEPT else f"pok_desk_{size}_{os.getpid()}"

    def variables(self) -> dict[str, str]:
        """Make the database where it is not there yet; the variables that name it."""
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone():
                connection.execute(f'CREATE DATABASE "{self.database}"'.encode())
        return {"DATABASE_URL": urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{self.database}"))}

    def remove(self) -> None:
        """Drop the database."""
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)'.encode())


class Desk(Installation):
    """A running POK with so many inquiries, and a person who works its inbox."""

    def __init__(self, stores: Stores, size: int) -> None:
        super().__init__(stores, POK_AI_ENGINE="embedded")
        if KEPT:
            self.folder.rmdir()
            self.folder = Path(KEPT, f"{stores.name.lower()}_{size}")
            self.folder.mkdir(parents=True, exist_ok=True)
            self.environment["POK_DATA_DIR"] = str(self.folder)
        self.size = size
        self.session = ""
        self.servers: dict[str, Web] = {}

    def fill(self) -> Desk:
        """Make what is missing."""
        with self:
            if int(self.shell(COUNT)) < self.size:
                sys.stderr.write(f"bench: {self.size:,} inquiries on {self.stores.name} …\n")
                self.manage("seed_bench", str(self.size))
            self.session = self.shell(SIGN_IN).strip()
        return self

    def __exit__(self, kind: object, error: object, at: object) -> None:
        """It goes on until the run is over; see `close`."""

    def close(self) -> None:
        """End the processes; take everything away, unless desks are kept."""
        for process in self.processes:
            end(process)
        if not KEPT:
            super().close()

    def reader(self, settings: str = "pok.settings", **headers: str) -> Reader:
        """A connection of the signed-in agent to a server with these settings, which is started once."""
        if settings not in self.servers:
            self.servers[settings] = self.start_web(DJANGO_SETTINGS_MODULE=settings)
        return Reader(self.servers[settings].port, Cookie=f"sessionid={self.session}", **headers)


Kind = type[Sqlite] | type[Postgres]
KINDS: tuple[Kind, ...] = (Sqlite, Postgres)
_made: dict[tuple[str, int], Desk] = {}


def desk(kind: Kind, size: int) -> Desk:
    """The desk of this kind and size; all are taken away when the run ends."""
    if (kind.name, size) not in _made:
        made = Desk(Postgres(size) if issubclass(kind, Postgres) else Sqlite(), size)
        atexit.register(made.close)
        _made[kind.name, size] = made.fill()
    return _made[kind.name, size]
