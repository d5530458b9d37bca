"""Identity and tax numbers of persons: by layout and checksum (python-stdnum), or by the word before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from stdnum.ar import cuit
from stdnum.br import cnpj, cpf
from stdnum.cl import rut as cl_rut
from stdnum.co import nit
from stdnum.do import cedula as do_cedula
from stdnum.ec import ruc as ec_ruc
from stdnum.es import dni, nie
from stdnum.mx import curp, rfc
from stdnum.pe import ruc as pe_ruc
from stdnum.us import ssn
from stdnum.ve import rif

from inquiries.ai.masking.cues import Cue, is_amount, nearest_cue
from inquiries.ai.masking.spans import Kind, Span

_DOTS = str.maketrans("", "", ". ")


class _Layout(NamedTuple):
    """How a document is written, what its checksum says, and whether that settles it beside the word "pedido"."""

    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]
    is_sure: bool = False


def _layout(pattern: str, is_valid: Callable[[str], bool], *, is_sure: bool = False, flags: int = 0) -> _Layout:
    bounded = re.compile(rf"(?<!\w)(?<!\w[-#_])(?<!\d[/.])({pattern})(?!\w)(?![-/]\w|\.\d)", flags)
    return _Layout(bounded, is_valid, is_sure)


def _spanish(written: str) -> bool:
    plain = written.translate(_DOTS)
    return dni.is_valid(plain) or nie.is_valid(plain)


def _rfc(written: str) -> bool:
    """Accept what has a right check digit: "PEDI240115001" is a date in a code, too."""
    try:
        return bool(rfc.validate(written, validate_check_digits=True))
    except ValueError:  # stdnum's ValidationError is one
        return False


def _plain(is_valid: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda written: is_valid(written.translate(_DOTS))


def _any(_written: str) -> bool:
    return True


_LAYOUTS = (
    _layout(r"(?:\d{8}|\d{1,2}\.\d{3}\.\d{3}|[XYZxyz]-?\d{7})-?[A-Za-z]", _spanish, is_sure=True),
    _layout(r"\d{8}[ ][A-Z]", _spanish, is_sure=True),
    _layout(r"(?:20|2[3-7]|3[034])(?P<s>[-. ])\d{8}(?P=s)\d", cuit.is_valid, is_sure=True),
    _layout(r"(?:20|2[3-7]|3[034])-\d{2}\.\d{3}\.\d{3}-\d", _plain(cuit.is_valid), is_sure=True),
    _layout(r"(?:20|2[3-7]|3[034])\d{9}", cuit.is_valid),
    _layout(r"\d{1,2}\.\d{3}\.\d{3}-[\dkK]", cl_rut.is_valid, is_sure=True),
    _layout(r"\d{7,8}-[\dkK]", cl_rut.is_valid),
    _layout(r"[1-6]\.\d{3}\.\d{3}-\d", _any, is_sure=True),  # Uruguay; stdnum has no check for it
    _layout(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d", curp.is_valid, is_sure=True, flags=re.IGNORECASE),
    _layout(r"[A-ZÑ&]{3,4}[- ]?\d{6}[- ]?[A-Z\d]{3}", _rfc),
    _layout(r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid, is_sure=True),
    _layout(r"\d{9}-?\d{2}", cpf.is_valid),
    _layout(r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", cnpj.is_valid, is_sure=True),
    _layout(r"\d{14}", cnpj.is_valid),
    _layout(r"\d{3}-\d{7}-\d", do_cedula.is_valid, is_sure=True),
    _layout(r"\d{10}001", ec_ruc.is_valid),
    _layout(r"(?:10|15|17|20)\d{9}", pe_ruc.is_valid),
    _layout(r"(?:\d{3}\.\d{3}\.\d{3}|\d{9})-\d", nit.is_valid),
    _layout(r"[VEJPG]-\d{8}-\d", rif.is_valid, is_sure=True),
    _layout(r"[VE]-(?:\d{7,8}|\d{1,2}\.\d{3}\.\d{3})", _any),  # Venezuela: a letter, no check digit
    _layout(r"\d{4}-(?:19|20)\d{2}-\d{5}", _any),  # Honduras: place, year of birth, serial
    _layout(r"\d{3}-[0-3]\d[01]\d{3}-\d{4}[A-Z]", _any),  # Nicaragua: place, date of birth, serial, letter
    _layout(r"[1-9]-0\d{3}-\d{4}", _any),  # Costa Rica: province, volume, entry
    _layout(r"\d{3}-\d{2}-\d{4}", ssn.is_valid),
)

_CUE = (
    r"(?<!\w)(?:(?i:d\.?n\.?i\.?|n\.?i\.?[ef]\.?|cif|c[eé]dula|documento|doc\.?|identificaci[oó]n|identidad|carn[eé]t?"
    r"|pasaportes?|passaporte|passport|cui[tl]|c\.u\.i\.[tl]\.?|r\.?u\.?t\.?|r\.?u\.?n\.?|r\.?u\.?c\.?|n\.?i\.?t\.?|rfc|curp|cpf"
    r"|cnpj|rg|dui|dpi|cui|ssn|rif|rnc|nss|c\.\s?[ci]\.?|(?<!\d[ ])c[ci])|[CTR][CIG]|INE)(?!\w)"
)
_QUALIFIER = r"(?:[ ](?i:(?:nacional[ ])?de[ ](?:identidad|ciudadan[ií]a|extranjer[ií]a)|fiscal|tributaria|personal))?"
_FILLER = (
    r"[\s:.,#=(-]{0,3}(?:(?i:n[uú]mero|nro|num|n[°ºo]|es|el|la|del? titular|é|is|number)(?!\w)[\s:.#=-]{0,3}){0,3}"
)
_VALUE = (
    r"(?P<value>\d{1,3}(?P<g>[. ])\d{3}(?P=g)\d{3}(?:(?P=g)\d{3})?(?:-?[\dkK]{1,2}|-?[A-Za-z])?"
    r"|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}|\d{4}[ ]\d{5}[ ]\d{4}|\d{1,2}[ ]\d{8}[ ]\d|\d{8}[ ][A-Z]"
    r"|(?:[A-Z]{1,2}-)?\d{1,4}(?:-\d{1,8}){1,3}[A-Z]?|[A-Z]-?\d{1,2}\.\d{3}\.\d{3}(?:-[A-Z\d])?"
    r"|[A-Z]{3,4}[- ]\d{6}[- ][A-Z\d]{3}|[A-Z]{4}\d{6}[A-Z]{6}[A-Z\d]{2}"
    r"|[A-Za-zÑ]{0,4}-?\d{5,15}(?:-?[\dA-Za-z]{1,3})?)(?!\w)(?![-/]\w|[.,]\d)"
)
_CUED = re.compile(_CUE + _QUALIFIER + _FILLER + _VALUE)
_VETOES = {Cue.OTHER, Cue.NUMBER}
_MIN_CUED_DIGITS = 6
_DIGIT = re.compile(r"\d")


def find_documents(text: str) -> Iterator[Span]:
    """Yield the identity and tax numbers in `text`.

    A word such as "DNI" before a number is enough, whatever its checksum: a mistyped document is one, too.
    """
    if len(_DIGIT.findall(text)) < _MIN_CUED_DIGITS:  # the fewest that any layout has
        return
    for match in _CUED.finditer(text):
        digits = sum(sign.isdigit() for sign in match["value"])
        if digits >= _MIN_CUED_DIGITS and not is_amount(text, *match.span("value")):
            yield Span(*match.span("value"), Kind.DOCUMENTO)
    for layout in _LAYOUTS:
        for match in layout.pattern.finditer(text):
            if layout.is_valid(match[1]) and (layout.is_sure or nearest_cue(text, match.start(1)) not in _VETOES):
                yield Span(*match.span(1), Kind.DOCUMENTO)
