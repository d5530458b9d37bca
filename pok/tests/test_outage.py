"""How long a request waits for the database."""

from __future__ import annotations

from pok.tests.test_settings import run_python

PRINT = """
from pok.outage import limit_lock_wait
limit_lock_wait()
from django.db import connection
print(connection.get_connection_params().get("timeout"))
"""


def test_a_request_waits_for_the_write_lock_shorter_than_a_worker(tmp_path):
    assert run_python(tmp_path, "-c", PRINT).stdout.strip() == "5"


def test_where_nothing_is_to_be_limited_nothing_is(tmp_path):
    shown = run_python(tmp_path, "-c", PRINT, DATABASE_URL="postgres://pok@127.0.0.1:1/pok")
    assert (shown.returncode, shown.stdout.strip()) == (0, "None")
