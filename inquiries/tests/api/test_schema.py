"""The description of the API, and the page that shows it."""

from __future__ import annotations

from io import StringIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command

METHODS = {"/api/inquiries/create": ["post"], "/api/inquiries/": ["get"], "/api/inquiries/{id}/": ["get"]}


@pytest.fixture
def schema(client, db):
    return client.get("/api/schema/").json()


def test_it_is_valid_without_a_warning():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_it_describes_the_three_calls_and_nothing_else(schema):
    assert {path: list(calls) for path, calls in schema["paths"].items()} == METHODS


def test_create_has_its_headers_errors_and_both_answers(schema):
    create = schema["paths"]["/api/inquiries/create"]["post"]
    assert {row["name"] for row in create["parameters"] if row["in"] == "header"} == {"Idempotency-Key", "Prefer"}
    assert {"201", "400", "401", "403", "409", "413", "415", "429"} <= set(create["responses"])
    assert create["security"] == [{"ApiKey": []}, {}]
    created = schema["components"]["schemas"]["CreatedInquiry"]["oneOf"]
    assert [row["$ref"].rsplit("/", 1)[1] for row in created] == ["Inquiry", "PublicInquiry"]


def test_the_list_has_its_filters_and_pages(schema):
    names = {row["name"] for row in schema["paths"]["/api/inquiries/"]["get"]["parameters"]}
    filters = {"category", "sentiment", "status", "ai_state", "created_after", "created_before", "q"}
    assert filters | {"cursor", "page_size"} <= names


def test_the_key_is_described(schema):
    scheme = schema["components"]["securitySchemes"]["ApiKey"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")


def test_nothing_internal_is_published(client, db):
    text = client.get("/api/schema/").text
    assert "sender of spam" not in text
    assert "django" not in text.lower()


def test_yaml_for_those_who_ask(client, db):
    response = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi"})
    assert response.text.startswith("openapi:")


def test_the_page_has_no_inline_script_or_style(client, db):
    response = client.get("/api/docs/")
    assert response.status_code == 200
    assert "<style" not in response.text
    assert "style=" not in response.text
    assert response.text.count("<script") == response.text.count("<script src=") == 3
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"] == "application/javascript"
    assert "/api/schema/" in script.text


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_works_under_the_strict_csp(live_server, page):
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server.url}/api/docs/")
    page.locator(".opblock").first.wait_for()
    # What opens on a click is Swagger UI's own; its pages are as accessible as that library makes them.
    impacts = {violation["impact"] for violation in Axe().run(page).response["violations"]}
    assert not impacts & {"serious", "critical"}
    page.locator("#operations-inquiries-create_inquiry .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="201").wait_for()
    assert complaints == []
