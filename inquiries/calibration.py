"""How far an engine's claim is believed: fitted on what people made of its answers, applied to every new one."""

from __future__ import annotations

from django.core.cache import caches
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from inquiries.ai import calibrate
from inquiries.models import Analysis, Calibration, Correction, Outcome
from inquiries.states import AnalysisState

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
    """Fit every engine and model anew on its newest corrections and sent replies; return how many were fitted.

    A claim counts as right where the AI's category is the one that a person set or confirmed, or that held when the
    reply was sent. An inquiry with both speaks once.
    """
    kinds = _kinds()
    for engine, model in kinds:
        pairs = _corrected(engine, model) + _sent(engine, model)
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


def _kinds() -> list[tuple[str, str]]:
    """Return which engines and models have labels."""
    answered = Outcome.objects.filter(claimed_confidence__isnull=False).order_by().values_list("engine", "model")
    labelled = _standing().exclude(engine="").order_by().values_list("engine", "model")
    return sorted({*answered.distinct()[:50], *labelled.distinct()[:50]})


def _standing() -> QuerySet[Correction]:
    return Correction.objects.filter(field=Correction.Field.CATEGORY, undone_at=None).exclude(ai_value="")


def _corrected(engine: str, model: str) -> list[tuple[float, bool]]:
    """Return (claim, was right) of the newest corrections; the claim is that of the reading that was corrected."""
    claim = (
        Analysis.objects.readings()
        .filter(inquiry=OuterRef("inquiry"), engine=engine, model=model, state=AnalysisState.DONE, abstained=False)
        .order_by("-id")
        .values("claimed_confidence")[:1]
    )
    rows = _standing().filter(engine=engine, model=model).annotate(claim=Subquery(claim)).order_by("-id")
    newest = rows.values_list("claim", "ai_value", "human_value")[:NEWEST_PAIRS]
    return [(float(claim), said == right) for claim, said, right in newest if claim is not None]


def _sent(engine: str, model: str) -> list[tuple[float, bool]]:
    """Return (claim, was right) of the newest sent replies whose inquiry has no standing correction."""
    labelled = _standing().filter(inquiry=OuterRef("inquiry"))
    rows = Outcome.objects.filter(engine=engine, model=model, claimed_confidence__isnull=False).exclude(ai_category="")
    newest = rows.filter(~Exists(labelled)).order_by("-id")
    pairs = newest.values_list("claimed_confidence", "ai_category", "category")[:NEWEST_PAIRS]
    return [(float(claim), said == held) for claim, said, held in pairs if claim is not None]
