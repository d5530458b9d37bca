from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from inquiries.ai.embedded import EmbeddedEngine
from inquiries.ai.encoder import WordHashEncoder
from inquiries.ai.engine import CategorySpec, LabelledText
from inquiries.ai.trained import TrainedHeads, category_fingerprint, training_fingerprint

CATEGORIES = (
    CategorySpec("Ventas", "Precios y compras.", ("¿Cuánto cuesta?", "Quiero comprar dos"), ("precio",)),
    CategorySpec("Soporte", "Lo que no anda.", ("No anda la app", "Se cuelga al abrir"), ("no anda",)),
)
LABELS = (LabelledText("Pasame el costo del zorbo", "Ventas", "Neutral"),)


@pytest.fixture(scope="module")
def heads() -> TrainedHeads:
    return EmbeddedEngine(WordHashEncoder()).train(CATEGORIES, LABELS)


def rewritten(data: bytes, **changes: object) -> bytes:
    """Return the archive with arrays replaced, or dropped where None is given."""
    with np.load(io.BytesIO(data)) as file:
        arrays = {name: file[name] for name in file.files} | changes
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def about(data: bytes, **changes: object) -> np.ndarray:
    with np.load(io.BytesIO(data)) as file:
        told = json.loads(file["about"].tobytes()) | changes
    return np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)


def test_bytes_give_the_same_heads_back(heads: TrainedHeads) -> None:
    again = TrainedHeads.from_bytes(heads.to_bytes())
    assert (again.fingerprint, again.categories, again.report) == (heads.fingerprint, heads.categories, heads.report)
    assert again.topics.names == ("Soporte", "Ventas")
    assert again.topics.keywords == heads.topics.keywords
    assert again.topics.taught.texts == heads.topics.taught.texts
    assert np.array_equal(again.topics.heads[0].weights, heads.topics.heads[0].weights)


def test_distances_survive_the_packing(heads: TrainedHeads) -> None:
    again = TrainedHeads.from_bytes(heads.to_bytes())
    asked = WordHashEncoder().encode(["No anda la app", "¿Cuánto cuesta la silla?", "Hola, muchas gracias"])
    for packed, whole in (
        (again.topics.taught.vectors, heads.topics.taught.vectors),
        (again.moods.polite, heads.moods.polite),
        (again.moods.glad, heads.moods.glad),
    ):
        assert np.allclose(np.linalg.norm(packed, axis=1), 1.0, atol=1e-5)
        assert np.allclose(asked @ packed.T, asked @ whole.T, atol=0.01)


def test_the_bytes_are_small_and_hold_no_customers_text(heads: TrainedHeads) -> None:
    data = heads.to_bytes()
    assert len(data) < 1_000_000
    assert b"zorbo" not in rewritten(data)
    assert "" in heads.topics.taught.texts


def test_the_report_tells_what_was_learned(heads: TrainedHeads) -> None:
    assert (heads.report.examples, heads.report.labels) == (8, 1)
    assert heads.report.encoder == "palabras-clave"
    assert heads.report.temperature > 0.0
    assert 0.0 <= heads.report.ece <= 1.0


@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04nonsense", b"\x80\x04N."])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a set of trained heads"):
        TrainedHeads.from_bytes(data)


def test_cut_bytes_are_refused(heads: TrainedHeads) -> None:
    data = heads.to_bytes()
    for place in range(100, len(data), len(data) // 7):
        with pytest.raises(ValueError, match="not a set of trained heads"):
            TrainedHeads.from_bytes(data[:place])


def test_flipped_bytes_are_refused_or_change_nothing(heads: TrainedHeads) -> None:
    """Every array in the archive has a checksum; what is outside them does not matter to the answer."""
    data = heads.to_bytes()
    for place in range(100, len(data), len(data) // 7):
        flipped = data[:place] + bytes(255 - byte for byte in data[place : place + 4]) + data[place + 4 :]
        try:
            again = TrainedHeads.from_bytes(flipped)
        except ValueError:
            continue
        assert np.array_equal(again.topics.heads[0].weights, heads.topics.heads[0].weights)
        assert again.fingerprint == heads.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"polite": None},
        {"about": None},
        {"taught0": np.zeros((3, 7), dtype=np.float16)},
        {"owners": np.full(9, 5, dtype=np.int32)},
        {"glad": np.zeros((0, 512), dtype=np.float16)},
        {"topic0-bias": np.zeros(9, dtype=np.float32)},
        {"topic0-scale": np.zeros(512, dtype=np.float32)},
        {"mood0-weights": np.full((512, 4), np.nan, dtype=np.float32)},
        {"about": np.frombuffer(b"[1]", dtype=np.uint8)},
        {"about": np.frombuffer(b"{", dtype=np.uint8)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_parts_that_do_not_fit_are_refused(heads: TrainedHeads, changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a set of trained heads"):
        TrainedHeads.from_bytes(rewritten(heads.to_bytes(), **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 99},
        {"names": []},
        {"temperature": 0.0},
        {"temperature": "warm"},
        {"keywords": [["a"]]},
        {"report": {}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_format_is_refused(heads: TrainedHeads, changes: dict[str, object]) -> None:
    data = heads.to_bytes()
    with pytest.raises(ValueError, match="not a set of trained heads"):
        TrainedHeads.from_bytes(rewritten(data, about=about(data, **changes)))


def test_pickled_objects_are_refused(heads: TrainedHeads) -> None:
    with pytest.raises(ValueError, match="not a set of trained heads"):
        TrainedHeads.from_bytes(rewritten(heads.to_bytes(), polite=np.asarray([{"a": 1}], dtype=object)))


@pytest.mark.parametrize(
    "changes",
    [{"name": "x"}, {"description": "x"}, {"examples": ("x",)}, {"keywords": ("x",)}],
    ids=lambda changes: next(iter(changes)),
)
def test_fingerprints_see_every_edit(changes: dict[str, str]) -> None:
    edited = (replace(CATEGORIES[0], **changes), *CATEGORIES[1:])  # type: ignore[arg-type]
    assert category_fingerprint(edited) != category_fingerprint(CATEGORIES)
    assert training_fingerprint(edited) != training_fingerprint(CATEGORIES)


def test_fingerprints_do_not_see_the_order_of_categories() -> None:
    assert training_fingerprint(CATEGORIES[::-1], LABELS) == training_fingerprint(CATEGORIES, LABELS)


@pytest.mark.parametrize(
    "label",
    [
        LabelledText("otro", "Ventas", "Neutral"),
        replace(LABELS[0], category="Soporte"),
        replace(LABELS[0], sentiment="Negativo"),
        replace(LABELS[0], weight=1.0),
    ],
    ids=["text", "category", "sentiment", "weight"],
)
def test_the_training_fingerprint_sees_every_label(label: LabelledText) -> None:
    told = training_fingerprint(CATEGORIES, LABELS)
    assert training_fingerprint(CATEGORIES, (label,)) != told != training_fingerprint(CATEGORIES)


def test_fingerprints_take_any_text() -> None:
    assert len(training_fingerprint((CategorySpec("\ud800\x00"),), (LabelledText("\udfff"),))) == 16
