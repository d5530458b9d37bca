"""Settings as a start sees them: in a process of their own, with an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRINT = "from django.conf import settings as s; print(({}))"
POSTGRES_ONLY = "use postgres://user:password@host/name (PostgreSQL) or nothing."
OURS = ("POK_", "DJANGO_", "OPENAI_")


def run_python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project with these variables only; a developer's .env does not count."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    blank = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "TIME_ZONE", "PORT", "OPENAI_API_KEY"), "")
    environment = clean | blank | {"POK_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "pok.settings"} | variables
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def setting(folder: Path, expression: str, **variables: str) -> str:
    done = run_python(folder, "-c", PRINT.format(expression), **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "http", "POK: PORT='http': use a whole number from 1 to 65535."),
        ("POK_WORKERS", "0", "POK: POK_WORKERS='0': use a whole number from 1 to 200."),
        ("DJANGO_DEBUG", "maybe", "POK: DJANGO_DEBUG='maybe': use 1 or 0."),
        ("POK_AI_ENGINE", "magic", "POK: POK_AI_ENGINE='magic': use one of auto, openai, embedded, off."),
        ("TIME_ZONE", "Mars", "POK: TIME_ZONE='Mars': use a zone such as America/Bogota."),
        ("REDIS_URL", "localhost", "POK: REDIS_URL is not an address; it should begin with redis://"),
        (
            "DATABASE_URL",
            "mysql://x",
            f"POK: DATABASE_URL: {POSTGRES_ONLY}",
        ),
        ("POK_REPLY_TO", "ana", "POK: POK_REPLY_TO='ana': use an address such as soporte@example.com."),
        ("EMAIL_URL", "pigeon://x", "POK: EMAIL_URL is not a mail address such as smtp+tls://user:password@host:587"),
    ],
)
def test_a_bad_value_is_one_line_and_no_traceback(tmp_path, name, value, line):
    done = run_python(tmp_path, "manage.py", "check", **{name: value})
    assert (done.returncode, done.stderr.strip()) == (1, line)


@pytest.mark.parametrize(
    ("url", "has_mail"),
    [("", False), ("dummymail://", False), ("consolemail://", True), ("filemail:///tmp", True), ("smtp://host", True)],
)
def test_mail_is_set_up_by_its_url(tmp_path, url, has_mail):
    assert setting(tmp_path, "s.HAS_MAIL", EMAIL_URL=url) == str(has_mail)


def test_mails_come_from_the_servers_user_where_that_is_an_address(tmp_path):
    account = "smtp+tls://ana%40example.com:x@host"
    assert setting(tmp_path, "s.DEFAULT_FROM_EMAIL", EMAIL_URL="smtp+tls://ana:x@host") == "pok@localhost"
    assert setting(tmp_path, "s.DEFAULT_FROM_EMAIL", EMAIL_URL=account) == "ana@example.com"
    assert (
        setting(tmp_path, "s.DEFAULT_FROM_EMAIL", EMAIL_URL=account, POK_FROM_EMAIL="b@example.com") == "b@example.com"
    )


def test_the_base_url_names_a_host_and_makes_cookies_secure(tmp_path):
    answer = setting(
        tmp_path,
        "s.ALLOWED_HOSTS[-1], s.SESSION_COOKIE_SECURE, s.CSRF_TRUSTED_ORIGINS",
        POK_BASE_URL="https://pok.example.com/",
    )
    assert answer == "('pok.example.com', True, ['https://pok.example.com'])"


def test_the_base_url_follows_the_port(tmp_path):
    assert setting(tmp_path, "s.BASE_URL, s.SESSION_COOKIE_SECURE", PORT="9123") == "('http://127.0.0.1:9123', False)"


def test_redis_serves_queue_and_cache(tmp_path):
    answer = setting(
        tmp_path, "s.HUEY['huey_class'], s.CACHES['default']['LOCATION']", REDIS_URL="redis://r.example:6379/3"
    )
    assert answer == "('pok.queue.RedisQueue', 'redis://r.example:6379/3')"


def test_what_the_databases_address_asks_for_is_kept(tmp_path):
    url = "postgres://pok:secret@db.example.com/pok?sslmode=verify-full&connect_timeout=9"
    options = setting(tmp_path, "s.DATABASES['default']['OPTIONS']", DATABASE_URL=url)
    assert "'sslmode': 'verify-full'" in options
    assert "'connect_timeout': 9" in options


def test_without_redis_and_postgresql_state_is_in_the_data_folder(tmp_path):
    answer = setting(tmp_path, "str(s.HUEY['connection']['folder']), str(s.DATABASES['default']['NAME'])")
    assert answer == str((str(tmp_path / "doorbell"), str(tmp_path / "pok.sqlite3")))


def test_accepted_means_durable_and_the_queue_is_never_immediate(tmp_path):
    answer = setting(
        tmp_path, "s.DATABASES['default']['OPTIONS']['init_command'], s.HUEY['immediate']", DJANGO_DEBUG="1"
    )
    assert "synchronous=FULL" in answer
    assert answer.endswith("False)")


def test_without_proxies_a_forwarded_protocol_is_not_believed(tmp_path):
    assert setting(tmp_path, "s.SECURE_PROXY_SSL_HEADER") == "None"
    assert "HTTP_X_FORWARDED_PROTO" in setting(tmp_path, "s.SECURE_PROXY_SSL_HEADER", POK_NUM_PROXIES="1")


def test_static_files_are_in_the_data_folder_unless_an_image_says_otherwise(tmp_path):
    assert setting(tmp_path, "str(s.STATIC_ROOT)") == str(tmp_path / "static")
    elsewhere = tmp_path / "image"
    assert setting(tmp_path, "str(s.STATIC_ROOT)", POK_STATIC_DIR=str(elsewhere)) == str(elsewhere)
