"""How far an engine's claim is believed: fitted on what people made of its answers, applied to every new one."""

from __future__ import annotations

from django.core.cache import caches
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from inquiries.ai import calibrate
from inquiries.models import Calibration, Outcome

CACHE_SECONDS = 30
NEWEST_PAIRS = 2_000


def believed(engine: str, model: str, claimed: float) -> float:
    """Return the probability that a claim of this confidence is right, as far as people's labels tell."""
    # Hashed, because a model's name may hold what a cache key must not; the cache is this process's own.
    key = f"calibration:{engine}:{hash(model)}"
    found: calibrate.Calibration | None = caches["local"].get(key)
    if found is None:
        found = _stored(engine, model)
        caches["local"].set(key, found, CACHE_SECONDS)
    return found.apply(claimed)


def _stored(engine: str, model: str) -> calibrate.Calibration:
    row = Calibration.objects.filter(engine=engine, model=model).first()
    if row is None:
        return calibrate.Calibration(temperature=1.0, bias=0.0, pairs=0)
    return calibrate.Calibration(temperature=row.temperature, bias=row.bias, pairs=row.pairs)


def refit() -> int:
    """Fit every engine and model anew on its newest sent replies; return how many were fitted.

    A claim counts as right where the AI's category is the one that held when the reply was sent.
    """
    used = Outcome.objects.filter(claimed_confidence__isnull=False).order_by()
    kinds = list(used.values_list("engine", "model").distinct()[:50])
    for engine, model in kinds:
        pairs = _pairs(engine, model)
        fitted = calibrate.fit(pairs)
        Calibration.objects.update_or_create(
            engine=engine,
            model=model,
            defaults={
                "temperature": fitted.temperature,
                "bias": fitted.bias,
                "pairs": fitted.pairs,
                "fitted_at": Now(),
            },
        )
    return len(kinds)


def _pairs(engine: str, model: str) -> list[tuple[float, bool]]:
    was_right = Case(When(ai_category=F("category"), then=Value(True)), default=Value(False))
    rows = Outcome.objects.filter(engine=engine, model=model, claimed_confidence__isnull=False).exclude(ai_category="")
    newest = rows.annotate(was_right=was_right).order_by("-id")[:NEWEST_PAIRS]
    pairs = newest.values_list("claimed_confidence", "was_right")
    return [(float(claimed), bool(right)) for claimed, right in pairs if claimed is not None]
