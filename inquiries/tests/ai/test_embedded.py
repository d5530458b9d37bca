from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inquiries.ai.embedded import EmbeddedEngine
from inquiries.ai.engine import (
    SENTIMENTS,
    AIError,
    AnalysisRequest,
    AnalysisResult,
    CategorySpec,
    ErrorKind,
)
from inquiries.ai.seeds import courtesy_sentences, sentiment_sentences
from inquiries.tests.ai.embedded_helpers import CANCEL, DEFAULTS, FRESH, WRAPS, ask, hits

FEELINGS = [
    ("Felicitaciones, la entrega fue rapidísima y el sillón es hermoso", "Positivo"),
    ("Muchísimas gracias, el problema quedó resuelto y Diego fue muy amable", "Positivo"),
    ("Me fascinó el servicio, ¿tienen otra sede en Lima?", "Positivo"),
    ("Muchas gracias", "Positivo"),
    ("¿Qué requisitos hay para pagar con débito automático?", "Neutral"),
    ("Quisiera la factura a nombre de mi empresa", "Neutral"),
    ("¿Cuál es el precio del modelo mediano?", "Neutral"),
    ("Buenas tardes", "Neutral"),
    ("Me descontaron plata de más y nadie se hace cargo", "Negativo"),
    ("Es una vergüenza cómo me atendieron en la sucursal", "Negativo"),
    ("Sigo sin internet y ya perdí dos días de trabajo", "Negativo"),
    ("O atendimento foi horrível, não volto mais", "Negativo"),
]


def assert_valid(result: AnalysisResult, categories: Sequence[CategorySpec] = DEFAULTS) -> None:
    assert result.category in [category.name for category in categories]
    assert result.sentiment in SENTIMENTS
    assert result.language in {"es", "pt", "en"}
    assert 0.0 <= result.confidence <= 1.0
    assert result.reply.encode("utf-8")
    assert result.reason.endswith(".")
    assert set(json.loads(result.raw)) == {"categories", "sentiments", "trust", "fingerprint"}


def test_the_test_sentences_were_not_taught() -> None:
    taught = {example for category in DEFAULTS for example in category.examples}
    taught.update(courtesy_sentences(), *sentiment_sentences().values())
    assert not taught & {text for text, _ in FRESH}
    assert taught & {text for text, _ in FEELINGS} == {"Muchas gracias", "Buenas tardes"}


def test_a_whole_answer(engine: EmbeddedEngine) -> None:
    result = ask(engine, "Hola, no puedo entrar a mi cuenta desde ayer y me sale un error. ¡Gracias!")
    assert (result.category, result.language) == ("Soporte Técnico", "es")
    assert (result.engine, result.model) == ("embedded", "use-m3")
    assert re.fullmatch(r"embedded-4/[0-9a-f]{8}", result.prompt_version)
    assert result.reason == "Menciona «no puedo entrar» y «sale un error»."
    assert result.reply.startswith("Hola Juan,")
    assert "«no puedo entrar a mi cuenta desde ayer y me sale un error»" in result.reply
    assert result.confidence > 0.8
    assert not result.abstains
    assert_valid(result)


def test_fresh_inquiries_find_their_category(engine: EmbeddedEngine) -> None:
    assert hits(engine, "{}") >= 23


@pytest.mark.parametrize("frame", WRAPS)
def test_courtesy_around_the_matter_changes_little(engine: EmbeddedEngine, frame: str) -> None:
    assert hits(engine, frame) >= 22


def test_sentiments(engine: EmbeddedEngine) -> None:
    right = sum(ask(engine, text).sentiment == sentiment for text, sentiment in FEELINGS)
    assert right >= 11


@pytest.mark.parametrize("frame", WRAPS)
def test_courtesy_does_not_hide_anger(engine: EmbeddedEngine, frame: str) -> None:
    angry = [text for text, sentiment in FEELINGS if sentiment == "Negativo"]
    assert Counter(ask(engine, frame.format(text)).sentiment for text in angry)["Negativo"] >= 3


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("O produto veio quebrado e ninguém responde", "pt"),
        ("My order arrived broken and nobody answers", "en"),
        ("El pedido llegó roto y nadie responde", "es"),
    ],
)
def test_the_reply_speaks_the_customers_language(engine: EmbeddedEngine, text: str, language: str) -> None:
    result = ask(engine, text)
    assert (result.category, result.language) == ("Reclamo", language)
    assert result.reply.startswith({"pt": "Olá", "en": "Hello", "es": "Hola"}[language])


def test_what_nobody_taught_goes_to_the_general_category_with_little_confidence(engine: EmbeddedEngine) -> None:
    for text in ("jajajaja qué risa", "asdkjh aksjdh", "1234", "¿Quién ganó el mundial del 86?"):
        result = ask(engine, text)
        assert (result.category, result.sentiment, result.abstains) == ("Consulta General", "Neutral", True)
        assert result.confidence < 0.45
        assert result.reason.endswith((" conviene revisarla.", "agradecimientos."))


@pytest.mark.parametrize("text", ["Hola, buenas tardes", "Muchas gracias", "", "😀", "Saludos cordiales, Julia Ponce"])
def test_a_message_without_a_matter_is_left_to_a_person(engine: EmbeddedEngine, text: str) -> None:
    assert ask(engine, text).abstains


