"""Readers for the environment: a bad value stops the start with one clear line."""

from __future__ import annotations

import os
import re
import secrets
from email.errors import HeaderParseError
from email.headerregistry import Address, parser  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on", "si", "sí"})
FALSE = frozenset({"0", "false", "no", "off", ""})
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding blanks; an empty one counts as absent."""
    return os.environ.get(name, "").strip() or default


def boolean(name: str, default: bool = False) -> bool:
    """Return the variable as a truth value."""
    value = text(name, "1" if default else "0").lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name}={value!r}: use 1 or 0.")
    return value in TRUE


def integer(name: str, default: int, *, low: int, high: int) -> int:
    """Return the variable as a whole number within low..high."""
    value = text(name, str(default))
    if not re.fullmatch("-?[0-9]{1,12}", value) or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name}={value!r}: use a whole number from {low} to {high}.")
    return int(value)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Return the variable, which is one of `allowed`."""
    value = text(name, default).lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: use one of {', '.join(allowed)}.")
    return value


def names(name: str) -> list[str]:
    """Return a comma-separated variable as a list."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def url(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """Return the variable as an address without a trailing slash."""
    value = text(name, default)
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        # The value itself may carry a password, so it is not repeated.
        raise ImproperlyConfigured(f"{name} is not an address; it should begin with {schemes[0]}://")
    return value.rstrip("/")


def time_zone(name: str, default: str) -> str:
    """Return the variable as a name of the IANA time zone database."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ImproperlyConfigured(f"{name}={value!r}: use a zone such as America/Bogota.") from error
    return value


def database(name: str, default: Path) -> dict[str, Any]:
    """Return Django's settings of the database that the variable names, SQLite at `default` without one."""
    value = text(name) or f"sqlite:///{default}"
    scheme = value.split(":", 1)[0]
    if scheme not in {"postgres", "postgresql", "psql", "sqlite"}:
        raise ImproperlyConfigured(f"{name}: use postgres://user:password@host/name (PostgreSQL) or nothing.")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is not a database address.") from error
    return config


def email(name: str, default: str) -> dict[str, Any]:
    """Return Django's settings of the mail server that the variable names."""
    value = text(name, default)
    refusal = f"{name} is not a mail address such as smtp+tls://user:password@host:587"
    try:
        config: dict[str, Any] = environ.Env.email_url_config(value)
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(refusal) from error
    scheme = value.partition(":")[0].lower()
    if scheme in MAIL_PORTS:
        if not config["EMAIL_HOST"]:
            raise ImproperlyConfigured(refusal)
        config |= {"EMAIL_BACKEND": "pok.mail.EmailBackend", "EMAIL_PORT": config["EMAIL_PORT"] or MAIL_PORTS[scheme]}
    elif scheme == "smtps":  # some call port 465 so, some port 587
        raise ImproperlyConfigured(f"{name}: use smtp+tls:// (STARTTLS, port 587) or smtp+ssl:// (port 465).")
    elif scheme == "filemail":
        config["EMAIL_FILE_PATH"] = _folder(name, urlsplit(value).netloc, config["EMAIL_FILE_PATH"])
    return config


def _folder(name: str, host: str, path: str) -> str:
    """Return the folder of filemail:///folder, whose path begins at the root."""
    if host or not path.strip("/"):
        raise ImproperlyConfigured(f"{name}: write the folder in full, with three strokes: filemail:///var/mail")
    return f"/{path.lstrip('/')}"


def mailbox(name: str, default: str) -> str:
    """Return the variable as an address, alone or under a name: Soporte <soporte@example.com>; empty as it is."""
    value = text(name, default)
    if not value:
        return ""
    try:
        found, rest = parser.get_mailbox(value)
        domain = (found.domain or "").encode("idna").decode("ascii")
        if rest or found.all_defects or not domain:
            raise ValueError
        return str(Address(found.display_name or "", username=found.local_part, domain=domain))
    except (HeaderParseError, ValueError, IndexError) as error:
        raise ImproperlyConfigured(f"{name}={value!r}: use an address such as soporte@example.com.") from error


def data_folder(path: Path) -> Path:
    """Make the folder that holds all state and check that it can be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ImproperlyConfigured(f"POK_DATA_DIR={path}: the folder cannot be written ({error.strerror}).") from error
    return path


def secret_key(name: str, folder: Path) -> str:
    """Return the variable, or a key made once in the data folder.

    O_EXCL lets exactly one of several starting processes make it; the others read what that one wrote.
    """
    if given := text(name):
        return given
    path = folder / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _existing_key(path)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


def _existing_key(path: Path) -> str:
    key = path.read_text().strip()
    if not key:
        raise ImproperlyConfigured(f"{path} is empty: remove it, a new key is made at the next start.")
    return key
