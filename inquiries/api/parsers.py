"""Reading a JSON body strictly: whatever is doubtful is refused with a clear text, nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

UTF_8 = frozenset({"utf-8", "utf8"})


class TooLarge(APIException):
    """413: the body is past the limit."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The request is larger than 256 kB.")
    default_code = "too_large"


class DuplicateKey(ValueError):
    """A JSON object names a field twice; which one counts would be a guess."""


class StrictJSONParser(BaseParser):
    """A JSON object in UTF-8 (RFC 8259), without NaN, repeated names or half characters in names."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object. Raises ParseError (400), TooLarge (413) or UnsupportedMediaType (415)."""
        _check_charset(media_type or "")
        return _object(_decode(_read(stream)))


def _check_charset(media_type: str) -> None:
    charset = parse_header_parameters(media_type)[1].get("charset", "utf-8")
    if charset.lower() not in UTF_8:
        raise UnsupportedMediaType(media_type)


def _read(stream: IO[Any]) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        body: bytes = stream.read(limit + 1)
    except (UnreadablePostError, MultiPartParserError, OSError) as error:
        raise ParseError(_("The body could not be read to its end.")) from error
    if len(body) > limit:
        raise TooLarge
    return body


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")  # some Windows tools put a byte order mark first
    except UnicodeDecodeError as error:
        raise ParseError(_("The body is not valid UTF-8.")) from error


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates)
    except DuplicateKey as error:
        raise ParseError(_("A field is given twice: %(name)s") % {"name": error}) from error
    except RecursionError as error:
        raise ParseError(_("The JSON is nested too deeply.")) from error
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise ParseError(_("The JSON is broken at line %(line)d, column %(column)d.") % place) from error
    except ValueError as error:  # NaN, Infinity, a number of 5,000 digits, half a character in a name
        raise ParseError(_("The JSON holds a value that is not allowed.")) from error
    if not isinstance(value, dict):
        raise ParseError(_("The body must be a JSON object: {…}."))
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object; its names come back in error texts, so they must be writable as UTF-8."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        name.encode()
        if name in found:
            raise DuplicateKey(name[:60])
        found[name] = value
    return found
