"""Telephone numbers go; orders, amounts, dates and documents stay."""

from __future__ import annotations

import pytest

from inquiries.ai.contacts import Contact, cut_contacts, plain_letters
from inquiries.ai.telephones import Telephones, spelled_digits

FACTS = "WhatsApp +54 9 11 4555-2222. Central: (011) 4777-8888 / 4777-9999. Gratis: 0800-222-1234. RUC 20123456789."


def is_cut(text, facts=FACTS):
    found = cut_contacts(plain_letters(text), facts)[1]
    assert found <= {Contact.PHONE}
    return bool(found)


@pytest.mark.parametrize(
    "text",
    [
        "Llame al +34 611 22 33 44.",
        "Llame al 600123456.",
        "Tel. 5555-6666",
        "Tel.4555-3333",
        "tel:+34600111222",
        "[Llamar](tel:+34600111222)",
        "WhatsApp 600 123 456 (de 9 a 18)",
        "Hablemos por el 600 123 456.",
        "al 1155667788 por WhatsApp",
        "0034 600 111 222",
        "Escriba al (11) 91234-5678.",
        "Call us at +1 (900) 555-0199.",
        "Ligue para 11 91234 5678",
        "Marque 0800-999-4321",
        "Anote: 3001234567",
        "El nuevo es 600-123-456",
        "Por su pedido 1234 llame al 5551234567",
        "Llame al nro. 5551234567",
        "Atención al cliente: 5551234567",
        "+５４ ９ １１ ６６６６ ７７７７",
        "+٥٤ ١١ ٦٦٦٦٧٧٧٧",
        "Llame al cero ocho cero cero cinco cinco cinco",
        "Número: 900 555 444.",
        "Llame al +1 900 4555-2222",
    ],
)
def test_telephones_are_cut(text):
    assert is_cut(text)


@pytest.mark.parametrize(
    "text",
    [
        "Su pedido 12345678 está listo.",
        "Su pedido n.º 600123456 está listo.",
        "La factura F001-00012345 y la boleta B001-0004567.",
        "El ticket #20240001234 sigue abierto.",
        "El caso 4500123456 y la guía 1Z999AA10123456784.",
        "Número de seguimiento: 5491155667788",
        "Son $ 1.234.567 o US$ 12.345.678,90.",
        "Son 1.250.000 pesos, 1 250 000 COP y 2500000 guaraníes.",
        "Del 12/05/2024 al 2024-06-30, 12.05.2024 14:30.",
        "Entre 2023-2024 y 2024 - 2025.",
        "DNI 30.222.111, RUT 12.345.678-5, CUIT 20-12345678-9, CPF 123.456.789-09.",
        "La tarjeta 4111 1111 1111 1111 y el CLABE 032180000118359719.",
        "El código postal 1234567 y el 12345678.",
        "Horario: 9:00-18:00, de 9 a 18, 24 48 72 horas.",
        "DNI 12345678Z",
        "uno, dos y tres; cuatro cinco seis",
    ],
)
def test_other_numbers_stay(text):
    assert not is_cut(text)


@pytest.mark.parametrize(
    "number",
    [
        "+54 9 11 4555-2222",
        "54 9 11 45552222",
        "11 4555 2222",
        "4555-2222",
        "(011) 4777-8888",
        "+54 11 4777 8888",
        "4777-9999",
        "0800 222 1234",
        "tel:+5491145552222",
        "RUC 20123456789",
    ],
)
def test_the_companys_numbers_stay_with_and_without_prefixes(number):
    assert not is_cut(f"Llame al {number} hoy.")


def test_a_number_of_the_facts_may_be_spelled():
    facts = "Tel. 4555 2222"
    assert not is_cut("Llame al cuatro cinco cinco cinco dos dos dos dos", facts)
    assert spelled_digits("Cuatro, five, meia") == "456"


@pytest.mark.parametrize(
    "number", ["+1 900 4555 2222", "+881 4555 2222", "99 4555 2222", "4555 2223", "2222", "55-2222"]
)
def test_a_foreign_prefix_or_a_piece_is_another_number(number):
    assert not Telephones("Tel. 4555 2222").has(number)
