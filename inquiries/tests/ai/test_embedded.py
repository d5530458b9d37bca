from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inquiries.ai import embedded as module
from inquiries.ai.embedded import EmbeddedEngine, LabelledText
from inquiries.ai.encoder import WordHashEncoder, shared_encoders
from inquiries.ai.engine import (
    SENTIMENTS,
    AIError,
    AnalysisRequest,
    AnalysisResult,
    CategorySpec,
    CompanyProfile,
    ErrorKind,
)
from inquiries.ai.heads import Vectors
from inquiries.ai.seeds import courtesy_sentences, default_categories, sentiment_sentences
from inquiries.ai.training import train

DEFAULTS = tuple(category.spec for category in default_categories())
CANCEL = CategorySpec(
    name="Cancelaciones y bajas",
    description="Clientes que quieren terminar el contrato o dar de baja el servicio.",
    examples=(
        "Quiero dar de baja el servicio a partir del mes que viene",
        "¿Cómo cancelo mi suscripción?",
        "Deseo terminar el contrato de mi línea",
        "necesito anular mi membresía del gimnasio",
        "Ya no quiero seguir con ustedes, por favor cierren mi cuenta",
    ),
    keywords=("dar de baja", "cancelar", "cancelacion"),
)

FRESH = [
    ("El scanner quedó tildado y no lee ninguna hoja", "Soporte Técnico"),
    ("Puse mi usuario y me rebota siempre en la pantalla de inicio", "Soporte Técnico"),
    ("¿De qué manera vinculo un segundo celular con la app?", "Soporte Técnico"),
    ("el programa se congela cuando abro el calendario", "Soporte Técnico"),
    ("After the update I cannot open the application anymore", "Soporte Técnico"),
    ("¿Qué precio tiene la heladera de dos puertas?", "Ventas"),
    ("Pásenme un presupuesto para pintar dos oficinas", "Ventas"),
    ("Estamos interesados en contratar el plan para quince empleados", "Ventas"),
    ("¿les queda alguna promo para el día de la madre?", "Ventas"),
    ("Queremos comprar ochenta remeras estampadas, ¿hay rebaja por cantidad?", "Ventas"),
    ("Mándenme por favor la factura de enero en PDF", "Facturación"),
    ("Se cobró dos veces la cuota en mi tarjeta", "Facturación"),
    ("El recibo trae mal mi razón social", "Facturación"),
    ("aboné ayer por transferencia y todavía figura la deuda", "Facturación"),
    ("¿Hasta cuándo tengo plazo para pagar el recibo sin recargo?", "Facturación"),
    ("El ropero llegó con el espejo quebrado, quiero que lo cambien", "Reclamo"),
    ("Va un mes y el paquete que compré sigue sin aparecer, esto es una burla", "Reclamo"),
    ("El chofer le faltó el respeto a mi esposa, quiero presentar una queja", "Reclamo"),
    ("Me entregaron un vestido de otra talla y no me lo quieren cambiar", "Reclamo"),
    ("Ninguém me responde e o produto veio quebrado", "Reclamo"),
    ("¿Qué días atienden al público en la oficina de Tacna?", "Consulta General"),
    ("¿Adónde puedo mandar mi currículum?", "Consulta General"),
    ("¿Tienen playa de estacionamiento para las visitas?", "Consulta General"),
    ("a que hr cierran los viernes", "Consulta General"),
    ("¿Cuál es el teléfono de la sucursal de Trujillo?", "Consulta General"),
]

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

WRAPS = [
    "Hola buenas tardes! {} Gracias!!",
    "hola {} muchas gracias saludos",
    "Estimados, mi nombre es Julia Ponce, DNI 30222111.\n\n{}\n\nMuchas gracias por su tiempo.\n\nJulia Ponce\n"
    "Jefa de Compras\nTel. 11 4555 2222",
    "Muy buenos días, espero que se encuentren muy bien.\n{}\nQuedo a la espera de su respuesta y desde ya les "
    "agradezco muchísimo la atención. Un saludo cordial.\n\nEl lun, 3 mar 2025 a las 9:12, Ventas <v@x.com> "
    "escribió:\n> ¿Quiere comprar nuestros planes en promoción?",
]


