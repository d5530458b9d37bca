from __future__ import annotations

import pytest

from inquiries.ai.engine import SENTIMENTS
from inquiries.ai.seeds import (
    DefaultCategory,
    courtesy_sentences,
    default_categories,
    load,
    out_of_scope_sentences,
    sentiment_sentences,
)
from inquiries.ai.text import fold

PALETTE = {"azul", "verde", "ambar", "rojo", "violeta", "turquesa", "naranja", "rosa", "indigo", "gris"}
NAMES = ["Soporte Técnico", "Ventas", "Facturación", "Reclamo", "Consulta General"]


def test_default_categories_are_the_five_in_order() -> None:
    assert [category.spec.name for category in default_categories()] == NAMES


def test_colours_are_of_the_palette_and_differ() -> None:
    colours = [category.colour for category in default_categories()]
    assert set(colours) <= PALETTE
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("category", default_categories(), ids=lambda category: category.spec.name)
def test_each_category_is_well_taught(category: DefaultCategory) -> None:
    spec = category.spec
    assert len({fold(example) for example in spec.examples}) == len(spec.examples) >= 60
    assert len({fold(keyword) for keyword in spec.keywords}) == len(spec.keywords) >= 20
    assert spec.description.endswith(".")


def test_no_example_teaches_two_categories() -> None:
    examples = [fold(example) for category in default_categories() for example in category.spec.examples]
    assert len(set(examples)) == len(examples)


def test_sentences_of_sentiment_courtesy_and_out_of_scope_are_enough() -> None:
    assert set(sentiment_sentences()) == set(SENTIMENTS)
    assert min(map(len, sentiment_sentences().values())) >= 250
    assert len(courtesy_sentences()) >= 80
    assert len(out_of_scope_sentences()) >= 80


def test_no_sentence_of_sentiment_courtesy_or_out_of_scope_stands_twice() -> None:
    groups = [*sentiment_sentences().values(), courtesy_sentences(), out_of_scope_sentences()]
    sentences = [fold(sentence) for group in groups for sentence in group]
    assert len(set(sentences)) == len(sentences)


def test_every_default_category_has_replies_in_every_language() -> None:
    for texts in load("replies").values():
        assert set(texts["categories"]) == {*NAMES, "*"}
