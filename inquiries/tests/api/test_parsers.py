"""Reading a JSON body strictly."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from django.http import UnreadablePostError
from rest_framework.exceptions import ParseError, UnsupportedMediaType

from inquiries.api.parsers import StrictJSONParser, TooLarge
from inquiries.tests.api.conftest import BODY


def parse(body: bytes, media_type: str = "application/json"):
    return StrictJSONParser().parse(BytesIO(body), media_type)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": "\xc3\xb1"}\n', {"a": "ñ"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a": [1, 2.5, true, null, {"b": "c"}]}', {"a": [1, 2.5, True, None, {"b": "c"}]}),
    ],
)
def test_json_objects_are_read(body, value):
    assert parse(body) == value


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"']
)
def test_utf_8_may_be_said(media_type):
    assert parse(b"{}", media_type) == {}


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "", "no-existe"])
def test_another_encoding_is_refused(charset):
    with pytest.raises(UnsupportedMediaType):
        parse(b"{}", f"application/json; charset={charset}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} x',
        b"hola",
        b"\x00",
        b'{"a": "\x00"}',
        b'{"a": "\n"}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 2}}',
        b'{"\\ud800": 1}',
        b'{"a": ' + b"1" * 5_000 + b"}",
        b'{"a": ' + b"[" * 1_000 + b"}",
        b'{"a": ' + b"[" * 100_000,
        b'{"a":' * 40_000,
        b"[]",
        b"1",
        b"null",
        b'"texto"',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        json.dumps(BODY).encode("utf-16"),
        json.dumps(BODY).encode("utf-16-le"),
        json.dumps(BODY).encode("utf-32"),
    ],
)
def test_everything_else_is_refused_with_a_text(body):
    with pytest.raises(ParseError) as caught:
        parse(body)
    assert str(caught.value.detail)


def test_a_broken_place_is_named():
    with pytest.raises(ParseError, match=r"2\D+7"):
        parse(b'{"a": 1,\n "b": x}')


def test_a_body_is_limited_without_a_length_too(settings):
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert parse(b"{}" + b" " * (limit - 2)) == {}
    with pytest.raises(TooLarge):
        parse(b"{}" + b" " * (limit - 1))


def test_a_connection_that_breaks_is_no_crash():
    class Broken(BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise UnreadablePostError

    with pytest.raises(ParseError):
        StrictJSONParser().parse(Broken(), "application/json")
