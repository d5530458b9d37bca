from __future__ import annotations

import json
from datetime import datetime

import pytest
import structlog
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from inquiries.ai.engine import AnalysisRequest, ShownExample
from inquiries.ai.prompts import user_message
from inquiries.models import Inquiry
from inquiries.services import privacy
from inquiries.tests.test_erasing import lived

pytestmark = pytest.mark.django_db
EMAIL = "juana@example.com"


@pytest.fixture
def hers(make_inquiry, agent) -> Inquiry:
    agent.first_name, agent.last_name = "Lucía", "Paz"
    agent.save()
    return lived(make_inquiry, agent)


def test_an_export_holds_all_that_is_kept_as_json(hers, agent):
    data = json.loads(json.dumps(privacy.export_person("JUANA@example.com")))
    [told] = data["inquiries"]
    assert told["message"] == hers.message
    assert told["category"] == "Soporte Técnico"
    assert [(row["kind"], row["is_internal"]) for row in told["messages"]] == [("answer", False), ("note", True)]
    assert {"status", "sentiment"} <= {row["kind"] for row in told["events"]}
    assert told["analyses"][0]["reply"] == "Hola Juana, lamentamos lo ocurrido."
    assert (told["corrections"][0]["ai_value"], told["corrections"][0]["human_value"]) == ("Negativo", "Neutral")
    assert told["outcomes"][0]["draft_use"]
    assert [(row["kind"], row["recipient"]) for row in told["emails"]] == [("receipt", EMAIL)]
    assert told["example"]["text"] == hers.message
    assert told["vector_of"]
    assert told["repeat_keys"][0]["scope"] == "form"


def test_times_are_iso_in_utc(hers):
    [told] = privacy.export_person(EMAIL)["inquiries"]
    for text in (told["created_at"], told["messages"][0]["created_at"], told["analyses"][0]["finished_at"]):
        when = datetime.fromisoformat(text)
        assert when.utcoffset() is not None
        assert not when.utcoffset()


def test_members_of_the_team_stand_by_their_names_only(hers, agent):
    text = json.dumps(privacy.export_person(EMAIL), ensure_ascii=False)
    assert "Lucía Paz" in text
    for secret in (agent.email, agent.username, agent.password, hers.public_token):
        assert secret not in text


def test_what_was_sent_outside_is_told_without_other_customers_words(hers, make_inquiry):
    example = ShownExample("El perro de la vecina ladra", "Ventas", "Neutral", "Respuesta para otra persona")
    sent = user_message(
        AnalysisRequest(text="Mi cuenta no abre", customer_name="[nombre]", examples=(example,), categories=())
    )
    hers.analyses.update(sent_text=sent, shown_examples=1)
    make_inquiry(email="otra@example.com", message="Palabras de otra persona")
    text = json.dumps(privacy.export_person(EMAIL), ensure_ascii=False)
    assert "Mi cuenta no abre" in text
    for foreign in ("vecina", "Respuesta para otra", "Palabras de otra"):
        assert foreign not in text


def test_nobody_is_an_empty_list(hers):
    assert privacy.export_person("nadie@example.com")["inquiries"] == []


def test_an_export_costs_the_same_for_few_and_many(make_inquiry, agent):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            privacy.export_person(EMAIL)
        return len(queries)

    for _ in range(2):
        lived(make_inquiry, agent)
    few = cost()
    for _ in range(8):
        lived(make_inquiry, agent)
    assert cost() == few


def test_pages_of_an_export_join_without_gap(make_inquiry, categories, monkeypatch):
    monkeypatch.setattr("inquiries.services.exporting.PAGE", 2)
    made = [make_inquiry().pk for _ in range(5)]
    assert [row["number"] for row in privacy.export_person(EMAIL)["inquiries"]] == made


def test_the_trail_names_who_did_it_and_nobody_who_was_erased(hers, supervisor):
    with structlog.testing.capture_logs() as logs:
        privacy.erase_person(EMAIL, actor=supervisor)
    entry = LogEntry.objects.get()
    assert entry.user == supervisor
    assert privacy.digest_of(EMAIL) in entry.object_repr
    assert "Message 2" in entry.get_change_message()
    [told] = [line for line in logs if line["event"] == "person_erased"]
    assert (told["digest"], told["actor_id"], told["Inquiry"]) == (
        privacy.digest_of(" Juana@Example.COM "),
        supervisor.pk,
        1,
    )
    for text in (entry.object_repr, entry.change_message, str(logs)):
        for personal in (EMAIL, "Juana", "cuenta"):
            assert personal not in text


def test_without_a_person_at_the_desk_the_log_is_the_trail(hers):
    with structlog.testing.capture_logs() as logs:
        assert privacy.erase_person(EMAIL, actor=None).inquiries == 1
    assert [line["actor_id"] for line in logs if line["event"] == "person_erased"] == [None]
    assert not LogEntry.objects.exists()


def test_erasing_nobody_leaves_no_entry(hers, supervisor):
    assert privacy.erase_person("nadie@example.com", actor=supervisor).inquiries == 0
    assert not LogEntry.objects.exists()


def test_a_preview_counts_what_an_erasure_takes(hers, supervisor):
    found = privacy.preview(EMAIL)
    report = privacy.erase_person(EMAIL, actor=supervisor)
    assert dict(found.rows) == dict(report.rows)
    assert (found.first, found.last) == (report.first, report.last)
    assert privacy.lines(found) == privacy.lines(report)[: len(found.rows)]


def test_the_pages_of_an_erased_inquiry_are_gone(hers, supervisor, client):
    pages = reverse("detail", args=[hers.pk]), reverse("status", args=[hers.public_token])
    client.force_login(supervisor)
    assert [client.get(page).status_code for page in pages] == [200, 200]
    privacy.erase_person(EMAIL, actor=supervisor)
    assert [client.get(page).status_code for page in pages] == [404, 404]
