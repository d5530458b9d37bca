"""PostgreSQL databases for one test, dropped at its end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg


@contextmanager
def database_of_its_own(server: str, *, template: str = "template0") -> Iterator[str]:
    """Make a database beside the one of this address; its own address."""
    name = f"pok_backup_{secrets.token_hex(4)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        _administer(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _administer(server: str, command: str) -> None:
    # Not the address's own database: the first run of the tests has yet to make that one.
    with psycopg.connect(urlsplit(server)._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(command)
