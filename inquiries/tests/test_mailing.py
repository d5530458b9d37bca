from __future__ import annotations

import email
import email.policy
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext

from inquiries import mailing
from inquiries.models import Delivery, Message, SiteSettings
from inquiries.states import DeliveryState, MessageKind
from inquiries.tests.factories import make_answer, make_delivery

pytestmark = pytest.mark.django_db
NO_REPLY = "To write back, use the page of your inquiry; nobody reads what is sent to this address:"


@pytest.fixture(autouse=True)
def _desk(settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "soporte@example.com"
    settings.BASE_URL = "https://pok.example"
    SiteSettings.objects.update_or_create(pk=1, defaults={"company_name": "Muebles Sol, S.A."})


def wire(delivery: Delivery) -> EmailMessage:
    """The mail as a program on the other side reads it."""
    source = mailing.compose(delivery).message().as_bytes()
    assert max(map(len, source.splitlines())) <= 998  # RFC 5322, 2.1.1
    return email.message_from_bytes(source, policy=email.policy.default)


def text(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def es(words: str) -> str:
    with translation.override("es"):
        return gettext(words)


@pytest.fixture
def receipt(make_inquiry) -> Delivery:
    return make_delivery(make_inquiry())


@pytest.fixture
def answer(make_inquiry) -> Delivery:
    inquiry = make_inquiry()
    return make_delivery(inquiry, make_answer(inquiry, "Hola Juana:\n\nya puede entrar <hoy>."))


# --- what they say ---
def test_an_answer_in_plain_text(answer):
    inquiry = answer.inquiry
    assert text(wire(answer)).split("\n") == [
        "Hola Juana:",
        "",
        "ya puede entrar <hoy>.",
        "",
        "-- ",
        f"Consulta n.º {inquiry.pk} · Muebles Sol, S.A.",
        es(NO_REPLY),
        f"https://pok.example/consulta/{inquiry.public_token}/",
        "",
        es("You wrote:"),
        "> Hola, no puedo entrar a mi cuenta desde ayer.",
        "",
    ]


def test_an_answer_in_html_is_escaped_and_loads_nothing(answer):
    html = text(wire(answer), "html")
    assert "<p>ya puede entrar &lt;hoy&gt;.</p>" in html
    assert '<html lang="es">' in html
    assert 'dir="auto"' in html
    for forbidden in ("<img", "<script", "style", "src="):
        assert forbidden not in html
    assert re.findall(r'href="([^"]+)"', html) == [answer.inquiry.status_url]


def test_the_headers_of_an_answer(answer):
    mail = wire(answer)
    assert mail["Subject"] == f"Re: Consulta n.º {answer.inquiry_id}"
    assert mail["From"] == '"Muebles Sol, S.A." <soporte@example.com>'
    assert mail["To"] == "juana@example.com"
    assert mail["Message-ID"] == answer.mail_id
    assert "Auto-Submitted" not in mail


def test_an_answer_quotes_what_the_customer_wrote_last_before_it(answer):
    inquiry = answer.inquiry
    Message.objects.create(inquiry=inquiry, kind=MessageKind.CUSTOMER, body="Después de la respuesta")
    assert "Después" not in text(wire(answer))
    second = make_delivery(inquiry, make_answer(inquiry, "Otra respuesta"))
    assert "> Después de la respuesta\n" in text(wire(second))
    assert "no puedo entrar" not in text(wire(second))


def test_a_long_message_is_quoted_by_its_beginning(make_inquiry):
    inquiry = make_inquiry(message="línea\n" * 1000)
    quoted = [line for line in text(wire(make_delivery(inquiry, make_answer(inquiry)))).splitlines() if line[:1] == ">"]
    assert len("\n".join(quoted)) < 800
    assert quoted[-1].endswith("…")


def test_a_receipt_holds_number_and_link_and_nothing_of_the_sender(make_inquiry):
    inquiry = make_inquiry(
        customer_name="Compre en evil.example", message="https://evil.example gratis", email="victima@example.com"
    )
    delivery = make_delivery(inquiry)
    mail = wire(delivery)
    for part in ("plain", "html"):
        body = text(mail, part)
        assert str(inquiry.pk) in body
        assert inquiry.status_url in body
    source = mailing.compose(delivery).message().as_string()
    for foreign in ("evil", "Compre", "gratis"):
        assert foreign not in source


def test_a_receipt_says_that_a_machine_sent_it(receipt):
    mail = wire(receipt)
    assert mail["Subject"] == f"Consulta n.º {receipt.inquiry_id}"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_links_come_from_the_settings_and_words_are_spanish_whoever_asks(receipt, settings):
    settings.BASE_URL = "https://otra.example"
    with translation.override("en"):
        mail = wire(receipt)
    assert "https://otra.example/consulta/" in text(mail)
    assert mail["Subject"].startswith("Consulta n.º")


def test_who_answers_by_mail_reaches_the_address_for_it(answer, settings):
    settings.REPLY_TO = "ayuda@example.com"
    mail = wire(answer)
    assert mail["Reply-To"] == "ayuda@example.com"
    assert es(NO_REPLY) not in text(mail)


def test_without_such_an_address_the_mail_says_where_to_answer(answer):
    mail = wire(answer)
    assert mail["Reply-To"] is None
    assert es(NO_REPLY) in text(mail)


# --- threads ---
def test_the_mails_of_an_inquiry_hang_together(make_inquiry):
    inquiry = make_inquiry()
    receipt = make_delivery(inquiry, state=DeliveryState.SENT)
    failed = make_delivery(inquiry, make_answer(inquiry), state=DeliveryState.FAILED)
    unknown = make_delivery(inquiry, make_answer(inquiry), state=DeliveryState.UNKNOWN)
    last = make_delivery(inquiry, make_answer(inquiry))
    first, mail = wire(receipt), wire(last)
    root = first["In-Reply-To"]
    assert first["References"] == root
    assert mail["References"].split() == [root, receipt.mail_id, unknown.mail_id]
    assert mail["In-Reply-To"] == unknown.mail_id
    assert failed.mail_id not in mail.as_string()


def test_the_root_of_a_thread_gives_no_token_away_and_is_the_inquirys_own(answer, make_inquiry):
    root = wire(answer)["In-Reply-To"]
    assert root == wire(answer)["In-Reply-To"]
    assert answer.inquiry.public_token not in root
    other = make_inquiry()
    assert wire(make_delivery(other))["In-Reply-To"] != root


def test_a_long_thread_names_its_newest_mails(make_inquiry):
    inquiry = make_inquiry()
    for _ in range(30):
        make_delivery(inquiry, make_answer(inquiry), state=DeliveryState.SENT, due_at=None, finished_at=Now())
    assert len(wire(make_delivery(inquiry, make_answer(inquiry)))["References"].split()) == 11


def test_every_mail_has_an_id_of_its_own():
    ids = {mailing.new_mail_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"<[0-9a-f]{32}@example\.com>", found) for found in ids)


# --- the name before the address ---
NAMES = {
    "": "",
    "Ferretería Ñandú": "Ferretería Ñandú",
    "Sol\r\nBcc: b@example.com": "Sol Bcc: b@example.com",
    "Sol\x0b\u2028\x85Norte": "Sol Norte",
    "Sol 🌞 y Luna 👩‍🚀": "Sol 🌞 y Luna 👩‍🚀",
    "شركة\u202eلسم": "شركة لسم",
    'Sol "El Bueno" <x@example.com>, y': 'Sol "El Bueno" <x@example.com>, y',
    "a" * 120: "a" * 60,
    "ñ" * 120: "ñ" * 60,
    "👩‍🚀" * 40: ("👩‍🚀" * 40)[:60],
    "\n": "",
    "Banco, del Sol; (S.A.)": "Banco, del Sol; (S.A.)",
}


@pytest.mark.parametrize("company", NAMES)
def test_a_company_name_stays_a_name(receipt, company):
    SiteSettings.objects.update_or_create(pk=1, defaults={"company_name": company})
    mail = wire(receipt)
    assert [found.addr_spec for found in mail["From"].addresses] == ["soporte@example.com"]
    assert mail["Bcc"] is None
    assert not mail.defects
    # Decoded by the older parser: the newer one keeps the blanks between two encoded words (RFC 2047, 6.2).
    name, _address = parseaddr(mailing.compose(receipt).message()["From"])
    assert str(make_header(decode_header(name))) == NAMES[company]


def test_an_address_with_a_name_keeps_its_own(receipt, settings):
    settings.DEFAULT_FROM_EMAIL = "Atención <soporte@example.com>"
    assert wire(receipt)["From"] == "Atención <soporte@example.com>"


def test_texts_of_all_scripts_and_long_lines_arrive_as_they_were_written(make_inquiry):
    body = "مرحبا 👩‍🚀 \u202eabc\n.\nFrom aquí\n" + "palabra " * 700 + "\n" + "x" * 3000
    inquiry = make_inquiry(message="¡Hola! שלום")
    mail = wire(make_delivery(inquiry, make_answer(inquiry, body)))
    assert text(mail).startswith(body)
    assert "> ¡Hola! שלום" in text(mail)
