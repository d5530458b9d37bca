"""Which heads answer: rough ones, loaded ones, those of another encoder; from many threads, after any error."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from inquiries.ai import embedded as module
from inquiries.ai.embedded import EmbeddedEngine, LabelledText
from inquiries.ai.encoder import WordHashEncoder, shared_encoders
from inquiries.ai.engine import (
    AIError,
    CategorySpec,
    ErrorKind,
)
from inquiries.ai.heads import Vectors
from inquiries.ai.training import train
from inquiries.tests.ai.embedded_helpers import CANCEL, DEFAULTS, FRESH, WRAPS, ask, hits


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
