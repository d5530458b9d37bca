"""Past inquiries by meaning: an index over the newest answered or corrected ones, held in memory as float16.

No encoder is needed to ask it: workers have written the vectors, and the web process only reads them.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from inquiries.models import Example, Inquiry, InquiryVector, Lease
from pok.kept import Kept

Vector = npt.NDArray[np.float32]

ENCODER = "use-m3"
DIMENSIONS = 512
CAPACITY = 50_000  # 51 MB
REFRESH_SECONDS = 5.0
# Converting the whole index at once would take a second copy of it, twice as large.
BLOCK = 4_096
# Sentences of one intent have a median cosine of 0.57, of different intents 0.16 (Universal Sentence Encoder).
RELATED = 0.4
# A person sees at a glance what does not fit, so they are shown what a language model is not.
WORTH_A_LOOK = 0.3


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A past inquiry and the cosine of its vector with the one that was asked about."""

    example: Example
    score: float


def pack(vector: Vector) -> bytes:
    """Return a unit vector (512,) as 1 KB of float16."""
    return np.asarray(vector, dtype=np.float16).tobytes()


def unpack(data: bytes | memoryview) -> Vector:
    """Return the vector (512,) that `pack` wrote."""
    return np.frombuffer(bytes(data), dtype=np.float16).astype(np.float32)


class Index:
    """The newest CAPACITY examples; reads what is new at most every REFRESH_SECONDS. Safe between threads.

    A changed example comes as a new row and takes the slot of its inquiry; an erased one stays in memory until
    its slot is needed, but is never answered with, because every answer is read from the table.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._vectors: npt.NDArray[np.float16] = np.empty((0, DIMENSIONS), dtype=np.float16)
        self._inquiries: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._slots: dict[int, int] = {}
        self._next = 0
        self._last_id = 0
        self._read_at = -REFRESH_SECONDS
        self._erased_at: datetime | None = None
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._slots)

    def nearest(self, vector: Vector, count: int, *, without: int | None = None) -> list[tuple[int, float]]:
        """Return up to `count` (inquiry id, cosine) pairs, the nearest first, leaving one inquiry out."""
        with self._lock:
            self._refresh()
            used = len(self._slots)
            if not used:
                return []
            scores = self._scores(vector, used)
            order = np.argsort(-scores)[: count + 1]
            found = [(int(self._inquiries[slot]), float(scores[slot])) for slot in order]
        return [pair for pair in found if pair[0] != without][:count]

    def _scores(self, vector: Vector, used: int) -> Vector:
        blocks = [
            self._vectors[start : min(start + BLOCK, used)].astype(np.float32) @ vector
            for start in range(0, used, BLOCK)
        ]
        return np.concatenate(blocks)

    def _refresh(self) -> None:
        if time.monotonic() - self._read_at < REFRESH_SECONDS:
            return
        self._forget_after_erasure()
        rows = Example.objects.filter(encoder=ENCODER, pk__gt=self._last_id).order_by("-pk")
        newest = list(rows.values_list("pk", "inquiry_id", "vector")[: self._capacity])
        for pk, inquiry_id, data in reversed(newest):
            self._put(inquiry_id, data)
            self._last_id = pk
        self._read_at = time.monotonic()

    def _forget_after_erasure(self) -> None:
        """Read everything anew where some other process erased a person: their vectors must not stay in memory."""
        erased_at = Lease.objects.filter(name=Lease.UNLEARNT).values_list("until", flat=True).first()
        if erased_at != self._erased_at:
            self._vectors = np.empty((0, DIMENSIONS), dtype=np.float16)
            self._inquiries = np.empty(0, dtype=np.int64)
            self._slots, self._next, self._last_id, self._erased_at = {}, 0, 0, erased_at

    def _put(self, inquiry_id: int, data: bytes | memoryview) -> None:
        slot = self._slots.get(inquiry_id)
        if slot is None:
            slot = self._free_slot()
            self._slots[inquiry_id] = slot
        self._vectors[slot] = np.frombuffer(bytes(data), dtype=np.float16)
        self._inquiries[slot] = inquiry_id

    def _free_slot(self) -> int:
        """Return a new slot, or, when all are used, the one that was filled longest ago."""
        slot = self._next % self._capacity
        self._next += 1
        if slot >= len(self._vectors):
            self._grow()
        elif len(self._slots) >= self._capacity:
            self._slots.pop(int(self._inquiries[slot]), None)
        return slot

    def _grow(self) -> None:
        size = min(max(256, 2 * len(self._vectors)), self._capacity)
        vectors = np.zeros((size, DIMENSIONS), dtype=np.float16)
        vectors[: len(self._vectors)] = self._vectors
        inquiries = np.zeros(size, dtype=np.int64)
        inquiries[: len(self._inquiries)] = self._inquiries
        self._vectors, self._inquiries = vectors, inquiries


_index = Index()


def neighbours(vector: Vector, count: int, *, without: int | None = None, least: float = RELATED) -> list[Neighbour]:
    """Return up to `count` examples with a cosine of at least `least`, the nearest first."""
    pairs = [pair for pair in _index.nearest(vector, 4 * count, without=without) if pair[1] >= least]
    rows = Example.objects.filter(inquiry__in=[pk for pk, _ in pairs]).select_related("inquiry", "category")
    found = {row.inquiry_id: row for row in rows.defer("vector", "inquiry__suggested_reply", "inquiry__reply")}
    near = [Neighbour(found[pk], score) for pk, score in pairs if pk in found]
    # The same words again (a form letter, a test) would take the place of something new.
    distinct = {neighbour.example.text.casefold().strip(): neighbour for neighbour in reversed(near)}
    return sorted(distinct.values(), key=lambda neighbour: -neighbour.score)[:count]


def _any_example() -> bool:
    return Example.objects.filter(encoder=ENCODER).exists()


_has_examples = Kept("has-examples", REFRESH_SECONDS, _any_example)


def has_examples() -> bool:
    """Tell whether there is any past inquiry to compare with."""
    return _has_examples.get()


def similar_to(inquiry: Inquiry, count: int = 5) -> list[Neighbour] | None:
    """Return past inquiries like this one; None while no worker has read its meaning yet."""
    row = InquiryVector.objects.filter(pk=inquiry.pk, encoder=ENCODER).first()
    if row is None:
        return None
    return neighbours(unpack(row.vector), count, without=inquiry.pk, least=WORTH_A_LOOK)


def forget() -> None:
    """Start anew with an empty index: after an erasure no vector of a person may stay in memory."""
    global _index  # noqa: PLW0603 (one per process is the point)
    _index = Index()
