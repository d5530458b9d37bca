from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from inquiries.ai.engine import SENTIMENTS
from inquiries.ai.seeds import courtesy_sentences, default_categories, sentiment_sentences
from inquiries.ai.text import fold, split_sentences

DEV_SET = Path(__file__).parents[2] / "bench" / "dev_set.jsonl"
KINDS = {"clean", "wrapped", "sms", "long", "pt", "en"}


@pytest.fixture(scope="module")
def lines():
    return [json.loads(line) for line in DEV_SET.read_text(encoding="utf-8").splitlines()]


def category_seeds():
    return {fold(sentence) for category in default_categories() for sentence in category.spec.examples}


def test_each_line_has_exactly_the_four_fields(lines):
    assert {frozenset(line) for line in lines} == {frozenset({"text", "category", "sentiment", "kind"})}


def test_each_text_is_stripped_and_not_empty(lines):
    assert [line["text"] for line in lines if not line["text"] or line["text"] != line["text"].strip()] == []


def test_labels_are_the_ones_that_the_product_knows(lines):
    assert {line["category"] for line in lines} == {category.spec.name for category in default_categories()}
    assert {line["sentiment"] for line in lines} == set(SENTIMENTS)
    assert {line["kind"] for line in lines} == KINDS


def test_no_text_stands_twice(lines):
    repeated = [text for text, times in Counter(fold(line["text"]) for line in lines).items() if times > 1]
    assert repeated == []


def test_every_category_has_enough_lines_for_a_figure(lines):
    counts = Counter(line["category"] for line in lines)
    assert {name: count for name, count in counts.items() if count < 40} == {}


def test_every_protest_is_negative(lines):
    assert {line["sentiment"] for line in lines if line["category"] == "Reclamo"} == {"Negativo"}


# A text that the engine was trained on would measure its memory instead of its understanding.
def test_no_text_is_a_seed_sentence(lines):
    seeds = category_seeds() | {fold(sentence) for sentence in courtesy_sentences()}
    for sentences in sentiment_sentences().values():
        seeds |= {fold(sentence) for sentence in sentences}
    assert [line["text"] for line in lines if fold(line["text"]) in seeds] == []


def test_no_sentence_of_a_text_is_an_example_of_a_category(lines):
    seeds = category_seeds()
    told = [sentence for line in lines for sentence in split_sentences(line["text"]) if fold(sentence) in seeds]
    assert told == []
