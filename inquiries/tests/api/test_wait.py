"""The header `Prefer: wait=N` (RFC 7240)."""

from __future__ import annotations

import threading
import time

import pytest

from inquiries.api import waiting
from inquiries.models import Inquiry
from inquiries.states import AnalysisState
from inquiries.tests.api.conftest import BODY
from inquiries.tests.api.servers import at_once


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("wait=5", 5),
        ("WAIT=5", 5),
        ('wait="5"', 5),
        ("respond-async, wait=3", 3),
        ("wait = 4 ; foo=bar", 4),
        ("wait=2, wait=9", 2),
        ("wait=60", 10),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=x, wait=3", 0),
        ("wait", 0),
        ("waiting=5", 0),
        ('other="a, wait=3"', 0),
        ("wait=٣", 0),
        ("wait=" + "9" * 5_000, 0),
        ('"' * 5_000, 0),
    ],
)
def test_the_preference_is_read_as_the_rfc_says(header, seconds):
    assert waiting.wanted_seconds(header) == seconds


@pytest.fixture
def worker(monkeypatch):
    """A worker that finishes every analysis at the third look; how often the row was looked at."""
    pauses = []

    def pause() -> None:
        pauses.append(1)
        if len(pauses) == 3:
            Inquiry.objects.update(ai_state=AnalysisState.DONE, sentiment="Negativo", suggested_reply="Hola")

    monkeypatch.setattr(waiting, "pause", pause)
    return pauses


@pytest.mark.django_db
def test_the_answer_holds_the_analysis(post, key, worker):
    response = post(key=key, Prefer="wait=5")
    assert response.status_code == 201
    assert response["Preference-Applied"] == "wait=5"
    assert response.json()["ai_state"] == "done"
    assert (response.json()["sentiment"], response.json()["suggested_reply"]) == ("Negativo", "Hola")
    assert len(worker) == 3


@pytest.mark.django_db
def test_without_a_key_nobody_waits(post, worker):
    response = post(Prefer="wait=5")
    assert response.status_code == 201
    assert "Preference-Applied" not in response
    assert worker == []


@pytest.mark.django_db
def test_a_preference_that_cannot_be_read_is_ignored(post, key, worker):
    response = post(key=key, Prefer="wait=pronto")
    assert (response.status_code, response.json()["ai_state"]) == (201, "queued")
    assert "Preference-Applied" not in response


@pytest.mark.django_db
def test_a_failed_analysis_ends_the_wait(post, key, monkeypatch):
    monkeypatch.setattr(waiting, "pause", lambda: Inquiry.objects.update(ai_state=AnalysisState.FAILED))
    assert post(key=key, Prefer="wait=10").json()["ai_state"] == "failed"


@pytest.mark.django_db
def test_when_time_is_up_it_answers_with_what_there_is(post, key):
    started = time.monotonic()
    response = post(key=key, Prefer="wait=1")
    assert 1.0 <= time.monotonic() - started < 3.0
    assert response["Preference-Applied"] == "wait=1"
    assert response.json()["ai_state"] == "queued"


@pytest.mark.django_db
def test_when_all_places_are_taken_it_answers_at_once(post, key, worker, monkeypatch):
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(waiting, "places", places)
    with places:
        response = post(key=key, Prefer="wait=5")
    assert "Preference-Applied" not in response
    assert response.json()["ai_state"] == "queued"
    assert worker == []
    assert post(key=key, Prefer="wait=5")["Preference-Applied"] == "wait=5"


@pytest.mark.django_db
def test_a_failure_while_waiting_gives_the_place_back(post, key, monkeypatch):
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(waiting, "places", places)

    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(waiting, "pause", fail)
    assert post(key=key, Prefer="wait=5").status_code == 500
    assert places.acquire(blocking=False)


@pytest.mark.process
def test_a_quarter_of_the_threads_waits_and_the_rest_serves(server):
    """Of 8 threads 2 wait; the other callers, waiting or not, are answered at once."""
    started = time.monotonic()
    answers = at_once(6, lambda _: (server.create(BODY, Prefer="wait=3"), time.monotonic() - started))
    held = [seconds for answer, seconds in answers if "preference-applied" in answer.headers]
    at_liberty = [seconds for answer, seconds in answers if "preference-applied" not in answer.headers]
    assert len(held) == 2
    assert min(held) >= 3.0
    assert max(at_liberty) < min(held)


@pytest.mark.process
def test_the_wait_ends_when_another_process_is_done(server):
    answers = []
    call = threading.Thread(target=lambda: answers.append(server.create(BODY, Prefer="wait=10")))
    call.start()
    server.box.shell(
        "import time\nfrom inquiries.models import Inquiry\n"
        "queued = Inquiry.objects.filter(ai_state='queued')\n"
        "while not queued.update(ai_state='done', sentiment='Neutral'): time.sleep(0.1)"
    )
    call.join(20)
    assert (answers[0].data["ai_state"], answers[0].data["sentiment"]) == ("done", "Neutral")
