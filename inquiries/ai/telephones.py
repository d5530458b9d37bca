"""Tells telephone numbers in a draft from orders, amounts, dates and documents."""

from __future__ import annotations

import re

from inquiries.ai.text import word_set

# Digits with the signs that people put between them; E.164 allows 15, a service number has 7 or more.
TELEPHONE = re.compile(
    r"(?<!\w)(?<!\d[.,/\-])(?:(?:tel|sms|callto|whatsapp):)?[(+＋]?\s?[(+]?"
    r"\d(?:(?:/|[ \u00a0\u202f.()\-‐‑–]{0,3})\d){6,}(?!\w)",
    re.IGNORECASE,
)
_DIGIT_WORD = (
    r"(?:cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|zero|um|dois|quatro|sete|oito|nove|meia|one|two|three"
    r"|four|five|six|seven|eight|nine)"
)
SPELLED_NUMBER = re.compile(rf"(?<!\w){_DIGIT_WORD}(?:[\s,.\-]{{1,3}}{_DIGIT_WORD}){{6,}}(?!\w)", re.IGNORECASE)
_WORD_DIGITS = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "cero zero",
            "uno um one",
            "dos dois two",
            "tres three",
            "cuatro quatro four",
            "cinco five",
            "seis meia six",
            "siete sete seven",
            "ocho oito eight",
            "nueve nove nine",
        )
    )
    for word in words.split()
}

_MIN_DIGITS = 7
# Country codes of Spanish- and Portuguese-speaking countries and of the United States, with the mobile 9 and 1
# that Argentina and Mexico put behind theirs (ITU-T E.164 annex; national numbering plans).
_PREFIXES = word_set("1 34 351 51 52 521 53 54 549 55 56 57 58 501 502 503 504 505 506 507 591 593 595 598 240 0 00 01")
_REGIONS = word_set("ES MX AR CO CL PE VE EC GT CU BO DO HN PY SV NI CR PR PA UY BR PT US")

_PHONE_CUE = re.compile(
    r"\b(?:tel(?:[eé]?fon\w*|efax|[fs])?\b|llam\w*|ll[aá]m\w*|marqu\w*|m[aá]rc(?:a|ar|anos)\b|disque|ligue\w*|ligar"
    r"|whats?app|wh?atsap|wsp\b|wpp\b|wasap|zap\b|cel(?:ular)?\b|m[oó]vil|fono|call\w*|phone|dial|sms\b|text us"
    r"|hotline"
    r"|escr[ií]b\w+ (?:un mensaje )?al?\b|cont[aá]ct\w*|comun[ií]\w+|l[ií]nea(?: de \w+)?|mobile"
    r"|central(?:ita)?\b|0800"
    r"|atenci[oó]n al cliente|atendimento(?: ao cliente)?|servicio al cliente|customer (?:service|support|care))",
    re.IGNORECASE,
)
_REFERENCE_CUE = re.compile(
    r"\b(?:pedidos?|[oó]rden(?:es)?|orders?|compra|facturas?|invoice|fatura|boletas?|boletos?|recibos?|tickets?|tique"
    r"|casos?|case|gu[ií]a|tracking|rastre\w+|seguimiento|env[ií]o|c[oó]digos?|code|ref(?:erencia|erence)?|folio"
    r"|radicad\w+|protocolo|expediente|reclamo|incidencia|solicitud|cliente|customer|cuentas?|account|conta|p[oó]liza"
    r"|contrato|serie|serial|sku|lote|dni|ruc|rut|cuit|cuil|nit|rfc|nif|nie|cif|cpf|cnpj|curp|c[eé]dula|documento"
    r"|pasaporte|matr[ií]cula|placa|comprobante|transacci[oó]n|operaci[oó]n|id|imei|ean|modelo|paquete|socio|usuario"
    r"|tarjeta|clabe|cbu|iban|postal|cep|importe|monto|total|saldo|precio|valor|amount|fecha|date)\b",
    re.IGNORECASE,
)
_NUMBER_CUE = re.compile(r"(?:n\.?\s?[º°o]\.?|nro\.?|n[uú]m(?:ero|\.)?|#|[A-Z]{1,5}\d{0,6}-)\s*:?\s*$", re.IGNORECASE)
_TO_NUMBER = re.compile(
    r"\b(?:al?|ao|at|on|to|no|em)\s+(?:(?:el|los|n[uú]meros?|nro\.?|the|number|siguiente)\s+)*$", re.IGNORECASE
)
_PHONE_CUE_AFTER = re.compile(
    r"\W{0,3}(?:\(|por |en |v[ií]a |on |no |pelo |es el |nuestro )*(?:whats?app|wsp|wpp|tel|cel|m[oó]vil|fono)",
    re.IGNORECASE,
)
_CURRENCY_BEFORE = re.compile(
    r"(?:[$€£₡₲]|\b(?:usd|eur|mxn|ars|clp|cop|pen|uyu|brl|bs|s/\.?|r\$|gs|lps?|q))\.?\s?$", re.IGNORECASE
)
_CURRENCY_AFTER = re.compile(
    r",\d|\s?(?:[$€%]|(?:pesos?|soles|euros?|d[oó]lares|dollars|reais|bol[ií]vares|guaran[ií]es|colones|usd|eur"
    r"|mxn|ars"
    r"|clp|cop|pen|brl|uyu|mil|millones|kg|km|gb|mb|puntos|points|unidades)\b)",
    re.IGNORECASE,
)
_NOT_DIALLED = re.compile(
    r"(?:[12]\d{3}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])"  # dates
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:\d{2}|[12]\d{3})"
    r"|(?:19|20)\d\d ?[-–/ ] ?(?:19|20)\d\d"
    r"|\d{1,3}(?:\.\d{3})+(?:-\d{1,2}|/\d{4}-\d{2})?"  # amounts, DNI, RUT, CPF, CNPJ
    r"|\d{2}-\d{8}-\d"  # CUIT
    r"|(?:\d{4}[ -]){3}\d{4}"  # cards
    r")(?: \d{1,2})?"  # "12/05/2024 14:30": the hour's digits
)


