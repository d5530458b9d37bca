"""Payment cards and bank accounts, each by its checksum (python-stdnum)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn
from stdnum.ar import cbu
from stdnum.es import ccc
from stdnum.us import rtn

from inquiries.ai.masking.spans import Kind, Span

_START = r"(?<!\w)(?<!\w[-./])"
_END = r"(?!\w)(?![-/.]\d)"
# Layouts on cards: one block, fours, and the 4-6-5 of Amex and 4-6-4 of Diners. A look-ahead, so that a number that
# fails does not hide the one that begins inside of it.
_CARDS = tuple(
    re.compile(rf"{_START}(?=({layout}){_END})")
    for layout in (
        r"\d{14,19}",
        r"\d{4}(?P<a>[ \u00a0.-]|[ ]-[ ])\d{4}(?P=a)\d{4}(?P=a)\d{4}",
        r"\d{4}(?P<b>[ \u00a0.-])\d{4}(?P=b)\d{4}(?P=b)\d{4}(?P=b)\d{3}",
        r"\d{4}(?P<c>[ \u00a0.-])\d{6}(?P=c)\d{4,5}",
    )
)
# Length and first digits: Visa, Mastercard, Amex, Diners, Discover, JCB, UnionPay, Maestro, and the region's own Elo,
# Hipercard, Cabal and Naranja (ISO/IEC 7812 ranges that the networks publish).
_ISSUER = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|6(?:011|4[4-9]\d|5\d\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|62\d{14,17}"
    r"|(?:50|5[6-8]|60|63|67)\d{14}"
)
_IBAN = re.compile(
    rf"{_START}(?=([A-Z]{{2}}\d{{2}}(?:[A-Z0-9]{{11,30}}|(?P<f>[ -])[A-Z0-9]{{4}}(?:(?P=f)[A-Z0-9]{{4}}){{1,6}}"
    rf"(?:(?P=f)[A-Z0-9]{{1,4}})?)){_END})",
    re.IGNORECASE,
)
_IBAN_GROUP_END = re.compile(r"[ -](?=[^ -]*$)")
_CBU = re.compile(rf"{_START}(?=(\d{{22}}|\d{{8}}[ -]\d{{14}}|\d{{7}}[ -]\d[ -]\d{{13}}[ -]\d){_END})")
_CLABE = re.compile(rf"{_START}(?=(\d{{18}}|\d{{3}}(?P<d>[ -])\d{{3}}(?P=d)\d{{11}}(?P=d)\d){_END})")
_CCC = re.compile(rf"{_START}(?=(\d{{20}}|\d{{4}}(?P<e>[ -])\d{{4}}(?P=e)\d{{2}}(?P=e)\d{{10}}){_END})")
_NOT_DIGIT = re.compile(r"\D")


def find_cards(text: str) -> Iterator[Span]:
    """Yield the payment cards in `text`."""
    for layout in _CARDS:
        for match in layout.finditer(text):
            digits = _digits(match[1])
            if _ISSUER.fullmatch(digits) and luhn.is_valid(digits):
                yield Span(*match.span(1), Kind.TARJETA)


def find_accounts(text: str) -> Iterator[Span]:
    """Yield the IBAN, CBU or CVU (Argentina), CLABE (Mexico) and CCC (Spain) in `text`."""
    yield from _find_ibans(text)
    for layout, is_valid in ((_CBU, cbu.is_valid), (_CLABE, _is_clabe), (_CCC, ccc.is_valid)):
        for match in layout.finditer(text):
            digits = _digits(match[1])
            if digits.strip("0") and is_valid(digits):
                yield Span(*match.span(1), Kind.CUENTA)


def _find_ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        candidate = match[1]
        # "… 1332 y quiero": short words after the number look like its last groups.
        while not iban.is_valid(candidate) and (last := _IBAN_GROUP_END.search(candidate)):
            candidate = candidate[: last.start()]
        if iban.is_valid(candidate):
            yield Span(match.start(1), match.start(1) + len(candidate), Kind.CUENTA)


def _is_clabe(digits: str) -> bool:
    """Check a CLABE: 18 digits weighted 3, 7, 1 in turn sum up to a multiple of ten (Banco de México).

    An American routing number is nine digits with the same weights, so that each half lacks to ten what its own
    check digit would have made good, and the two lacks cancel out.
    """
    lacks = (int(half[8]) - int(rtn.calc_check_digit(half[:8])) for half in (digits[:9], digits[9:]))
    return sum(lacks) % 10 == 0


def _digits(written: str) -> str:
    return _NOT_DIGIT.sub("", written)
