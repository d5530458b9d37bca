"""Links and addresses: whole hosts only, in every spelling that a reader or a browser understands."""

from __future__ import annotations

import pytest

from inquiries.ai.contacts import CUT, Contact, cut_contacts, plain_letters

FACTS = (
    "Ayuda: https://www.acme.example/ayuda/, pagos: acme-pagos.com.ar, correo info@acme.example, Instagram "
    "@acme_oficial, formulario https://forms.gle/AbC123, archivo ftp://ftp.acme.example/lista."
)


def cut(text, facts=FACTS):
    return cut_contacts(plain_letters(text), facts)


@pytest.mark.parametrize(
    "link",
    [
        "https://acme.example/ayuda",
        "HTTP://WWW.ACME.EXAMPLE/ayuda/",
        "acme.example/ayuda",
        "www.acme.example",
        "https://acme.example:443/ayuda",
        "http://acme.example:80",
        "acme-pagos.com.ar",
        "https://acme-pagos.com.ar/",
        "acme-pagos punto com punto ar",
        "https://forms.gle/AbC123",
        "ftp://ftp.acme.example/lista",
        "[ayuda](https://acme.example/ayuda)",
        '[ayuda](<https://acme.example/ayuda> "título")',
        "<https://acme.example/ayuda>",
        "info@acme.example",
        "INFO@ACME.EXAMPLE",
        "info arroba acme punto example",
        "info [at] acme [dot] example",
        "mailto:info@acme.example",
        "[correo](mailto:info@acme.example)",
        "**info@acme.example**",
        "@acme_oficial",
    ],
)
def test_what_stands_in_the_facts_stays(link):
    text, found = cut(f"Vea {link}, gracias.")
    assert found == frozenset()
    assert "acme" in text.lower() or "AbC123" in text
    assert CUT not in text


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.com",
        "http://acme.example.evil.com/ayuda",
        "https://evil-acme.example/ayuda",
        "https://ayuda.acme.example",
        "https://acme.example@evil.com/ayuda",
        "https://info:clave@acme.example/ayuda",
        "https://acme.example\\@evil.com",
        "https:\\\\evil.com\\x",
        "https:evil.com",
        "//evil.com/x",
        "https://acme.example:8443/ayuda",
        "https://acme.example/ayuda?u=https://evil.com",
        "https://acme.example/ayuda#otra",
        "https://acme.example/otra",
        "https://forms.gle/abc123",
        "https://аcme.example/ayuda",
        "https://xn--cme-7cd.example/ayuda",
        "https://acme%2Eexample/ayuda",
        "https://3232235777/x",
        "https://[::1]/x",
        "192.168.1.1/entrar",
        "hxxps://evil[.]com/pay",
        "evil(punto)com",
        "evil.com",
        "EVIL.COM",
        "-evil.com",
        "evil.com/x?y=1",
        "evil.services/x",
        "evil.com.",
        "evil punto com barra pago",
        "evil dot com",
        "evil ponto com ponto br",
        "ｈｔｔｐｓ：／／ｅｖｉｌ．ｃｏｍ",
        "ⓔⓥⓘⓛ.com",
        "𝐞𝐯𝐢𝐥.com",
        "evil。com",
        "ev\u200bil.com",
        "ev\u200dil.com",
        "wa.me/5491155667788",
        "t.me/evil",
        "bit.ly/evil",
        "javascript:alert('evil')",
        "data:text/html;base64,evil",
        "whatsapp://send?text=evil",
        "ftp://ftp.evil.com",
        "[evil.com](https://acme.example/ayuda)",
        "![evil](https://evil.com/x.png)",
        "[x](//evil.com)",
        "[x](evil)",
        '<a href="https://evil.com">x</a>',
        "<img src=//evil.com/x>",
        "@evil_soporte",
    ],
)
def test_any_other_link_is_cut(link):
    text, found = cut(f"Vea {link} hoy.")
    assert found == {Contact.LINK}
    assert "evil" not in text
    assert text.startswith("Vea ")
    assert text.endswith(" hoy.")


@pytest.mark.parametrize(
    "email",
    [
        "evil@x.com",
        "info@acme.example.evil.com",
        "otro@acme.example",
        "info＠evil.com",
        "evil @ x.com",
        "evil arroba x punto com",
        "evil (at) x.com",
        "evil at x dot com",
        "evil@[10.0.0.1]",
        "mailto:evil@x.com",
        "mailto:info@acme.example?cc=evil@x.com",
        "[escríbanos](mailto:evil@x.com)",
        "e.v-i+l@evil.co.uk",
    ],
)
def test_any_other_address_is_cut(email):
    text, found = cut(f"Escriba a {email} hoy.")
    assert found == {Contact.EMAIL}
    assert "evil" not in text
    assert "x.com" not in text


@pytest.mark.parametrize(
    "text",
    [
        "Gracias.Es todo por hoy.",
        "A las 3 p.m. o a las 10 a.m., Sr. Pérez, en EE.UU.",
        "Acme S.A. de C.V. y Ltda., 2.do piso, 1.er turno, 4.to grado, etc.",
        "Adjunte factura.pdf, foto.jpg y lista.xlsx.",
        "El total es 12.50 y la versión 3.2.1.",
        "Este es el punto en común: punto de venta y punto final.",
        "Nos vemos at noon.",
        "El 50 % y/o 2 @ 10.",
        "hola.gracias por todo",
        "Horario: 9:00-18:00. Data: 12/05/2024.",
        "¿Usa Node.js?",
    ],
)
def test_near_misses_stay(text):
    assert cut(text) == (text, frozenset())


def test_markdown_keeps_its_words():
    assert cut("Puede [seguir su envío](https://evil.com) hoy.")[0] == "Puede seguir su envío hoy."


def test_nothing_is_given_without_facts():
    assert cut("Vea https://acme.example", facts="")[1] == {Contact.LINK}


def test_the_host_of_an_address_is_no_link():
    assert cut("Vea acme.example", facts="Correo: info@acme.example")[1] == {Contact.LINK}


def test_a_joiner_stays_in_an_emoji_and_nowhere_else():
    assert plain_letters("👩\u200d🔧 a\u200db\ufeff\u2066c\ue000") == "👩\u200d🔧 abc"
