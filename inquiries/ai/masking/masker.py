"""Replace personal data in a customer's text: reversibly for one request, or for good in a text that is reused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from inquiries.ai.masking.accounts import find_accounts, find_cards
from inquiries.ai.masking.addresses import find_addresses
from inquiries.ai.masking.documents import find_documents
from inquiries.ai.masking.mails import find_known_mail, find_mails
from inquiries.ai.masking.marks import GENERIC, Masked, generalise, neutralise, placeholder
from inquiries.ai.masking.names import find_introduced_names, find_own_name, has_name
from inquiries.ai.masking.phones import find_phones
from inquiries.ai.masking.references import without_references
from inquiries.ai.masking.spans import Detector, Kind, Span, repeated, resolve, whole_words

_DETECTORS: tuple[Detector, ...] = (
    find_mails,
    find_cards,
    find_accounts,
    find_documents,
    find_phones,
    find_addresses,
)

# No text that POK takes holds it, and no pattern reaches across it.
_SEAM = "\n\x00\n"


def find(text: str, customer_name: str = "", email: str = "") -> list[Span]:
    """Return the personal data in `text` as disjoint spans in its order."""
    spans = resolve(whole_words(text, span) for span in _found(text, customer_name, email))
    return resolve((*spans, *repeated(text, spans)))


def mask(text: str, customer_name: str = "", email: str = "") -> Masked:
    """Return `text` with a placeholder for each personal datum; one placeholder for one spelling of a value.

    `customer_name` and `email` are the sender's own; the name is always [NOMBRE_1], also where the text lacks it.
    Whatever the customer wrote in the form of a mark gets round brackets, here and in the restored text: it can
    neither be taken for a placeholder nor bring one out.
    """
    text = neutralise(text)
    name = neutralise(customer_name.strip())
    given: dict[tuple[Kind, str], str] = {}
    numbers: Counter[Kind] = Counter()
    counts: Counter[str] = Counter()

    def give(kind: Kind, value: str) -> str:
        if (kind, value) not in given:
            numbers[kind] += 1
            given[kind, value] = placeholder(kind, numbers[kind])
        return given[kind, value]

    customer = give(Kind.NOMBRE, name) if has_name(name) else ""
    pieces: list[str] = []
    position = 0
    for span in find(text, name, email):
        counts[span.kind.value] += 1
        pieces += (text[position : span.start], give(span.kind, text[span.start : span.end]))
        position = span.end
    masked = "".join(pieces) + text[position:]
    return Masked(masked, customer, {mark: value for (_, value), mark in given.items()}, dict(counts))


def mask_all(texts: Sequence[str], customer_name: str = "", email: str = "") -> tuple[Masked, tuple[str, ...]]:
    """Mask several texts (one at least) as one: a value has the same placeholder in all; return each of them, too."""
    masked = mask(_SEAM.join(text.replace("\x00", " ") for text in texts), customer_name, email)
    return masked, tuple(masked.text.split(_SEAM))


def anonymise(text: str, customer_name: str = "", email: str = "") -> str:
    """Return `text` with generic marks such as [correo] instead of personal data, for reuse as an example.

    Numbers of orders and the like go as well: they are another customer's. Nothing is kept to undo it. Placeholders
    that stand in the text become generic, too.
    """
    pieces: list[str] = []
    position = 0
    for span in find(text, customer_name, email):
        pieces += (text[position : span.start], GENERIC[span.kind])
        position = span.end
    return without_references(generalise("".join(pieces) + text[position:]))


def _found(text: str, customer_name: str, email: str) -> Iterator[Span]:
    for detector in _DETECTORS:
        yield from detector(text)
    yield from find_known_mail(text, email)
    introduced = list(find_introduced_names(text))
    yield from introduced
    yield from find_own_name(text, " ".join((customer_name, *(text[span.start : span.end] for span in introduced))))
