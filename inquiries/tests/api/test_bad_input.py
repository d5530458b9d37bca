"""Whatever is sent: a clear 4xx in JSON, never a 5xx, never a page."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inquiries.models import Inquiry
from inquiries.tests.api.conftest import BODY, CREATE

pytestmark = pytest.mark.django_db
NAMES = tuple(BODY)
TEXTS = (
    "", " ", "\x00", "a\x00b", "\ud800 roto", "\x1b[31m rojo", "a\u0085\u0007", "x" * 100_000, "🙂" * 10_001, "1234",
    "\u200b",
)  # fmt: skip
NO_TEXTS: tuple[object, ...] = (None, True, False, 0, 1, -1.5, 10**400, [], ["a"], {}, {"a": "b"}, [[[[]]]])


def assert_refused(response, *fields):
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"
    errors = response.json()
    assert sorted(errors) == sorted(fields)
    assert all(
        isinstance(texts, list) and all(isinstance(text, str) and text for text in texts) for texts in errors.values()
    )
    assert not Inquiry.objects.exists()


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize("value", [*TEXTS, *NO_TEXTS], ids=lambda value: repr(value)[:20])
def test_no_field_takes_it(post, field, value):
    raw = json.dumps(BODY | {field: value}).replace(str(10**400), "1e400").encode()
    assert_refused(post(raw=raw), field)


@pytest.mark.parametrize("field", NAMES)
def test_every_field_is_needed(post, field):
    assert_refused(post({name: text for name, text in BODY.items() if name != field}), field)


def test_all_that_is_wrong_is_told_at_once(post):
    assert_refused(post({"customer_name": 1, "email": "x", "telefono": "5"}), *NAMES, "telefono")


def test_an_empty_body_needs_every_field(post):
    assert_refused(post({}), *NAMES)
    assert_refused(post(raw=b""), *NAMES)


@pytest.mark.parametrize("name", ["telefono", "id", "status", "", "ñ", "a\nb", "__proto__"])
def test_unknown_fields_are_named(post, name):
    assert_refused(post(BODY | {name: "x"}), name)


def test_a_long_unknown_name_is_not_sent_back_whole(post):
    response = post(BODY | {"x" * 100_000: 1} | {f"campo{n}": 1 for n in range(500)})
    assert response.status_code == 400
    assert len(response.content) < 2_000


@pytest.mark.parametrize(
    "email", ["x", "a@b", "a@@example.com", "a b@example.com", "a@example..com", f"{'a' * 250}@example.com"]
)
def test_an_address_must_be_one(post, email):
    assert_refused(post(BODY | {"email": email}), "email")


def test_the_limit_of_a_message_is_named(post):
    response = post(BODY | {"message": "a" * 10_001})
    assert_refused(response, "message")
    assert "10000" in response.json()["message"][0].replace(".", "").replace("\xa0", "")
    assert post(BODY | {"message": "a" * 10_000}).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/json; charset=utf-16", "application/jsonx", "json", ";;;", "x" * 5_000, "application/json;charset=ñ"],
)  # fmt: skip
def test_another_content_type_is_415(post, content_type):
    response = post(content_type=content_type)
    assert response.status_code == 415
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize(
    "raw", [b"{", b'{"message": NaN}', b'{"message": ' + b"[" * 1_000, b"[]", json.dumps(BODY).encode("utf-16")]
)
def test_a_body_that_cannot_be_read_is_400(post, raw):
    response = post(raw=raw)
    assert response.status_code == 400
    assert list(response.json()) == ["detail"]


def test_a_thousand_levels_in_a_field_are_400(post):
    assert post(raw=b'{"message": ' + b"[" * 1_000 + b"]" * 1_000 + b"}").status_code == 400


def test_a_huge_body_is_413(post):
    response = post(BODY | {"message": "a" * 300_000})
    assert response.status_code == 413
    assert list(response.json()) == ["detail"]


def test_an_answer_that_we_do_not_speak_is_406(post):
    response = post(Accept="application/xml")
    assert response.status_code == 406
    assert list(response.json()) == ["detail"]


def test_a_format_in_the_address_chooses_nothing(get, key):
    assert get(key=key, format="xml").status_code == 200


@pytest.mark.process
def test_chunks_are_limited_and_read(server):
    body = json.dumps(BODY).encode()
    chunks = [body[:20], body[20:]]
    small = server.call("POST", CREATE, iter(chunks), with_key=True, Content_Type="application/json")
    assert small.status == 201
    huge = server.call("POST", CREATE, iter([b" " * 65_536] * 5), with_key=True, Content_Type="application/json")
    assert (huge.status, list(huge.data)) == (413, ["detail"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=4),
    max_leaves=8,
)
TYPES = st.sampled_from(["application/json"] * 4 + ["application/json; charset=utf-8", "text/plain", ""])


@given(
    body=st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()),
    content_type=TYPES,
    headers=st.dictionaries(
        st.sampled_from(["Authorization", "Idempotency-Key", "Prefer", "Accept", "X-Forwarded-For"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
        max_size=3,
    ),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_at_all_break_it(body, content_type, headers):
    response = Client().generic("POST", CREATE, body, content_type=content_type, headers=headers)
    assert 200 <= response.status_code < 500
    assert isinstance(response.json(), dict)


@given(
    query=st.dictionaries(
        st.sampled_from(["category", "status", "q", "cursor", "page_size", "created_after", "ai_state"]),
        st.text(max_size=30),
        max_size=3,
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_filter_value_breaks_the_list(agent, query):
    client = Client()
    client.force_login(agent)
    values = {name: text.encode("utf-8", "replace").decode() for name, text in query.items()}
    response = client.get("/api/inquiries/", values)
    assert response.status_code in {200, 400}
    assert isinstance(response.json(), dict)
