"""What a training leaves behind, as bytes that any worker can load without encoding a sentence."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from inquiries.ai.classify import MoodModel, Reach, Taught, TopicModel
from inquiries.ai.engine import SENTIMENTS, CategorySpec, LabelledText
from inquiries.ai.heads import SoftmaxHead, Vectors
from inquiries.ai.memory import BROKEN_FILE
from inquiries.ai.seeds import load

# Changes when the same training data would give other answers.
VERSION = "embedded-4"

# Changes when the bytes mean something else.
_FORMAT = 2
_PARTS = ("weights", "bias", "mean", "scale")


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """How a training went. `ece` is the calibration error 0..1 on messages that were held out of it."""

    examples: int
    labels: int
    temperature: float
    ece: float
    encoders: tuple[str, ...]
    seconds: float

    @property
    def encoder(self) -> str:
        """The encoders' names in one, as the records have them."""
        return "+".join(self.encoders)


@dataclass(frozen=True)
class TrainedHeads:
    """All that answering needs besides the encoders.

    `fingerprint` is the `training_fingerprint` of what it was trained on, `categories` the part of it that a
    request can be compared with. Holds vectors of people's labels, but none of their texts.
    """

    fingerprint: str
    categories: str
    topics: TopicModel
    moods: MoodModel
    report: TrainingReport

    def to_bytes(self) -> bytes:
        """Return an npz archive without pickled objects."""
        about = {
            "format": _FORMAT,
            "fingerprint": self.fingerprint,
            "categories": self.categories,
            "names": self.topics.names,
            "keywords": self.topics.keywords,
            "texts": self.topics.taught.texts,
            "temperature": self.topics.temperature,
            "lift": self.topics.lift.tolist(),
            "reach": asdict(self.topics.reach),
            "scales": self.topics.taught.scales,
            "report": asdict(self.report),
        }
        arrays: dict[str, Any] = {
            "about": np.frombuffer(json.dumps(about, ensure_ascii=True).encode("ascii"), dtype=np.uint8),
            "owners": self.topics.taught.owners.astype(np.int32),
            "polite": _packed(self.moods.polite),
            "glad": _packed(self.moods.glad),
        }
        arrays |= {f"taught{index}": _packed(view) for index, view in enumerate(self.topics.taught.views)}
        for kind, heads in (("topic", self.topics.heads), ("mood", self.moods.heads)):
            for index, head in enumerate(heads):
                arrays |= {f"{kind}{index}-{part}": getattr(head, part) for part in _PARTS}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> TrainedHeads:
        """Return what `to_bytes` made; raise ValueError on anything broken or of another format."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            heads = _assemble(arrays, json.loads(arrays["about"].tobytes()))
            _check(heads)
        except (*BROKEN_FILE, TypeError, AttributeError, NotImplementedError, MemoryError) as error:
            raise ValueError(f"not a set of trained heads: {error!r}") from error
        return heads


def training_fingerprint(categories: Sequence[CategorySpec], labels: Sequence[LabelledText] = ()) -> str:
    """Return a hash of all that a training depends on: categories in any order, labels, seeds, algorithm."""
    told = [[label.text, label.category, label.sentiment, label.weight] for label in labels]
    return _hash([VERSION, _seeds_hash(), category_fingerprint(categories), told])


def category_fingerprint(categories: Sequence[CategorySpec]) -> str:
    """Return a hash of the categories' names, descriptions, examples and keywords, whatever their order."""
    return _hash([_state(spec) for spec in in_order(categories)])


def in_order(categories: Sequence[CategorySpec]) -> list[CategorySpec]:
    """Return the categories in the order in which heads know them: moving one in a list retrains nothing."""
    return sorted(categories, key=lambda spec: json.dumps(_state(spec)))


def _state(spec: CategorySpec) -> list[object]:
    return [spec.name, spec.description, list(spec.examples), list(spec.keywords)]


def _hash(state: object) -> str:
    # ASCII escapes keep lone surrogates encodable.
    return hashlib.sha256(json.dumps(state, ensure_ascii=True).encode("ascii")).hexdigest()[:16]


