from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from inquiries.ai.encoder import WordHashEncoder
from inquiries.ai.heads import Vectors
from inquiries.ai.memory import Lru, RememberingEncoder

TEXTS = ["uno", "dos", "tres"]


class Counting(WordHashEncoder):
    """A fake encoder that remembers what it was asked."""

    model = "fake"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, sentences: Sequence[str]) -> Vectors:
        self.asked.extend(sentences)
        return super().encode(sentences)


def file_in(folder: Path) -> Path:
    return folder / "vectors-fake.npz"


def kept(folder: Path, texts: Sequence[str] = TEXTS) -> Vectors:
    """Encode the texts, keep them, and return their vectors."""
    memory = RememberingEncoder(Counting(), folder)
    vectors = memory.encode(texts)
    memory.keep_only(texts)
    return vectors


def test_only_new_sentences_are_encoded() -> None:
    inner = Counting()
    memory = RememberingEncoder(inner)
    first = memory.encode(["uno", "dos", "uno"])
    second = memory.encode(["dos", "tres", "uno"])
    assert inner.asked == ["uno", "dos", "tres"]
    assert np.array_equal(second[[2, 0]], first[[0, 1]])
    assert np.array_equal(first[0], first[2])


def test_the_oldest_is_forgotten() -> None:
    inner = Counting()
    memory = RememberingEncoder(inner, size=2)
    for sentence in ("uno", "dos", "uno", "tres", "uno", "dos"):
        memory.encode([sentence])
    assert inner.asked == ["uno", "dos", "tres", "dos"]


def test_nothing_has_the_right_width() -> None:
    assert RememberingEncoder(WordHashEncoder()).encode([]).shape == (0, 512)


def test_a_memory_smaller_than_one_request_still_answers() -> None:
    assert RememberingEncoder(WordHashEncoder(), size=1).encode(TEXTS).shape == (3, 512)


def test_unknown_sentences_are_counted_once() -> None:
    memory = RememberingEncoder(Counting())
    memory.encode(["uno"])
    assert memory.count_unknown(["uno", "dos", "dos", "tres"]) == 2


def test_vectors_outlive_the_process(tmp_path: Path) -> None:
    vectors = kept(tmp_path)
    inner = Counting()
    assert np.array_equal(RememberingEncoder(inner, tmp_path).encode(TEXTS), vectors)
    assert inner.asked == []


def test_the_file_is_read_only_when_somebody_trains(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file_in(tmp_path).write_bytes(b"nonsense")
    with caplog.at_level(logging.WARNING, logger="inquiries.ai.memory"):
        memory = RememberingEncoder(Counting(), tmp_path)
        assert caplog.text == ""
        memory.encode(TEXTS)
        memory.encode(TEXTS)
    assert caplog.text.count("not readable") == 1


def test_a_new_sentence_has_the_vector_that_it_will_have_when_remembered(tmp_path: Path) -> None:
    vectors = RememberingEncoder(Counting()).encode(TEXTS)
    assert np.array_equal(vectors, kept(tmp_path))
    assert np.allclose(vectors, WordHashEncoder().encode(TEXTS), atol=1e-3)


def test_the_file_holds_no_text(tmp_path: Path) -> None:
    kept(tmp_path, ["Juan Pérez vive en Lima"])
    assert b"Lima" not in file_in(tmp_path).read_bytes()


def test_what_is_not_kept_is_forgotten_in_memory_and_on_disk(tmp_path: Path) -> None:
    memory = RememberingEncoder(Counting(), tmp_path)
    memory.encode(TEXTS)
    memory.keep_only(["dos"])
    assert memory.count_unknown(TEXTS) == 2
    assert RememberingEncoder(Counting(), tmp_path).count_unknown(TEXTS) == 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 nonsense", None], ids=["empty", "nonsense", "cut"])
def test_a_damaged_file_is_made_anew(damage: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    vectors = kept(tmp_path)
    whole = file_in(tmp_path).read_bytes()
    file_in(tmp_path).write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with caplog.at_level(logging.WARNING, logger="inquiries.ai.memory"):
        assert np.array_equal(RememberingEncoder(Counting(), tmp_path).encode(TEXTS), vectors)
    assert "not readable" in caplog.text
    kept(tmp_path)
    assert RememberingEncoder(Counting(), tmp_path).count_unknown(TEXTS) == 0


@pytest.mark.parametrize(
    "arrays",
    [
        {"digests": np.zeros((2, 16), dtype=np.uint8), "vectors": np.zeros((2, 7), dtype=np.float16)},
        {"digests": np.zeros((1, 16), dtype=np.uint8), "vectors": np.zeros((2, 512), dtype=np.float16)},
        {"digests": np.zeros((1, 16), dtype=np.uint8), "vectors": np.full((1, 512), np.nan, dtype=np.float16)},
        {"digests": np.zeros((1, 16)), "vectors": np.zeros((1, 512), dtype=np.float16)},
        {"digests": np.zeros((1, 16), dtype=np.uint8), "vectors": np.zeros(512, dtype=np.float16)},
    ],
    ids=["width", "count", "nan", "type", "flat"],
)
def test_a_file_of_something_else_is_left_aside(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(file_in(tmp_path), **arrays)  # type: ignore[arg-type]
    inner = Counting()
    assert RememberingEncoder(inner, tmp_path).encode(TEXTS).shape == (3, 512)
    assert inner.asked == TEXTS


def test_a_pickled_object_in_the_file_is_never_loaded(tmp_path: Path) -> None:
    np.savez(file_in(tmp_path), digests=np.asarray([{"a": 1}], dtype=object), vectors=np.zeros((1, 512)))
    assert RememberingEncoder(Counting(), tmp_path).count_unknown(TEXTS) == 3


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with caplog.at_level(logging.WARNING, logger="inquiries.ai.memory"):
        assert kept(blocked).shape == (3, 512)
    assert "not kept" in caplog.text


def test_no_half_written_file_stays(tmp_path: Path) -> None:
    kept(tmp_path)
    kept(tmp_path, ["cuatro"])
    assert [path.name for path in tmp_path.iterdir()] == ["vectors-fake.npz"]


def test_lru_is_bounded() -> None:
    memory: Lru[int, int] = Lru(3)
    for number in range(10):
        memory.put(number, number)
    assert len(memory) == 3
    assert [memory.get(number) for number in range(6, 10)] == [None, 7, 8, 9]
    memory.clear()
    assert memory.get(9) is None
