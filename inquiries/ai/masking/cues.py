"""Words beside a number that say what it is: someone's telephone, someone's document, or an order and the like."""

from __future__ import annotations

import re
from collections import deque
from enum import Enum

_WINDOW = 48  # characters before a number in which a word may still speak of it

_PHONE = (
    r"tel(?:[eé]fonos?|f|fs|efone)?|tfnos?|tlfn?os?|tlf|fono|cel(?:ular(?:es)?)?|cell|m[oó]vil(?:es)?|whats?app?|wasap"
    r"|wsp|wpp|wa|guasap|zap|telegram|sms|phone|mobile|call|ligar?|ligue|fijo|contact[oae]\w*|cont[aá]ct\w+"
    r"|ll[aá]m(?:ar|en|e|a|as|ad|enos|ame)(?:me|nos|lo|la|le)?|marcar|marque|mi n(?:[uú]me)?ro|comunicarse|ubicarme"
    r"|escrib(?:ir|an|a|e|irme|anme|eme|ime)|escr[ií]b(?:an|e|a)me"
)
_DOCUMENT = (
    r"d\.?n\.?i\.?|n\.?i\.?[ef]\.?|c[eé]dulas?|documento|identificaci[oó]n|identidad|pasaporte|passaporte|passport"
    r"|cui[tl]|c\.u\.i\.[tl]\.?|r\.?u\.?t\.?|r\.?u\.?n\.?|r\.?u\.?c\.?|nit|rfc|curp|cpf|cnpj|dui|dpi|cui|ssn|rif|rnc"
    r"|fiscal|c\.?i\.?|c\.?c\.?"
)
# Everything that people number in a shop, a bank or an office, and amounts and measures.
_OTHER = (
    r"pedidos?|[oó]rden(?:es)?|compras?|factura(?:s|ci[oó]n)?|boletas?|tickets?|tique|ticke|reclamos?|caso|expediente"
    r"|gu[ií]a|seguimiento|tracking|rastreo|env[ií]os?|paquete|c[oó]d(?:igo)?s?|referencia|ref|serie|serial|s/n|sn"
    r"|imei|iccid|modelo|lotes?|sku|ean|upc|isbn|producto|art[ií]culo|folio|p[oó]liza|contrato|reserva|operaci[oó]n"
    r"|transacci[oó]n|comprobante|autorizaci[oó]n|confirmaci[oó]n|remito|presupuesto|cotizaci[oó]n|protocolo"
    r"|chamado|order|invoice|case|booking|cup[oó]n|versi[oó]n|firmware|ip|total|importe|monto|saldo|puntos|valor"
    r"|pagu[eé]|precio|cliente|socio|usuario|incidencia|incidente|solicitud"
    r"|tr[aá]mite|medidor|matr[ií]cula|placa|patente|registro|garant[ií]a|vuelo|localizador|cuenta|cbu|clabe|iban"
    r"|pin|clave|token|otp|suministro|contador|albar[aá]n|nota|encomenda|pedido|rastreamento|nf|parte|pieza|barras"
    r"|licencia|licen[cs]e|activaci[oó]n|radicado|pqr|ot|os|recibo|rma|voucher|vale|gift|tarjeta regalo|entre|rango"
)
# Says nothing about whose number it is; a telephone in groups may still follow.
_NUMBER = r"nros?|n[uú]meros?|num|n[°º]|no\.|#|id"


class Cue(Enum):
    """What the nearest word before a number takes it for."""

    PHONE = "phone"
    DOCUMENT = "document"
    OTHER = "other"
    NUMBER = "number"


_CUE = re.compile(
    rf"(?<![^\W_])(?:(?P<PHONE>{_PHONE})|(?P<DOCUMENT>{_DOCUMENT})|(?P<OTHER>{_OTHER})|(?P<NUMBER>{_NUMBER}))(?![^\W_])",
    re.IGNORECASE,
)
# "Ref. 123" and "tel. 600" go on after the stop; a longer word before it ends a sentence.
_SENTENCE_END = re.compile(r"[!?;]|[^\W\d_]{5,}\.\s")
_DIGITS = re.compile(r"\d+(?:[.,/ -]\d+)*")
_ENUMERATION = re.compile(r"[\s:()]*(?:(?:[,/]|(?:y|e|o|and)(?!\w))[\s()]*){1,6}", re.IGNORECASE)
_PHONE_AFTER = re.compile(
    r"[\s,(-]{0,3}(?:por |es |en |al )?(?:(?:mi|el|un|de) )?(?:whats?app|wsp|wasap|cel(?:ular)?|m[oó]vil|tel[eé]fono"
    r"|n[uú]mero(?: de (?:contacto|tel[eé]fono|celular))?\b(?! de))(?!\w)",
    re.IGNORECASE,
)
_CURRENCY_BEFORE = re.compile(
    r"(?:[$€£₡]|\bs/\.?|\bbs\.?|\bgs\.?|\b(?:usd|eur|mxn|cop|clp|ars|pen|uyu|brl|q|l))\s?$", re.IGNORECASE
)
UNIT_AFTER = re.compile(
    r"\s?(?:[%€$]|(?:pesos|euros?|d[oó]lares|usd|eur|mxn|ars|clp|cop|uyu|soles|reais|guaran[ií]es|bol[ií]vares|kms?|kgs?"
    r"|gr?s?|ml|cc|cm|mm|m2|mts?|metros?|unidades|uds?|puntos|millas|kwh|gb|mb|bytes|veces|d[ií]as?|horas?|hs?|hrs?"
    r"|min|minutos?|segundos?|semanas?|meses|a[ñn]os?|personas?|piezas?|cuotas?|am|pm|grados|w|watts|v|voltios"
    r"|litros?|lts?|pulgadas|productos|art[ií]culos|cajas)(?!\w))",
    re.IGNORECASE,
)


def nearest_cue(text: str, start: int) -> Cue | None:
    """Return what the nearest word of the same sentence takes the number at `start` for.

    A word is used up by the number that follows it; only an enumeration ("pedidos 1, 2 y 3") hands it on.
    """
    window = text[max(0, start - _WINDOW) : start]
    for end in _SENTENCE_END.finditer(window):
        window = " " * end.end() + window[end.end() :]
    found = next(iter(deque(_CUE.finditer(window), maxlen=1)), None)
    if found is None:
        return None
    between = window[found.end() :]
    if _DIGITS.search(between) and not _ENUMERATION.fullmatch(_DIGITS.sub(" ", between)):
        return None
    return Cue[found.lastgroup] if found.lastgroup else None


def is_called_phone_after(text: str, end: int) -> bool:
    """Tell whether what follows `end` says that the number before it is a telephone."""
    return bool(_PHONE_AFTER.match(text, end))


def is_amount(text: str, start: int, end: int) -> bool:
    """Tell whether a currency or a unit stands beside the number."""
    return bool(_CURRENCY_BEFORE.search(text[max(0, start - 6) : start]) or UNIT_AFTER.match(text, end))
