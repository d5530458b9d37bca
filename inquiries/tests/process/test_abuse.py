"""A caller that sends everything eight times at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from inquiries.tests.processes import wait_until

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("crash")]
KEYS, TWINS = 200, 8


def test_twins_of_two_hundred_calls_make_two_hundred_rows_and_ask_the_ai_as_often(box, openai):
    port = box.start_web()
    box.start_worker()

    def create(number: int) -> tuple[int, int]:
        body = {"customer_name": "Ana", "email": "ana@example.com", "message": f"Consulta {number}: no puedo entrar"}
        answer = box.ask(port, "POST", "/api/inquiries/create", body, Idempotency_Key=f"k{number}")
        assert answer.status == 201, answer.text
        return number, json.loads(answer.text)["id"]

    with ThreadPoolExecutor(TWINS) as pool:
        # All twins of a key follow each other, so the eight threads send them at the same moment.
        answers = set(pool.map(create, [number for number in range(KEYS) for _ in range(TWINS)]))
    assert len(answers) == KEYS  # each key was always told the same number
    assert len({pk for _key, pk in answers}) == KEYS
    wait_until(lambda: box.report()["live"] == 0, 90, "everything is analysed", pause=1)
    report = box.report()
    assert (report["inquiries"], report["analyses"], report["done"]) == (KEYS, KEYS, KEYS)
    assert len(openai.requests) == KEYS