class Telephones:
    """The numbers that the company's facts hold."""

    def __init__(self, facts: str) -> None:
        split = re.sub(r"[/;,|]", "\n", facts)
        self._digits = {_digits(hit[0]) for text in (facts, split) for hit in TELEPHONE.finditer(text)}

    def has(self, text: str) -> bool:
        """Tell whether the number stands in the facts, with or without country and area code.

        A shorter one may leave out what comes first; a longer one may add a country code that we know, so
        that nobody puts a premium-rate prefix before the company's number.
        """
        digits = _digits(text)
        if len(digits) < _MIN_DIGITS:
            return False
        return any(_is_same(digits, known) for known in self._digits)

    def is_telephone(self, found: re.Match[str]) -> bool:
        """Tell a telephone number from the other numbers of a desk by its sign, the words around it, its shape."""
        number, before, after = found[0], found.string[: found.start()][-60:], found.string[found.end() :][:30]
        if _CURRENCY_BEFORE.search(before) or _CURRENCY_AFTER.match(after):
            return False
        if "+" in number or "＋" in number or number[0].isalpha():
            return True
        verdict = _by_words(before, after)
        if verdict is not None:
            return verdict
        is_one_run = number.strip().isdigit()
        return not (is_one_run and _NUMBER_CUE.search(before)) and _looks_dialled(number)


def spelled_digits(text: str) -> str:
    """Return the digits of "cinco cinco uno"."""
    return "".join(_WORD_DIGITS.get(word, "") for word in re.findall(r"[a-z]+", text.lower()))


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _is_same(digits: str, known: str) -> bool:
    if len(known) < _MIN_DIGITS or known.endswith(digits):
        return known.endswith(digits)
    bare, known = digits.lstrip("0"), known.lstrip("0")
    if known.endswith(bare):
        return len(bare) >= _MIN_DIGITS
    return bare.endswith(known) and (bare[: len(bare) - len(known)] or "0") in _PREFIXES


def _by_words(before: str, after: str) -> bool | None:
    """Say what the words around a number call it, None if they do not; of two names the nearer one counts."""
    phone = max((hit.end() for hit in _PHONE_CUE.finditer(before)), default=-1)
    reference = max((hit.end() for hit in _REFERENCE_CUE.finditer(before) if len(before) - hit.end() < 30), default=-1)
    if phone >= 0 and (phone >= reference or _TO_NUMBER.search(before)):
        return True
    if reference >= 0:
        return False
    return True if _PHONE_CUE_AFTER.match(after) else None


def _looks_dialled(number: str) -> bool:
    """Tell by the shape alone: grouped and valid somewhere, or in one run and a mobile number somewhere."""
    number = number.strip()
    if _NOT_DIALLED.fullmatch(number):
        return False
    digits = _digits(number)
    if len(digits) > 15:
        return False
    if digits.startswith(("0800", "0810", "00")):
        return True
    return _is_valid(digits, mobile_only=digits == number)


def _is_valid(digits: str, *, mobile_only: bool) -> bool:
    # Its metadata cost some megabytes: only a draft with a number nobody names pays for them.
    import phonenumbers

    if mobile_only and len(digits) < 9:
        return False  # in eight digits nearly every number is somebody's
    for region in _REGIONS:
        try:
            parsed = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            continue
        kind = phonenumbers.number_type(parsed)
        if kind == phonenumbers.PhoneNumberType.MOBILE or (
            not mobile_only and kind != phonenumbers.PhoneNumberType.UNKNOWN
        ):
            return True
    return False