def test_inquiries_are_seldom_left_to_a_person(engine: EmbeddedEngine) -> None:
    assert sum(ask(engine, text).abstains for text, _ in FRESH) <= 1


def test_the_nearest_example_is_the_reason_without_keywords(engine: EmbeddedEngine) -> None:
    silent = tuple(replace(category, keywords=()) for category in DEFAULTS)
    reason = ask(engine, "el programa se congela cuando abro el calendario", silent).reason
    assert reason.startswith("Se parece al ejemplo «")


def test_a_new_category_works_from_the_next_inquiry_on(engine: EmbeddedEngine) -> None:
    texts = [
        "Buenas, quisiera dejar de pagar la suscripción y cerrar mi cuenta",
        "Hola, quiero terminar con el contrato este mes",
        "por favor denme de baja, me mudo al exterior",
        "Necesito anular el servicio de cable",
    ]
    found = [ask(engine, text, (*DEFAULTS, CANCEL)).category for text in texts]
    assert found.count(CANCEL.name) >= 3
    assert CANCEL.name not in [ask(engine, text).category for text in texts]
    others = [ask(engine, text, (*DEFAULTS, CANCEL)).category for text, _ in FRESH]
    assert others.count(CANCEL.name) <= 1


def test_a_keyword_moves_an_inquiry(engine: EmbeddedEngine) -> None:
    text = "Consulta por el zorbo que tienen"
    assert ask(engine, text).category != "Ventas"
    taught = tuple(
        replace(category, keywords=("zorb",)) if category.name == "Ventas" else category for category in DEFAULTS
    )
    result = ask(engine, text, taught)
    assert (result.category, result.reason) == ("Ventas", "Menciona «zorbo».")


def test_a_pasted_mail_teaches_its_matter_and_not_its_manners(engine: EmbeddedEngine) -> None:
    mail = "Estimados, buenos días.\nSoy Pedro, cliente hace años.\n{}\nMuchas gracias.\nSaludos cordiales."
    pasted = replace(CANCEL, examples=tuple(mail.format(example) for example in CANCEL.examples))
    categories = (*DEFAULTS, pasted)
    assert ask(engine, "Quiero cerrar mi cuenta y terminar el contrato", categories).category == CANCEL.name
    polite = ask(engine, mail.format("¿Qué precio tiene la heladera de dos puertas?"), categories)
    assert polite.category == "Ventas"


@pytest.mark.parametrize(
    "categories",
    [
        (CategorySpec("Única"),),
        (CategorySpec("Uno"), CategorySpec("Dos")),
        (CategorySpec("Con", examples=("Quiero una pizza",)), CategorySpec("Sin")),
        (CategorySpec("Vacías", examples=("", " ", "😀", "\x00"), keywords=("", " ", "¿?")), CategorySpec("😀")),
        (CategorySpec(""), CategorySpec("")),
        (CategorySpec("Igual", "Lo mismo"), CategorySpec("Igual", "Lo mismo")),
        tuple(CategorySpec(f"Tema {number}") for number in range(60)),
        (CategorySpec("Larga", "d" * 50_000, ("e " * 20_000,), ("k" * 5_000,)),),
    ],
    ids=["one", "names", "mixed", "void", "nameless", "twins", "many", "huge"],
)
def test_any_categories_give_an_answer(engine: EmbeddedEngine, categories: tuple[CategorySpec, ...]) -> None:
    for text in ("Quiero una pizza grande", "", "😀"):
        assert_valid(ask(engine, text, categories), categories)


def test_without_categories_there_is_no_answer(engine: EmbeddedEngine) -> None:
    with pytest.raises(AIError) as caught:
        ask(engine, "Hola", ())
    assert (caught.value.kind, caught.value.permanent) == (ErrorKind.NO_CATEGORIES, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t ",
        "😀😀😀",
        "\x00\x00",
        "\ud800\udfff",
        "我的订单还没有到，我很生气。请退款！",
        "طلبي لم يصل بعد، أريد استرداد أموالي",
        "<script>alert(1)</script><b>hola</b>",
        "{name} {echo} [a|b|c] %s %(x)s",
        "a" * 10_000,
        "No anda. " * 2_000,
        "\n".join("> citado" for _ in range(500)),
        "́" * 500,
        "El " * 5_000,
        "hola " * 2_000,
        "¿" * 3_000,
        "a@" * 3_000,
    ],
)
def test_any_text_gets_an_answer(engine: EmbeddedEngine, text: str) -> None:
    assert_valid(ask(engine, text))


def test_nothing_to_read_is_said(engine: EmbeddedEngine) -> None:
    result = ask(engine, "😀")
    assert (result.category, result.sentiment, result.confidence) == ("Consulta General", "Neutral", 0.0)
    assert result.reason == "El mensaje no trae texto que se pueda leer."


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=400), name=st.text(max_size=40))
def test_any_text_yields_a_valid_result(engine: EmbeddedEngine, text: str, name: str) -> None:
    assert_valid(engine.analyse(AnalysisRequest(text, name, DEFAULTS)))
