from __future__ import annotations

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inquiries.ai.engine import SENTIMENTS, CompanyProfile
from inquiries.ai.seeds import default_categories, load
from inquiries.ai.templates import MAX_ECHO, Draft, draft_reply, echo_of, first_name

CATEGORIES = [*(category.spec.name for category in default_categories()), "Cancelaciones y bajas"]
TONES = ["usted", "tú", "tu", "vos", "USTED", "", "otra cosa"]
ACME = CompanyProfile(name="Acme", tone="usted")


def reply(**changes: object) -> str:
    values = {
        "category": "Soporte Técnico",
        "sentiment": "Negativo",
        "language": "es",
        "customer_name": "Juan Pérez",
        "sentence": "no puedo entrar a mi cuenta",
        "company": ACME,
    }
    return draft_reply(Draft(**(values | changes)))  # type: ignore[arg-type]


EVERY = list(itertools.product(CATEGORIES, SENTIMENTS, ["es", "pt", "en", "fr"], TONES))


def test_a_whole_draft_reads_like_a_letter() -> None:
    lines = reply().split("\n\n")
    assert lines[0] == "Hola Juan,"
    assert "«no puedo entrar a mi cuenta»" in lines[1]
    assert "qué mensaje aparece" in lines[2]
    assert lines[3].endswith("\nEquipo de Acme")


def test_no_draft_shows_its_template() -> None:
    for category, sentiment, language, tone in EVERY:
        text = reply(
            category=category, sentiment=sentiment, language=language, company=CompanyProfile("Acme", tone=tone)
        )
        assert not re.search(r"[{}\[\]|]|  |\.\.| [,.;]", text), text


def test_no_draft_promises_a_time_a_price_or_a_refund() -> None:
    promises = re.compile(
        r"\d|\bhoras?\b|\bdías\b|\bhoy\b|\bmañana\b|inmediat|cuanto antes|a la brevedad|reembols|devolvere|gratis|"
        r"descuento|\$|refund|within|\bhours\b|\btoday\b|reembolso|\bprazo\b|\bhoje\b|24",
        re.IGNORECASE,
    )
    for category, sentiment, language, tone in EVERY:
        text = reply(
            category=category,
            sentiment=sentiment,
            language=language,
            sentence="",
            company=CompanyProfile("Acme", tone=tone),
        )
        assert not promises.search(text), text


def test_ways_of_address_do_not_mix() -> None:
    voseo = re.compile(r"\b(?:podés|tenés|querés|contanos|decinos|indicanos|envianos|usás|elegís)\b")
    usted = re.compile(r"\b(?:puede|usted|indíquenos|envíenos|díganos|cuéntenos|su|sus|le)\b", re.IGNORECASE)
    for category, sentiment in itertools.product(CATEGORIES, SENTIMENTS):
        by_tone = {
            tone: reply(category=category, sentiment=sentiment, sentence="", company=CompanyProfile("A", tone=tone))
            for tone in ("usted", "tú", "vos")
        }
        assert not voseo.search(by_tone["usted"] + by_tone["tú"])
        assert not usted.search(by_tone["tú"] + by_tone["vos"])


def test_every_choice_of_address_has_three_parts() -> None:
    choices = re.findall(r"\[([^\[\]]*\|[^\[\]]*)\]", json.dumps(load("replies")["es"], ensure_ascii=False))
    assert len(choices) > 100
    assert [choice for choice in choices if choice.count("|") != 2] == []


@pytest.mark.parametrize(
    ("tone", "words"), [("usted", "indíquenos"), ("tú", "indícanos"), ("tu", "indícanos"), ("vos", "indicanos")]
)
def test_tone_chooses_the_verb_forms(tone: str, words: str) -> None:
    assert words in reply(company=CompanyProfile("Acme", tone=tone))


@pytest.mark.parametrize(("language", "words"), [("pt", "Olá, Juan!"), ("en", "Hello Juan,"), ("es", "Hola Juan,")])
def test_a_customer_is_answered_in_his_language(language: str, words: str) -> None:
    for category in CATEGORIES:
        assert reply(category=category, language=language).startswith(words)


def test_sentiment_chooses_apology_or_thanks() -> None:
    assert re.search(r"disculpas", reply(category="Reclamo", sentiment="Negativo"))
    assert re.search(r"racias|alegr", reply(category="Consulta General", sentiment="Positivo"))
    assert not re.search(r"disculpas|[Ll]amentamos|[Ss]entimos", reply(sentiment="Neutral"))