@pytest.fixture(scope="module")
def engine() -> EmbeddedEngine:
    """The process's own encoders, with rough heads trained on the spot."""
    ready = EmbeddedEngine()
    ready.warm_up(DEFAULTS)
    return ready


@pytest.fixture(scope="module")
def hashing() -> EmbeddedEngine:
    """No model to load: for tests in which quality plays no part."""
    return EmbeddedEngine(WordHashEncoder())


def ask(engine: EmbeddedEngine, text: str, categories: Sequence[CategorySpec] = DEFAULTS) -> AnalysisResult:
    return engine.analyse(AnalysisRequest(text, "Juan Pérez", tuple(categories), CompanyProfile("Acme")))


def hits(engine: EmbeddedEngine, frame: str) -> int:
    return sum(ask(engine, frame.format(text)).category == category for text, category in FRESH)


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


def count_trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    trained: list[int] = []

    def spy(*args: object, **kwargs: object) -> object:
        trained.append(1)
        return train(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "train", spy)
    return trained


def test_training_happens_once_per_state_of_the_categories(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = count_trainings(monkeypatch)
    engine = EmbeddedEngine(WordHashEncoder())
    for _ in range(3):
        ask(engine, "No anda la app")
    assert len(trained) == 1
    ask(engine, "No anda la app", (*DEFAULTS, CANCEL))
    ask(engine, "No anda la app", tuple(replace(category) for category in reversed(DEFAULTS)))
    assert len(trained) == 2


def test_loaded_heads_answer_without_another_training(hashing: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = hashing.train(DEFAULTS)
    trained = count_trainings(monkeypatch)
    engine = EmbeddedEngine(WordHashEncoder())
    engine.load(heads)
    result = ask(engine, "Me cobraron dos veces la factura", tuple(reversed(DEFAULTS)))
    assert result.category == "Facturación"
    assert result.prompt_version == f"embedded-4/{heads.fingerprint[:8]}"
    assert engine.embed("Me cobraron dos veces la factura").shape == (512,)
    assert trained == []


def test_heads_of_other_categories_are_not_used(hashing: EmbeddedEngine) -> None:
    engine = EmbeddedEngine(WordHashEncoder())
    engine.load(hashing.train((CANCEL, CategorySpec("Otros"))))
    assert ask(engine, "Me cobraron dos veces la factura").category == "Facturación"


def test_heads_of_another_encoder_are_not_used(hashing: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(WordHashEncoder):
        model = "other"

    heads = hashing.train(DEFAULTS)
    trained = count_trainings(monkeypatch)
    engine = EmbeddedEngine(Other())
    engine.load(heads)
    assert ask(engine, "Me cobraron dos veces la factura").model == "other"
    assert trained == [1]


def test_heads_of_two_encoders_serve_where_the_finer_one_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finer(WordHashEncoder):
        model = "finer"

    monkeypatch.setattr(module, "shared_encoders", lambda: (WordHashEncoder(), Finer()))
    both = EmbeddedEngine()
    heads = both.train(DEFAULTS)
    assert both.model == heads.report.encoder == "palabras-clave+finer"
    alone = EmbeddedEngine(WordHashEncoder())
    alone.load(heads)
    result = ask(alone, "Me cobraron dos veces la factura")
    assert (result.category, result.model) == ("Facturación", "palabras-clave")
    assert result.prompt_version.endswith(heads.fingerprint[:8])


def test_the_finer_encoder_does_not_hold_up_the_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Slow(WordHashEncoder):
        model = "slow"

        def encode(self, sentences: Sequence[str]) -> Vectors:
            read.append(len(sentences))
            return super().encode(sentences)

    monkeypatch.setattr(module, "shared_encoders", lambda: (WordHashEncoder(), Slow()))
    engine = EmbeddedEngine()
    assert ask(engine, "Me cobraron dos veces la factura").model == "palabras-clave"
    assert read == []
    engine.load(engine.train(DEFAULTS))
    assert ask(engine, "Me cobraron dos veces la factura").model == "palabras-clave+slow"
    # What a small edit adds is read at once, because the rest is remembered.
    assert ask(engine, "Quiero cerrar mi cuenta", (*DEFAULTS, CANCEL)).model == "palabras-clave+slow"


def test_scope_is_told_without_reading_the_whole(engine: EmbeddedEngine) -> None:
    assert engine.is_out_of_scope("asdkjh aksjdh", DEFAULTS)
    assert engine.is_out_of_scope("", DEFAULTS)
    assert not engine.is_out_of_scope("Me cobraron dos veces la factura de marzo", DEFAULTS)


def test_an_engine_knows_what_it_was_taught() -> None:
    engine = EmbeddedEngine(WordHashEncoder())
    assert not engine.is_taught(DEFAULTS)
    ask(engine, "hola")
    assert not engine.is_taught(DEFAULTS)
    engine.load(engine.train(DEFAULTS))
    assert engine.is_taught(DEFAULTS)
    assert not engine.is_taught((*DEFAULTS, CANCEL))


def test_what_a_training_read_is_remembered_for_the_next_start(tmp_path: Path) -> None:
    class Counting(WordHashEncoder):
        asked: ClassVar[list[str]] = []

        def encode(self, sentences: Sequence[str]) -> Vectors:
            self.asked.extend(sentences)
            return super().encode(sentences)

    first = EmbeddedEngine(Counting(), tmp_path).train(DEFAULTS)
    Counting.asked.clear()
    again = EmbeddedEngine(Counting(), tmp_path).train(DEFAULTS)
    assert Counting.asked == []
    assert np.array_equal(first.topics.heads[0].weights, again.topics.heads[0].weights)


def test_corrections_move_the_next_answer(hashing: EmbeddedEngine) -> None:
    text = "Consulta por el zorbo azul"
    assert ask(hashing, text).category != "Ventas"
    labels = [
        LabelledText("Hola, quiero el zorbo azul de Pedro Ruiz", "Ventas", "Neutral"),
        LabelledText("Consulta por el zorbo rojo", "Ventas", "Neutral"),
    ]
    engine = EmbeddedEngine(WordHashEncoder())
    engine.load(engine.train(DEFAULTS, labels))
    result = ask(engine, text)
    assert result.category == "Ventas"
    # One customer's words are not shown with another's inquiry.
    assert "Pedro" not in result.reply + result.reason + result.raw


def test_a_message_becomes_one_unit_vector() -> None:
    engine = EmbeddedEngine()
    small = EmbeddedEngine(shared_encoders()[0])
    # Any heads tell courtesies apart; these need no second encoder.
    engine.load(small.train((CategorySpec("Ventas"),)))
    texts = ["No puedo entrar a mi cuenta", "¿A qué hora abren el domingo?", "", "😀 \ud800"]
    plain, other, *rest = (engine.embed(text) for text in texts)
    wrapped = engine.embed(WRAPS[2].format(texts[0]))
    for vector in (plain, other, wrapped, *rest):
        assert vector.shape == (512,)
        assert vector.dtype == np.float32
        assert np.isclose(np.linalg.norm(vector), 1.0, atol=1e-4)
    assert plain @ wrapped > 0.6
    assert plain @ other < 0.4


def test_concurrent_inquiries_get_the_same_answers() -> None:
    engine = EmbeddedEngine()
    texts = [text for text, _ in FRESH] * 2
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: ask(engine, text), texts))
    assert [result.category for result in found] == [ask(engine, text).category for text in texts]


class Broken(WordHashEncoder):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def encode(self, sentences: Sequence[str]) -> Vectors:
        raise self._error


@pytest.mark.parametrize(
    ("error", "permanent"),
    [(ValueError("Juan, DNI 30222111"), True), (MemoryError(), False), (RuntimeError("x"), True)],
)
def test_only_the_engines_own_error_escapes(error: Exception, permanent: bool) -> None:
    with pytest.raises(AIError) as caught:
        ask(EmbeddedEngine(Broken(error)), "Hola")
    assert (caught.value.kind, caught.value.permanent) == (ErrorKind.INTERNAL, permanent)
    assert "DNI" not in str(caught.value)


def test_keywords_still_work_without_the_sentence_encoder() -> None:
    engine = EmbeddedEngine(WordHashEncoder())
    result = ask(engine, "Me cobraron dos veces la factura")
    assert (result.category, result.model) == ("Facturación", "palabras-clave")
    assert hits(engine, "{}") >= 16
