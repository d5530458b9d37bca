"""GET /api/inquiries/{id}/."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from inquiries.states import AIReason, AnalysisState
from inquiries.tests.api.conftest import LIST
from inquiries.tests.api.test_create import WHOLE


def test_a_key_reads_the_whole_inquiry(get, key, inquiry, agent):
    inquiry.assignee = agent
    inquiry.save()
    data = get(f"{LIST}{inquiry.pk}/", key=key).json()
    assert list(data) == WHOLE
    assert data["category"] == "Soporte Técnico"
    assert data["sentiment"] == "Negativo"
    assert data["suggested_reply"] == "Hola Juana, lamentamos lo ocurrido."
    assert (data["ai_state"], data["engine"], data["confidence"]) == ("done", "embedded", 0.83)
    assert (data["language"], data["source"], data["assignee"]) == ("es", "form", "agente")
    assert data["analysed_at"].endswith("Z")
    assert (data["reply"], data["answered_at"], data["ai_error"]) == (None, None, None)


def test_the_reply_is_what_a_person_wrote(get, key, make_inquiry):
    inquiry = make_inquiry(analysed=True, reply="Lo revisé yo.")
    data = get(f"{LIST}{inquiry.pk}/", key=key).json()
    assert (data["reply"], data["suggested_reply"]) == ("Lo revisé yo.", "Hola Juana, lamentamos lo ocurrido.")


def test_a_text_that_is_no_matter_for_the_desk_has_no_category(get, key, make_inquiry):
    inquiry = make_inquiry(analysed=True, category=None, needs_review=True, confidence=0.05)
    data = get(f"{LIST}{inquiry.pk}/", key=key).json()
    assert (data["ai_state"], data["category"], data["needs_review"]) == ("done", None, True)
    assert get(f"{LIST}?category=Ventas", key=key).json()["results"] == []


def test_a_failure_is_told_in_spanish(get, key, make_inquiry):
    inquiry = make_inquiry(ai_state=AnalysisState.FAILED, ai_error=AIReason.QUOTA)
    data = get(f"{LIST}{inquiry.pk}/", key=key).json()
    with override("es"):
        assert data["ai_error"] == str(AIReason.QUOTA.label)
    assert (data["ai_state"], data["category"], data["engine"]) == ("failed", None, None)


def test_the_language_of_the_reader_changes_nothing(client, agent, inquiry):
    agent.language, agent.time_zone = "en", "America/Bogota"
    agent.save()
    client.force_login(agent)
    client.cookies["pok_language"] = "en"
    response = client.get(f"{LIST}{inquiry.pk}/", headers={"Accept-Language": "en"})
    assert response["Content-Language"] == "es"
    assert response.json()["created_at"].endswith("Z")


@pytest.mark.parametrize("number", ["0", "999999", "9" * 19, "9" * 5000])
def test_missing_ones_are_404(get, key, number):
    response = get(f"{LIST}{number}/", key=key)
    assert response.status_code == 404
    assert list(response.json()) == ["detail"]


def test_without_the_slash_it_is_the_same(get, key, inquiry):
    assert get(f"{LIST}{inquiry.pk}", key=key).json()["id"] == inquiry.pk


@pytest.mark.parametrize("who", ["agent", "other_agent", "supervisor"])
def test_the_team_reads_with_its_session(client, request, inquiry, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(f"{LIST}{inquiry.pk}/").json()["id"] == inquiry.pk


def test_an_account_without_a_role_is_refused(client, outsider, inquiry):
    client.force_login(outsider)
    for number in (inquiry.pk, inquiry.pk + 1):  # the same for what exists and what does not
        assert client.get(f"{LIST}{number}/").status_code == 403


def test_nobody_is_asked_for_a_key(client, inquiry):
    for number in (inquiry.pk, inquiry.pk + 1):
        response = client.get(f"{LIST}{number}/")
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Api-Key")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_read_only(client, agent, inquiry, method):
    client.force_login(agent)
    response = getattr(client, method)(f"{LIST}{inquiry.pk}/")
    assert response.status_code == 405
    assert "GET" in response["Allow"]


def test_two_queries_answer_a_key(get, key, inquiry, django_assert_num_queries):
    get(f"{LIST}{inquiry.pk}/", key=key)  # the first use of a minute is written down
    with django_assert_num_queries(2):
        get(f"{LIST}{inquiry.pk}/", key=key)
