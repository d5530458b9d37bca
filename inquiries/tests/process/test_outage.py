"""A database that is locked or down, seen from outside: who asks learns when to come back, and keeps the text."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from inquiries.tests.processes import Answer, Box, wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
INQUIRY = {"customer_name": "Ana", "email": "ana@example.com", "message": "No puedo entrar a mi cuenta"}
SIGNED_IN = "sessionid=" + 32 * "a"  # for all that the server knows before it has looked
TYPED = "No puedo entrar y ya he escrito todo esto"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


def create(box: Box, port: int) -> Answer:
    return box.ask(port, "POST", "/api/inquiries/create", INQUIRY)


def page_with_form(box: Box, port: int) -> Answer:
    return box.ask(port, "GET", "/")


def send_form(box: Box, port: int, page: Answer) -> Answer:
    """Send what a customer typed into a page that came before the trouble."""
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    hidden = dict(re.findall(r'name="(csrfmiddlewaretoken|ticket)" value="([^"]+)"', page.text))
    return box.ask(port, "POST", "/", urlencode(INQUIRY | {"message": TYPED} | hidden), Cookie=cookie, **FORM)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process writes and does not come to an end."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def assert_says_when_to_come_back(answer: Answer) -> None:
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_locked_database(make_box, static_files):
    box = make_box(**static_files)
    port = box.start_web()
    page = page_with_form(box, port)
    with locked(box.folder / "pok.sqlite3"), ThreadPoolExecutor() as pool:
        by_api = pool.submit(create, box, port)
        by_form = pool.submit(send_form, box, port, page)
        assert_says_when_to_come_back(by_api.result())
        assert "base de datos" in by_api.result().text
        assert (by_form.result().status, TYPED in by_form.result().text) == (503, True)
        # Whoever only reads does not notice.
        assert box.ask(port, "GET", "/api/docs/").status == 200
        assert box.ask(port, "GET", "/consulta/abcdefghijkl/").status == 404
    assert create(box, port).status == 201
    assert send_form(box, port, page).status == 302
    assert box.report()["inquiries"] == 2


def test_a_database_that_is_down(make_box, own_postgres, static_files):
    box = make_box(DATABASE_URL=own_postgres.url, POK_WEB_THREADS="8", **static_files)
    port = box.start_web()
    page = page_with_form(box, port)
    own_postgres.stop()
    with ThreadPoolExecutor() as pool:
        by_api = pool.submit(create, box, port)
        by_form = pool.submit(send_form, box, port, page)
        # Whose session must be looked up, in a middleware and in a view.
        pages = [pool.submit(box.ask, port, "GET", path, Cookie=SIGNED_IN) for path in ("/entrar/", "/bandeja/")]
        reads = pool.submit(box.ask, port, "GET", "/api/inquiries/", Authorization="Api-Key nobody")
        health = pool.submit(box.ask, port, "GET", "/healthz")
    assert_says_when_to_come_back(by_api.result())
    assert_says_when_to_come_back(reads.result())
    assert "base de datos" in by_api.result().text
    assert (by_form.result().status, TYPED in by_form.result().text) == (503, True)
    for each in pages:
        assert_says_when_to_come_back(each.result())
        assert "Volvemos en un momento" in each.result().text
    assert (health.result().status, '"down"' in health.result().text) == (503, True)

    own_postgres.start()
    # Not only once the pool dares to try again after ever longer pauses.
    wait_until(lambda: create(box, port).status == 201, 10, "inquiries are taken in again")
    assert send_form(box, port, page).status == 302


def test_a_short_outage_costs_no_reading(make_box, openai, own_postgres):
    """The AI has answered, and been paid for, while the database was away: the answer is written down afterwards."""
    box = make_box(DATABASE_URL=own_postgres.url)
    openai.latency = 2.0
    box.submit(4)
    box.start_worker()
    wait_until(lambda: len(openai.requests) == 4, 60, "the worker asks the AI")
    own_postgres.stop()
    time.sleep(openai.latency)  # the AI answers meanwhile
    own_postgres.start()
    wait_until(lambda: box.report()["done"] == 4, 60, "the answers are on record")
    assert (len(openai.requests), box.report()["crashes"]) == (4, 0)
