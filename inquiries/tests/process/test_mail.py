"""Workers that are killed, stopped or busy while a mail is to go out: it goes out once, or a person is asked."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inquiries.tests.processes import Box, wait_until
from inquiries.tests.smtp import MailServer

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
SHORT_LEASE = ("--lease", "6")
MAILS = """
import json
from inquiries.models import Delivery
fields = ("state", "error", "attempts", "crashes")
print("MAILS" + json.dumps(list(Delivery.objects.order_by("pk").values(*fields))))
"""


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def box(request: pytest.FixtureRequest, make_box: Callable[..., Box], server: MailServer) -> Box:
    stores = {}
    if request.param == "postgres":
        stores["DATABASE_URL"] = request.getfixturevalue("scratch_database")
    return make_box(EMAIL_URL=server.url, POK_WORKERS="1", **stores)


@pytest.fixture
def small_box(make_box: Callable[..., Box], server: MailServer) -> Box:
    return make_box(EMAIL_URL=server.url, POK_WORKERS="1")


def mails(box: Box) -> list[dict[str, Any]]:
    output = box.shell(MAILS)
    rows: list[dict[str, Any]] = json.loads(output[output.index("MAILS") + 5 :])
    return rows


def reach(box: Box, server: MailServer, stage: str) -> threading.Event:
    """Let a receipt get as far as this stage of its talk, where it is held until the event."""
    gate = threading.Event()
    server.script[stage] = gate
    box.submit(1)
    return gate


def test_a_worker_killed_after_the_text_leaves_the_mail_to_a_person(box, server):
    gate = reach(box, server, "TEXT")
    worker = box.start_worker(*SHORT_LEASE)
    wait_until(lambda: bool(server.mails), 60, "the text is there, the answer is not")
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    gate.set()
    box.start_worker(*SHORT_LEASE)
    wait_until(lambda: mails(box)[0]["state"] == "unknown", 60, "the next worker finds it", pause=1)
    assert mails(box) == [{"state": "unknown", "error": "crashed", "attempts": 2, "crashes": 1}]
    assert len(server.mails) == 1


def test_a_worker_killed_before_the_text_costs_nothing(box, server):
    gate = reach(box, server, "RCPT")
    worker = box.start_worker(*SHORT_LEASE)
    wait_until(lambda: "RCPT" in server.asked, 60, "the mail is announced")
    worker.send_signal(signal.SIGKILL)
    worker.wait(10)
    gate.set()
    box.start_worker(*SHORT_LEASE)
    wait_until(lambda: bool(server.mails), 60, "the next worker sends it")
    wait_until(lambda: mails(box)[0]["state"] == "sent", 30, "it is on record", pause=1)
    assert mails(box) == [{"state": "sent", "error": "", "attempts": 2, "crashes": 1}]
    assert len(server.mails) == 1


def test_a_stopped_worker_waits_for_the_servers_last_word(small_box, server):
    box = small_box
    gate = reach(box, server, "TEXT")
    worker = box.start_worker()
    wait_until(lambda: bool(server.mails), 60, "the text is there, the answer is not")
    worker.send_signal(signal.SIGTERM)
    threading.Timer(2, gate.set).start()
    assert worker.wait(30) == 0
    assert mails(box) == [{"state": "sent", "error": "", "attempts": 1, "crashes": 0}]


def test_mails_do_not_wait_for_the_ai_service(small_box, server, openai):
    box = small_box
    openai.latency = 60.0
    box.submit(1)
    box.start_worker()
    wait_until(lambda: len(openai.requests) == 1, 60, "the worker's only thread waits for the AI service")
    server.mails.clear()
    box.shell("from inquiries.models import ReceiptPause; ReceiptPause.objects.all().delete()")
    box.submit(1)
    wait_until(lambda: len(server.mails) == 1, 10, "the second receipt goes out meanwhile")
    assert len(openai.requests) == 1
