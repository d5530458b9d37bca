"""Vectors of training sentences, remembered in memory and on disk: training twice costs the reading once."""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import tempfile
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from inquiries.ai.encoder import Encoder
from inquiries.ai.heads import Vectors

logger = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Halves = npt.NDArray[np.float16]

# 8,192 vectors of 512 float16 are 8 MB: every example of a big installation, and no more.
_REMEMBERED = 8_192
_DIGEST = 16
# What a half-written, cut or foreign file raises while it is read.
BROKEN_FILE = (OSError, ValueError, LookupError, EOFError, struct.error, zipfile.BadZipFile, zlib.error)


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

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()

    def __len__(self) -> int:
        return len(self._items)


class RememberingEncoder:
    """An encoder that remembers the sentences it was asked for, in a file of `folder` beyond the process's end.

    The file holds digests and vectors, no text. Vectors are kept as float16 and given back as such even when they
    are new, so that a training gives the same heads whether its sentences were remembered or not.
    """

    def __init__(self, encoder: Encoder, folder: Path | None = None, size: int = _REMEMBERED) -> None:
        self.model, self.width = encoder.model, encoder.width
        self.unrelated, self.related = encoder.unrelated, encoder.related
        self._encoder = encoder
        self._size = size
        self._vectors: Lru[bytes, Halves] = Lru(size)
        self._path = folder / f"vectors-{encoder.model}.npz" if folder else None
        self._reading = threading.Lock()
        self._has_read = False

    def encode(self, sentences: Sequence[str]) -> Vectors:
        """Return (n, width) unit rows; only sentences not remembered cost anything."""
        self._read()
        digests = [_digest(sentence) for sentence in sentences]
        known = {digest: self._vectors.get(digest) for digest in digests}
        fresh = {digest: text for digest, text in zip(digests, sentences, strict=True) if known[digest] is None}
        for digest, vector in zip(fresh, self._encoder.encode(list(fresh.values())), strict=True):
            half = vector.astype(np.float16)
            known[digest] = half
            self._vectors.put(digest, half)
        rows = [vector for vector in map(known.get, digests) if vector is not None]
        return np.stack(rows).astype(np.float32) if rows else np.empty((0, self.width), dtype=np.float32)

    def count_unknown(self, sentences: Iterable[str]) -> int:
        """Return how many of the sentences would have to be encoded."""
        self._read()
        return sum(self._vectors.get(digest) is None for digest in {_digest(sentence) for sentence in sentences})

    def keep_only(self, sentences: Iterable[str]) -> None:
        """Forget every other sentence and write these to the file, if there is a folder.

        So what a person has erased goes with the next training. A full or read-only disk only costs time later.
        """
        digests = list(dict.fromkeys(_digest(sentence) for sentence in sentences))[: self._size]
        kept = {digest: vector for digest in digests if (vector := self._vectors.get(digest)) is not None}
        self._vectors.clear()
        for digest, vector in kept.items():
            self._vectors.put(digest, vector)
        if self._path and kept:
            try:
                _write(self._path, kept)
            except OSError as error:
                logger.warning("Vectors not kept on disk: %r", error)

    def _read(self) -> None:
        """Read the file once, and only when somebody trains: who answers with stored heads needs none of it."""
        with self._reading:
            if not self._has_read:
                self._has_read = True
                self._read_file()

    def _read_file(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            with np.load(self._path, allow_pickle=False) as file:
                digests, vectors = file["digests"], file["vectors"]
        except BROKEN_FILE as error:
            logger.warning("Kept vectors not readable, they are made anew: %r", error)
            return
        if _is_whole(digests, vectors, self.width):
            for digest, vector in zip(digests[: self._size], vectors, strict=False):
                self._vectors.put(digest.tobytes(), vector)


def _digest(sentence: str) -> bytes:
    return hashlib.blake2b(sentence.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()


def _is_whole(digests: npt.NDArray[np.uint8], vectors: Halves, width: int) -> bool:
    """Tell whether the arrays are what `_write` wrote for an encoder of this width."""
    return bool(
        digests.dtype == np.uint8
        and vectors.dtype == np.float16
        and vectors.ndim == 2
        and vectors.shape[1] == width
        and digests.shape == (len(vectors), _DIGEST)
        and np.isfinite(vectors).all()
    )


def _write(path: Path, vectors: dict[bytes, Halves]) -> None:
    """Replace the file in one step: another process sees the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    digests = np.frombuffer(b"".join(vectors), dtype=np.uint8).reshape(-1, _DIGEST)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, digests=digests, vectors=np.stack(list(vectors.values())))
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