@cache
def _seeds_hash() -> str:
    return _hash([load("sentiment"), load("courtesy"), load("out_of_scope")])


def _assemble(arrays: dict[str, Any], about: dict[str, Any]) -> TrainedHeads:
    if about["format"] != _FORMAT:
        raise ValueError(f"format {about['format']!r}")
    report = TrainingReport(**about["report"] | {"encoders": tuple(about["report"]["encoders"])})
    reach = Reach(**about["reach"])
    count = len(report.encoders)
    topics = TopicModel(
        names=tuple(about["names"]),
        keywords=tuple(tuple(keywords) for keywords in about["keywords"]),
        heads=_heads(arrays, "topic", count),
        taught=Taught(
            tuple(_unpacked(arrays[f"taught{index}"]) for index in range(count)),
            tuple(float(scale) for scale in about["scales"]),
            arrays["owners"].astype(np.int64),
            tuple(about["texts"]),
        ),
        reach=reach,
        lift=_floats(about["lift"]),
        temperature=float(about["temperature"]),
    )
    moods = MoodModel(_heads(arrays, "mood", count), _unpacked(arrays["polite"]), _unpacked(arrays["glad"]), reach)
    return TrainedHeads(str(about["fingerprint"]), str(about["categories"]), topics, moods, report)


def _heads(arrays: dict[str, Any], kind: str, count: int) -> tuple[SoftmaxHead, ...]:
    return tuple(SoftmaxHead(*(_floats(arrays[f"{kind}{index}-{part}"]) for part in _PARTS)) for index in range(count))


def _packed(vectors: Vectors) -> npt.NDArray[np.int8]:
    """Return unit vectors in a byte per component, a quarter of their size: cosines move by less than 0.002."""
    highest = max(float(np.abs(vectors).max(initial=0.0)), 1e-6)
    return np.asarray(np.rint(vectors * (127.0 / highest)), dtype=np.int8)


def _unpacked(array: Any) -> Vectors:
    """Return the unit vectors again; the scale that `_packed` chose falls out with their length."""
    numbers = _floats(array)
    lengths = np.maximum(np.linalg.norm(numbers, axis=-1, keepdims=True), 1e-6)
    return np.asarray(numbers / lengths, dtype=np.float32)


def _floats(array: Any) -> Vectors:
    numbers = np.asarray(array, dtype=np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError("not a number among the vectors")
    return numbers


def _check(heads: TrainedHeads) -> None:
    """Raise ValueError where sizes do not fit each other: a wrong answer would be worse than a training."""
    topics, taught, moods = heads.topics, heads.topics.taught, heads.moods
    width = topics.heads[0].weights.shape[0]
    count = len(taught.texts)
    fits = (
        len(topics.names) == len(topics.keywords) > 0
        and len(taught.views) == len(taught.scales) == len(topics.heads)
        and all(scale > 0.0 for scale in taught.scales)
        and all(view.shape == (count, len(head.weights)) for view, head in zip(taught.views, topics.heads, strict=True))
        and taught.owners.shape == (count,)
        and all(0 <= owner < len(topics.names) for owner in taught.owners)
        and topics.lift.shape == (len(topics.names),)
        and topics.temperature > 0.0
        and topics.reach.related > topics.reach.unrelated
        and all(_head_fits(head, len(topics.names) + 2) for head in topics.heads)
        and all(_head_fits(head, len(SENTIMENTS) + 1) for head in moods.heads)
        and all(rows.shape == (len(rows), width) and len(rows) > 0 for rows in (moods.polite, moods.glad))
        and moods.heads[0].weights.shape[0] == width
    )
    if not fits:
        raise ValueError("sizes do not fit")


def _head_fits(head: SoftmaxHead, classes: int) -> bool:
    width = head.weights.shape[0]
    return (
        head.weights.shape == (width, classes)
        and head.bias.shape == (classes,)
        and head.mean.shape == head.scale.shape == (width,)
        and bool((head.scale > 0.0).all())
    )
