"""Street addresses, as they are written from Madrid to Montevideo."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inquiries.ai.masking.cues import UNIT_AFTER
from inquiries.ai.masking.spans import Kind, Span
from inquiries.ai.masking.words import NEVER_IN_STREETS, STREET_PARTICLES, fold

_STREET = (
    r"(?i:calle|avenida|avda\.?|av\.?|jir[oó]n|jr\.?|pasaje|psje\.?|pje\.?|paseo|carrera|cra\.?|plaza|plza\.?|pza\.?|camino"
    r"|ronda|traves[ií]a|bulevar|boulevard|blvd\.?|bv\.?|calzada|calz\.?|privada|priv\.|prolongaci[oó]n|prol\.|circuito"
    r"|cerrada|andador|diagonal|rua|travessa|alameda|pra[cç]a|estrada|colonia|col\.|pasadizo|callej[oó]n|costanera"
    r"|urbanizaci[oó]n|urb\.|ruta|r\.)|[Cc]/|C\."
)
_WORD = r"[^\W_][^\W_]{0,20}\.?"
_MARKED_NUMBER = r"(?i:n[°ºo]\.?|n\.º|nro\.?|n[uú]m(?:ero|\.)?|\#)"
_NUMBER = rf"(?:(?P<marker>{_MARKED_NUMBER})[ ]?)?(?P<number>\d{{1,5}})(?:[ ]?bis|[ ]?-[ ]?[A-Z]|[A-Z])?(?!\w)"
_PROPER = r"[A-ZÁÉÍÓÚÜÑÂÊÔÃÕÇ][^\W\d_]{1,20}"
_PROPERS = rf"{_PROPER}(?:[ ](?:(?:de|del|la|las|los|da|do)[ ]){{0,2}}{_PROPER}){{0,3}}"
# What narrows a street number down; each with its own value, so that the sentence after the address stays.
_DETAIL = (
    r"(?i:piso|dpto\.?|depto\.?|dto\.?|departamento|apto\.?|apt\.?|apartamento|int\.?|interior|ext\.?|exterior"
    r"|of\.?|oficina|torre|bloque|blq\.?|bloco|casa|puerta|pta\.?|esc\.?|escalera|lote|lt\.?|manzana|mz\.?|mza\.?"
    r"|local|timbre|unidad|u\.f\.)[ ]?(?:(?i:n[°ºo]\.?)[ ]?)?(?:\d{1,5}(?:[ ]?[A-Z](?!\w)|[°ºª])?"
    r"|(?<=[ .])(?:[A-Z](?!\w)|[a-z](?=[,.\n]|$)))"
)
_POSTCODE = r"(?i:c\.?p\.?|c[oó]digo postal|cep)(?!\w)[ :.]{0,3}(?:\d{5}-\d{3}|[A-Z]?\d{4,5}(?:[A-Z]{3})?)(?!\w)"
_TAIL = (
    rf"(?:[ ]?[,;-]?[ ]?(?:{_DETAIL}|\d{{1,2}}[°ºª](?:[ ]?(?i:[A-Z]|izq\w*\.?|izda\.?|dcha\.?|derecha)(?!\w))?"
    rf"|(?i:col(?:onia|\.)|barrio|b°|urb(?:anizaci[oó]n|\.)|fracc(?:ionamiento|\.)|edificio|edif\.|conjunto)"
    rf"[ ]{_PROPERS}"
    rf"|(?i:bajo|entresuelo|planta baja|PB)(?!\w)|{_POSTCODE}(?:[ ,]{{1,2}}{_PROPERS})?|\d{{5}}[ ]{_PROPERS})){{0,6}}"
)
_NAMED = re.compile(
    rf"(?<![\w/])(?P<street>{_STREET})[ ]{{0,2}}(?P<name>{_WORD}(?:[ ]{_WORD}){{0,5}}?)(?:[ ,]{{1,3}}{_NUMBER}){_TAIL}"
)
_WITHOUT_NUMBER = re.compile(rf"(?<![\w/])(?P<street>{_STREET})[ ](?P<name>{_PROPERS}),?[ ](?:[sS]/[nN])(?!\w){_TAIL}")
# Colombia: the street is a number, "45 # 12-34" is the crossing and the distance from it.
_GRID = re.compile(
    r"(?<!\w)(?i:calle|cll?|carrera|cra|kra|kr|cr|diagonal|diag|dg|transversal|transv|tv|avenida|av|ak|ac)\.?[ ]?"
    r"\d{1,3}[ ]?(?:[A-Za-z]{1,2}(?!\w))?(?:[ ]?(?i:bis|sur|norte|este|oeste))?[ ]?"
    r"(?:(?i:\#|no\.?|nro\.?|n[°º]|n[uú]m\.?|con)[ ]?)?\d{1,3}[ ]?(?:[A-Za-z]{1,2})?[ ]?[-–][ ]?\d{1,3}(?!\w)"
    r"(?:[ ](?i:sur|norte|este|oeste))?" + _TAIL
)
_BLOCK = re.compile(r"(?<!\w)(?i:mz|mza|manzana)\.?[ ]?[A-Z0-9]{1,3},?[ ](?i:lt|lote)\.?[ ]?\d{1,3}(?!\w)" + _TAIL)
_AMERICAN = re.compile(
    rf"(?<!\w)\d{{1,5}}[ ](?:[NSEW]\.?[ ])?{_PROPER}(?:[ ]{_PROPER}){{0,2}}[ ]"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Drive|Dr|Lane|Ln|Court|Ct)(?!\w)\.?"
    r"(?:,?[ ](?:Apt|Suite|Unit)\.?[ ]?\#?[A-Z0-9]{1,5}(?!\w))?"
)
_CUED = re.compile(
    r"(?i:direcci[oó]n|domicilio|endere[cç]o|vivo en|vivimos en|resido en|moro na|domiciliad[oa] en|entregar en)"
    r"(?i:[ ]de[ ](?:entrega|env[ií]o|facturaci[oó]n|despacho))?(?i:[ ](?:es|é|en|nueva|correcta|actual)){0,3}[ ]?:?\s"
    rf"(?P<value>{_PROPERS}[ ,]{{1,3}}{_NUMBER}{_TAIL})"
)
_POSTAL = re.compile(rf"(?<!\w){_POSTCODE}(?:[ ,]{{1,2}}{_PROPERS})?")

_GOES_ON = re.compile(r"[.,:/]\d")
# Streets only with a capital: the words are short or mean something else.
_WEAK_STREETS = frozenset(
    {"ruta", "r.", "c.", "urb.", "col.", "colonia", "plaza", "camino", "paseo", "diagonal", "circuito"}
)


def find_addresses(text: str) -> Iterator[Span]:
    """Yield the street addresses in `text`: a street with its number, and what narrows that down."""
    for pattern in (_GRID, _BLOCK, _AMERICAN, _WITHOUT_NUMBER, _POSTAL):
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), Kind.DIRECCION)
    for match in _NAMED.finditer(text):
        if _is_street(match) and not _goes_on(text, match):
            yield Span(match.start(), match.end(), Kind.DIRECCION)
    for match in _CUED.finditer(text):
        if not _goes_on(text, match):
            yield Span(*match.span("value"), Kind.DIRECCION)


def _is_street(match: re.Match[str]) -> bool:
    """Tell a street from "calle hace 3 días": its name has a capital, or is short, plain and far from house 9."""
    words = [word.strip(".") for word in match["name"].split()]
    names = [word for word in words if fold(word) not in STREET_PARTICLES]
    if not names or any(fold(word) in NEVER_IN_STREETS for word in words):
        return False
    if match["street"].lower() in _WEAK_STREETS and not names[0][0].isupper():
        return False
    if any(word[0].isupper() for word in names):
        return True
    return len(words) <= 4 and len(match["number"]) >= 2 and (bool(match["marker"]) or any(map(str.isalpha, names)))


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Tell whether the house number is the beginning of something else: an amount, an hour, a measure."""
    end = match.end("number")
    return bool(UNIT_AFTER.match(text, end) or _GOES_ON.match(text, end))
