from __future__ import annotations

import pytest
from django.db.models.functions import Now

from inquiries import learner, learning, leases, similar, training
from inquiries.ai.embedded import EmbeddedEngine
from inquiries.ai.encoder import WordHashEncoder
from inquiries.ai.engine import AnalysisRequest
from inquiries.categories import live_categories
from inquiries.models import Calibration, Category, Example, HeadVersion, Lease, Outcome, SiteSettings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch):
    """No heads are loaded and nothing was compared yet, as in a process that has just begun."""
    monkeypatch.setattr(training, "_loaded_id", 0)
    monkeypatch.setattr(training, "_last", ((), -training.LABELS_EVERY))


@pytest.fixture
def engine(monkeypatch) -> EmbeddedEngine:
    engine = EmbeddedEngine(WordHashEncoder())
    monkeypatch.setattr(training, "embedded_engine", lambda: engine)
    return engine


def wait_for_labels(monkeypatch) -> None:
    """Let the time pass after which new labels are looked at."""
    monkeypatch.setattr(training, "_last", ((), -training.LABELS_EVERY))


def add_label(make_inquiry, category: Category, text: str) -> Example:
    return Example.objects.create(
        inquiry=make_inquiry(analysed=True),
        category=category,
        text=text,
        is_corrected=True,
        encoder=similar.ENCODER,
        vector=b"\x00" * 2 * similar.DIMENSIONS,
    )


def test_a_version_is_trained_once(engine, categories, monkeypatch):
    version = training.train_if_changed()
    assert version == HeadVersion.objects.get()
    assert version.examples > 0
    wait_for_labels(monkeypatch)
    assert training.train_if_changed() is None


def test_a_changed_category_is_taught_at_once(engine, categories):
    first = training.train_if_changed()
    Category.objects.filter(name="Ventas").update(examples="¿Cuánto sale el plan grande?")
    second = training.train_if_changed()
    assert second is not None
    assert second.fingerprint != first.fingerprint


def test_new_labels_are_taught_after_a_while(engine, categories, make_inquiry, monkeypatch):
    training.train_if_changed()
    add_label(make_inquiry, categories["Reclamo"], "nadie me devuelve la plata")
    assert training.train_if_changed() is None
    wait_for_labels(monkeypatch)
    assert training.train_if_changed().labels == 1


def test_a_correction_changes_what_the_engine_says(engine, categories, make_inquiry, monkeypatch):
    text = "el zaguán quedó abollado otra vez"
    for _ in range(5):
        add_label(make_inquiry, categories["Facturación"], text)
    training.train_if_changed()
    training.load_newest()
    request = AnalysisRequest(text=text, customer_name="", categories=live_categories())
    assert engine.analyse(request).category == "Facturación"


def test_every_worker_loads_the_newest_version_once(engine, categories):
    version = training.train_if_changed()
    assert training.load_newest()
    assert not training.load_newest()
    request = AnalysisRequest(text="hola", customer_name="", categories=live_categories())
    assert version.fingerprint[:8] in engine.analyse(request).prompt_version


def test_a_version_of_another_release_is_left_alone(engine, categories):
    HeadVersion.objects.create(fingerprint="x", encoder="e", data=b"no heads at all")
    assert not training.load_newest()


def test_only_the_newest_versions_are_kept(engine, categories):
    for number in range(training.KEPT_VERSIONS + 2):
        Category.objects.filter(name="Ventas").update(examples=f"¿Cuánto sale el plan {number}?")
        training.train_if_changed()
    assert HeadVersion.objects.count() == training.KEPT_VERSIONS


def test_without_categories_nothing_is_trained(engine, db):
    Category.objects.all().delete()
    assert training.train_if_changed() is None


def test_a_training_whose_labels_were_erased_meanwhile_is_dropped(engine, categories, monkeypatch):
    train = engine.train

    def erase_meanwhile(*args):
        heads = train(*args)
        Lease.objects.update_or_create(name=Lease.UNLEARNT, defaults={"until": Now()})
        return heads

    monkeypatch.setattr(engine, "train", erase_meanwhile)
    assert training.train_if_changed() is None
    assert not HeadVersion.objects.exists()
    monkeypatch.setattr(engine, "train", train)
    wait_for_labels(monkeypatch)
    assert training.train_if_changed() is not None


# --- the thread that learns ---
@pytest.fixture
def steps(monkeypatch) -> list[str]:
    """What one round does, in order."""
    done: list[str] = []
    monkeypatch.setattr(training, "load_newest", lambda: done.append("load"))
    monkeypatch.setattr(learning, "learn_pending", lambda: done.append("learn"))
    monkeypatch.setattr(learning, "embed_waiting", lambda limit: done.append("embed"))
    monkeypatch.setattr(learning, "wants_encoder", lambda: True)
    monkeypatch.setattr(training, "train_if_changed", lambda: done.append("train"))
    return done


def test_the_worker_on_duty_learns(steps):
    learner.step()
    assert steps == ["load", "learn", "embed", "train"]


def test_a_new_process_trains_later_where_a_service_reads(steps, settings):
    settings.AI_ENGINE = "openai"
    learner.step(train=False)
    assert steps == ["load", "learn", "embed"]


def test_without_a_use_for_meaning_no_encoder_is_loaded(steps, monkeypatch):
    monkeypatch.setattr(learning, "wants_encoder", lambda: False)
    learner.step()
    assert steps == ["load", "learn"]


def test_a_busy_worker_makes_few_vectors(steps, monkeypatch, settings):
    limits: list[int] = []
    settings.WORKERS = 4
    monkeypatch.setattr(learning, "embed_waiting", limits.append)
    for busy in (0, 1, 2, 4):
        monkeypatch.setattr("inquiries.jobs.under_way", lambda busy=busy: busy)
        learner.step()
    assert limits == [learner.MOST_VECTORS] * 2 + [learner.FEW_VECTORS] * 2


def test_a_new_process_trains_at_once_where_the_embedded_engine_reads(steps):
    learner.step(train=False)
    assert steps == ["load", "learn", "embed", "train"]


def test_the_other_workers_only_load(steps, monkeypatch):
    learner.step()
    steps.clear()
    monkeypatch.setattr(leases, "WORKER", "another:1")
    learner.step()
    assert steps == ["load"]


def test_a_switched_off_ai_learns_nothing(steps):
    SiteSettings.objects.update_or_create(pk=1, defaults={"ai_mode": "off"})
    learner.step()
    assert steps == ["load"]


def test_confidence_is_calibrated_now_and_then(steps, make_inquiry):
    for number in range(60):
        Outcome.objects.create(
            engine="openai",
            model="m",
            ai_category="Ventas",
            category="Ventas" if number % 2 else "Reclamo",
            claimed_confidence=0.95,
            draft_use="none",
        )
    learner.step()
    assert not Calibration.objects.exists()
    learner.step(refit=True)
    row = Calibration.objects.get()
    assert (row.engine, row.model, row.pairs) == ("openai", "m", 60)
    assert row.temperature > 1


def test_a_step_that_fails_is_tried_again(monkeypatch):
    assert not learner._guarded(lambda: 1 / 0)
    assert learner._guarded(lambda: None)
