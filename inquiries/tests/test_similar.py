from __future__ import annotations

import numpy as np
import pytest

from inquiries import similar
from inquiries.models import Example, InquiryVector, Lease

pytestmark = pytest.mark.django_db


def unit(*leading: float) -> similar.Vector:
    """A vector of length 1 that begins with these numbers."""
    vector = np.zeros(similar.DIMENSIONS, dtype=np.float32)
    vector[: len(leading)] = leading
    return vector / np.linalg.norm(vector)


@pytest.fixture(autouse=True)
def _fresh_index():
    similar.forget()
    yield
    similar.forget()


@pytest.fixture
def make_example(make_inquiry, categories):
    def make(vector: similar.Vector, **fields: object) -> Example:
        values = {
            "text": f"hola {vector[:9]}",
            "answer": "Hola [nombre]",
            "encoder": similar.ENCODER,
            "vector": similar.pack(vector),
        }
        return Example.objects.create(
            **({"inquiry": make_inquiry(analysed=True), "category": categories["Ventas"]} | values | fields)
        )

    return make


def ids(found: list[similar.Neighbour]) -> list[int]:
    return [neighbour.example.pk for neighbour in found]


def test_packing_keeps_the_direction_in_a_kilobyte():
    vector = unit(0.3, -0.7, 0.2)
    data = similar.pack(vector)
    assert len(data) == 1024
    assert similar.unpack(data) @ vector == pytest.approx(1.0, abs=1e-3)


def test_the_nearest_come_first_and_strangers_not_at_all(make_example):
    near, nearest = make_example(unit(1, 0.8)), make_example(unit(1, 0.1))
    make_example(unit(0, 0, 1))
    found = similar.neighbours(unit(1), 5)
    assert ids(found) == [nearest.pk, near.pk]
    assert found[0].score > found[1].score >= similar.RELATED


def test_the_same_words_are_answered_with_once(make_example):
    nearest = make_example(unit(1), text="¿Dónde está mi pedido?")
    make_example(unit(1, 0.1), text="¿Dónde está mi pedido? ")
    other = make_example(unit(1, 0.2), text="¿Cuándo llega mi pedido?")
    assert ids(similar.neighbours(unit(1), 5)) == [nearest.pk, other.pk]


def test_an_inquiry_is_not_its_own_neighbour(make_example):
    own = make_example(unit(1))
    InquiryVector.objects.create(inquiry=own.inquiry, encoder=similar.ENCODER, vector=similar.pack(unit(1)))
    assert similar.similar_to(own.inquiry) == []


def test_an_inquiry_that_no_worker_has_read_says_so(make_inquiry):
    assert similar.similar_to(make_inquiry()) is None


def test_what_is_erased_is_never_answered_with(make_example):
    gone, kept = make_example(unit(1)), make_example(unit(1, 0.1))
    assert len(similar.neighbours(unit(1), 5)) == 2
    gone.inquiry.delete()
    assert ids(similar.neighbours(unit(1), 5)) == [kept.pk]


def test_new_and_changed_examples_are_read_on(make_example):
    index = similar.Index()
    first = make_example(unit(1))
    assert index.nearest(unit(1), 5)[0][1] == pytest.approx(1.0, abs=1e-3)
    inquiry = first.inquiry
    first.delete()
    make_example(unit(0, 1), inquiry=inquiry)
    index._read_at = -similar.REFRESH_SECONDS
    assert len(index) == 1
    assert index.nearest(unit(0, 1), 5) == [(inquiry.pk, pytest.approx(1.0, abs=1e-3))]
    assert len(index) == 1


def test_the_index_holds_the_newest_only(make_example):
    rows = [make_example(unit(1, n / 10)) for n in range(6)]
    index = similar.Index(capacity=4)
    assert {pk for pk, _ in index.nearest(unit(1), 10)} == {row.inquiry_id for row in rows[2:]}
    newer = [make_example(unit(0, 1, n)) for n in range(3)]
    index._read_at = -similar.REFRESH_SECONDS
    held = {pk for pk, _ in index.nearest(unit(1), 10)}
    assert held == {rows[5].inquiry_id, *(row.inquiry_id for row in newer)}
    assert len(index) == 4


def test_an_erasure_elsewhere_takes_the_vectors_out_of_memory(make_example):
    gone, kept = make_example(unit(1)), make_example(unit(1, 0.1))
    index = similar.Index()
    assert len(index.nearest(unit(1), 5)) == 2
    gone.inquiry.delete()
    Lease.objects.create(name=Lease.UNLEARNT)
    index._read_at = -similar.REFRESH_SECONDS
    assert [pk for pk, _ in index.nearest(unit(1), 5)] == [kept.inquiry_id]
    assert len(index) == 1


def test_an_empty_index_knows_nothing():
    assert similar.Index().nearest(unit(1), 5) == []


def test_neighbours_cost_two_queries(make_example, django_assert_num_queries):
    for n in range(5):
        make_example(unit(1, n / 10))
    with django_assert_num_queries(3):  # the last erasure, what is new for the index, and the rows
        found = similar.neighbours(unit(1), 5)
        assert [(near.example.category.name, near.example.inquiry.pk > 0) for near in found] == [("Ventas", True)] * 5