def test_a_category_of_a_supervisor_gets_the_generic_text() -> None:
    assert reply(category="Cancelaciones y bajas") == reply(category="Otra que no existe")


def test_default_category_is_known_without_case_and_accents() -> None:
    assert reply(category="soporte tecnico") == reply()


def test_the_same_inquiry_gets_the_same_draft_and_others_vary() -> None:
    sentences = [f"consulta número {letter}" for letter in "abcdefghij"]
    drafts = [reply(sentence=sentence).replace(sentence, "") for sentence in sentences]
    assert drafts == [reply(sentence=sentence).replace(sentence, "") for sentence in sentences]
    assert len(set(drafts)) > 1


@pytest.mark.parametrize(
    ("company", "last"),
    [
        (CompanyProfile(), "Equipo de Atención al Cliente"),
        (CompanyProfile("Acme"), "Equipo de Acme"),
        (CompanyProfile("Acme", signature="Ana\nAcme S.A."), "Ana\nAcme S.A."),
    ],
)
def test_the_company_signs(company: CompanyProfile, last: str) -> None:
    assert reply(company=company).endswith(f"\n{last}")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Juan Pérez", "Juan"),
        ("  juan   perez ", "Juan"),
        ("MARÍA JOSÉ LÓPEZ", "María"),
        ("Pérez, Juan", "Juan"),
        ("Sr. Juan Pérez", "Juan"),
        ("Dra. Ana", "Ana"),
        ("Jean-Luc Díaz", "Jean-Luc"),
        ("D'Angelo", "D'Angelo"),
        ("Ñusta", "Ñusta"),
        ("王伟", "王伟"),
        ("", ""),
        ("   ", ""),
        ("juan@example.com", ""),
        ("5491155554444", ""),
        ("www.tienda.com", ""),
        ("https://x.co/abc", ""),
        ("Cliente", ""),
        ("anónimo", ""),
        ("Transportes García S.A.", ""),
        ("Acme SRL", ""),
        ("J", ""),
        ("😀", ""),
        ("<script>alert(1)</script>", ""),
        ("{name}", ""),
        ("x" * 200, ""),
        ("Juan\x00\u202e", "Juan"),
    ],
)
def test_only_names_are_greeted(name: str, first: str) -> None:
    assert first_name(name) == first
    greeting = reply(customer_name=name).split("\n")[0]
    assert greeting == (f"Hola {first}," if first else "Hola,")


@pytest.mark.parametrize(
    ("sentence", "echo"),
    [
        ("No anda la app.", "No anda la app"),
        ("Escríbanme a juan@x.com por la factura", "Escríbanme a … por la factura"),
        ("Miren https://x.com/a?b=1 que falla", "Miren … que falla"),
        ("Mi tarjeta 4509 9535 6623 3704 fue rechazada", "Mi tarjeta … fue rechazada"),
        ("Dice «error» y nada más", "Dice 'error' y nada más"),
        ("El pedido 45210 no llegó", "El pedido 45210 no llegó"),
        ("😀 !!", ""),
        ("", ""),
        ("juan@x.com", ""),
    ],
)
def test_echo_is_cleaned(sentence: str, echo: str) -> None:
    assert echo_of(sentence) == echo


def test_a_long_echo_is_cut_between_words() -> None:
    sentence = "palabra " * 60
    assert len(echo_of(sentence)) <= MAX_ECHO
    assert echo_of(sentence).endswith("palabra…")


def test_without_an_echo_nothing_is_quoted() -> None:
    assert "«" not in reply(sentence="😀")


def test_braces_of_a_customer_stay_text() -> None:
    assert "«uso {company} y [a|b|c] aquí»" in reply(sentence="uso {company} y [a|b|c] aquí")


@given(st.text(max_size=200), st.text(max_size=300), st.sampled_from(TONES))
def test_any_name_and_sentence_give_a_draft(name: str, sentence: str, tone: str) -> None:
    text = reply(customer_name=name, sentence=sentence, company=CompanyProfile("Acme", tone=tone))
    assert text.startswith("Hola")
    assert text.encode("utf-8")
    assert len(text) < 1_500
