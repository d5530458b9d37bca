from __future__ import annotations

from typing import ClassVar

import pytest

from inquiries.ai.encoder import WordHashEncoder
from inquiries.ai.engine import SENTIMENTS, CategorySpec, LabelledText
from inquiries.ai.text import split_sentences
from inquiries.ai.trained import TrainedHeads
from inquiries.ai.training import MAX_LABELS, newest_labels, read, train, training_texts

ENCODER = WordHashEncoder()
CATEGORIES = (
    CategorySpec("Ventas", "Precios y compras.", ("¿Cuánto cuesta?", "Quiero comprar dos sillas"), ("precio",)),
    CategorySpec("Soporte", "Lo que no anda.", ("No anda la app", "Se cuelga al abrir"), ("no anda",)),
)


def fitted(*labels: LabelledText) -> TrainedHeads:
    return train(CATEGORIES, labels, [ENCODER], has_folds=False)


def category_of(heads: TrainedHeads, text: str) -> str:
    reading = read(split_sentences(text), [ENCODER], heads.topics, heads.moods)
    return heads.topics.names[heads.topics.judge(reading, heads.topics.shares(reading)).winner]


def negative(heads: TrainedHeads, text: str) -> float:
    return float(heads.moods.opinion([ENCODER.encode([text])])[0, SENTIMENTS.index("Negativo")])


@pytest.mark.parametrize(("categories", "encoders"), [((), [ENCODER]), (CATEGORIES, [])], ids=["nothing", "nobody"])
def test_nothing_to_train_is_refused(categories: tuple[CategorySpec, ...], encoders: list[WordHashEncoder]) -> None:
    with pytest.raises(ValueError, match="at least one category and one encoder"):
        train(categories, (), encoders)


def test_the_last_label_of_a_text_counts() -> None:
    labels = [LabelledText("a", "Uno"), LabelledText("b", "Uno"), LabelledText("a", "Dos")]
    assert newest_labels(labels) == [labels[1], labels[2]]


@pytest.mark.parametrize(
    "label", [LabelledText("a"), *(LabelledText("a", "Uno", weight=weight) for weight in (0.0, -1.0, float("nan")))]
)
def test_labels_that_say_nothing_are_left_out(label: LabelledText) -> None:
    assert newest_labels([label]) == []


def test_of_many_labels_the_newest_count() -> None:
    labels = [LabelledText(str(number), "Uno") for number in range(MAX_LABELS + 5)]
    assert newest_labels(labels) == labels[5:]


def test_a_label_teaches_its_category() -> None:
    label = LabelledText("Hola. El zorbo se apaga solo. Gracias.", "Ventas")
    assert category_of(fitted(), "el zorbo se apaga") == "Soporte"
    assert category_of(fitted(label), "el zorbo se apaga") == "Ventas"


def test_a_label_weighs_as_much_as_it_says() -> None:
    labels = [LabelledText("El zorbo es turquesa", "Ventas", weight=weight) for weight in (0.5, 8.0)]
    light, heavy = (fitted(label).topics for label in labels)
    view = ENCODER.encode(["zorbo turquesa"])
    sales = light.names.index("Ventas")
    assert heavy.heads[0].probabilities(view)[0, sales] > light.heads[0].probabilities(view)[0, sales]


def test_a_label_of_an_unknown_category_still_teaches_the_sentiment() -> None:
    heads = fitted(LabelledText("Qué zorbo tan gluco", "Ya no existe", "Negativo"))
    assert heads.report.labels == 1
    assert negative(heads, "zorbo gluco") > negative(fitted(), "zorbo gluco")


def test_a_label_without_readable_text_teaches_nothing() -> None:
    assert category_of(fitted(LabelledText("😀", "Ventas", "Negativo")), "No anda la app") == "Soporte"


