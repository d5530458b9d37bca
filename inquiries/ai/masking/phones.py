"""Telephone numbers of Latin America, Spain, Brazil and the United States, as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from phonenumbers import Leniency, PhoneNumberMatcher, PhoneNumberType, number_type

from inquiries.ai.masking.cues import Cue, is_amount, is_called_phone_after, nearest_cue
from inquiries.ai.masking.spans import Kind, Span

REGIONS = (
    *("ES", "AR", "MX", "CO", "PE", "CL", "UY", "PY", "BO", "EC", "VE"),
    *("CR", "PA", "GT", "HN", "SV", "NI", "DO", "PR", "BR", "US"),
)
_NO_REGION = "ZZ"
# The library is asked about so many candidates of one text; what follows is hidden unasked, so that a text full of
# digits costs bounded time and still gives nothing away.
_MAX_LOOKUPS = 150
_MIN_DIGITS_CUED, _MIN_DIGITS_GROUPED, _MIN_DIGITS_BARE, _MAX_DIGITS = 6, 8, 9, 15

_CANDIDATE = re.compile(
    r"(?<![\w+])(?<!\d[.,:])(?<!\w[-_])(?<![#$€])(?:\+[ ]?|00(?=[1-9]))?(?:\(\+?\d{1,5}\)|\d{1,15})"
    r"(?:(?:[ \u00a0]{1,2}|[ ]?[-.\u2010-\u2013]|(?=\()|(?<=\)))(?:\(\d{1,5}\)|\d{1,11})){0,7}"
    r"(?![\w%]|[.,:]\d|-\w)"
)
_LONG_GROUP = re.compile(r"(?<![\d-])\d{9,13}(?![\d-])|(?<!\d)\d{2,3}(?P<gap>[ -])\d{3}(?P=gap)\d{3,4}(?!\d)")
_NOT_DIGIT = re.compile(r"\D")
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}[-.]\d{1,2}[-.](?:\d{4}|\d{2})|(?:19|20)\d{2}[-.]?[01]\d[-.]?[0-3]\d)(?!\d)")
_YEAR_FIRST = re.compile(r"(?:19|20)\d{2}[-. ]")
_FOUR_FOUR = re.compile(r"\d{4}[- ]\d{4}")
_PERSONAL_TYPES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.FIXED_LINE}


def find_phones(text: str) -> Iterator[Span]:
    """Yield the telephones in `text`.

    International numbers count by themselves. National ones need a word such as "tel." or "llámenme" beside them,
    or the look of a telephone and no word that makes them an order, an amount or the like.
    """
    lookups = 0
    for start, end in _candidates(text):
        written = text[start:end]
        digits = _NOT_DIGIT.sub("", written)
        if is_amount(text, start, end):
            continue
        international = written.startswith("+") or (written.startswith("00") and len(digits) > 11)
        cue = Cue.PHONE if is_called_phone_after(text, end) else nearest_cue(text, start)
        if not (international or cue is Cue.PHONE or _looks_like_phone(written, digits, cue)):
            continue
        lookups += 1
        found = (0, len(written)) if lookups > _MAX_LOOKUPS else _extent(written, digits, cue, international)
        if found:
            yield Span(start + found[0], start + found[1], Kind.TELEFONO)


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Yield where as many digits stand as a telephone has; numbers with only a blank between are told apart."""
    for match in _CANDIDATE.finditer(text):
        digits = sum(map(str.isdigit, match[0]))
        if _MIN_DIGITS_CUED <= digits <= _MAX_DIGITS:
            yield match.span()
        elif digits > _MAX_DIGITS:
            yield from (part.span() for part in _LONG_GROUP.finditer(text, *match.span()))


def _looks_like_phone(written: str, digits: str, cue: Cue | None) -> bool:
    """Tell whether a national number without a word that calls it a telephone may be one all the same."""
    if cue is Cue.NUMBER and " " not in written.strip("+ "):
        return False
    if cue in {Cue.OTHER, Cue.DOCUMENT} or "." in written or _DATE.search(written) or _YEAR_FIRST.match(written):
        return False
    floor = _MIN_DIGITS_BARE if written == digits else _MIN_DIGITS_GROUPED
    if len(digits) == _MIN_DIGITS_GROUPED and not _FOUR_FOUR.fullmatch(written):
        return False
    return floor <= len(digits) <= 13


def _extent(written: str, digits: str, cue: Cue | None, international: bool) -> tuple[int, int] | None:
    """Return where in `written` a telephone stands."""
    longest = (0, 0)
    for region in (_NO_REGION,) if international else REGIONS:
        for match in PhoneNumberMatcher(written, region, leniency=Leniency.VALID):
            if number_type(match.number) not in _PERSONAL_TYPES and cue is not Cue.PHONE:
                continue
            if match.end - match.start == len(written):
                return (0, len(written))
            longest = max(longest, (match.start, match.end), key=lambda extent: extent[1] - extent[0])
    # People leave out area codes and write numbers of other countries: their own word for it is enough.
    if cue is Cue.PHONE and not _DATE.fullmatch(written):
        return (0, len(written))
    if len(_NOT_DIGIT.sub("", written[slice(*longest)])) >= _MIN_DIGITS_BARE:
        return longest
    return None