def test_how_sure_to_be_is_measured_on_folds() -> None:
    heads = train(CATEGORIES, (), [ENCODER])
    assert heads.report.temperature == heads.topics.temperature > 0.0
    assert 0.0 < heads.report.ece < 1.0


def test_a_limit_takes_examples_of_every_part() -> None:
    many = CategorySpec("Muchos", examples=tuple(f"ejemplo {number}" for number in range(100)))
    texts = train((many,), (), [ENCODER], limit=4, has_folds=False).topics.taught.texts
    assert texts == ("Muchos", "ejemplo 0", "ejemplo 25", "ejemplo 50", "ejemplo 75")


def test_training_is_deterministic() -> None:
    first, second = (train(CATEGORIES, (LabelledText("zorbo", "Ventas"),), [ENCODER]) for _ in range(2))
    assert first.topics.heads[0].weights.tobytes() == second.topics.heads[0].weights.tobytes()
    assert (first.report.temperature, first.report.ece) == (second.report.temperature, second.report.ece)


def test_the_finer_encoder_is_spared_plain_courtesies() -> None:
    class Finer(WordHashEncoder):
        model = "finer"
        asked: ClassVar[list[str]] = []

        def encode(self, sentences):
            self.asked.extend(sentences)
            return super().encode(sentences)

    finer = Finer()
    heads = train(CATEGORIES, (), [ENCODER, finer], has_folds=False)
    finer.asked.clear()
    reading = read(["Muchas gracias", "No anda la app"], [ENCODER, finer], heads.topics, heads.moods)
    assert reading.sentences == finer.asked == ["No anda la app"]
    finer.asked.clear()
    assert read(["Muchas gracias"], [ENCODER, finer], heads.topics, heads.moods).sentences == ["Muchas gracias"]


def test_a_small_category_is_lifted_and_takes_rival_examples() -> None:
    big = tuple(f"¿Dónde queda la tienda número {number}?" for number in range(30))
    other = tuple(f"La app número {number} no anda" for number in range(30))
    categories = (
        CategorySpec("General", examples=(*big, "¿Dónde dejo mi currículum?")),
        CategorySpec("Soporte", examples=other),
        CategorySpec("Empleo", examples=("¿Dónde dejo mi currículum?", "Busco trabajo de cajera")),
    )
    heads = train(categories, (), [ENCODER])
    empleo = heads.topics.names.index("Empleo")
    taught = dict(zip(heads.topics.taught.texts, heads.topics.taught.owners.tolist(), strict=True))
    assert heads.topics.lift[empleo] > 0.0
    assert [heads.topics.lift[row] for row in range(3) if row != empleo] == [0.0, 0.0]
    assert taught["¿Dónde dejo mi currículum?"] == empleo
    assert list(heads.topics.taught.texts).count("¿Dónde dejo mi currículum?") == 1


def test_a_persons_label_is_no_rival() -> None:
    categories = (
        CategorySpec("General", examples=tuple(f"¿Dónde queda la tienda número {number}?" for number in range(30))),
        CategorySpec("Soporte", examples=tuple(f"La app número {number} no anda" for number in range(30))),
        CategorySpec("Empleo", examples=("¿Dónde dejo mi currículum?",)),
    )
    label = LabelledText("¿Dónde dejo mi currículum de proveedor?", "General")
    heads = train(categories, (label,), [ENCODER], has_folds=False)
    row = heads.topics.taught.texts.index("")
    assert heads.topics.names[int(heads.topics.taught.owners[row])] == "General"


def test_every_sentence_that_a_training_reads_is_named() -> None:
    class Listening(WordHashEncoder):
        def __init__(self) -> None:
            self.asked: set[str] = set()

        def encode(self, sentences):
            self.asked.update(sentences)
            return super().encode(sentences)

    labels = (LabelledText("Hola. No anda el zorbo.", "Soporte", "Negativo"),)
    listening = Listening()
    train(CATEGORIES, labels, [listening])
    assert listening.asked == set(training_texts(CATEGORIES, labels))
