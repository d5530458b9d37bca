"""Try other instructions, another model or engine on past inquiries before anybody switches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inquiries import breaker, budget
from inquiries.bell import ring
from inquiries.engines import EMBEDDED, OPENAI, is_switched_on, uses_openai
from inquiries.models import Analysis, Comparison, Inquiry, PromptVersion, User
from inquiries.models.inquiry import InquiryError, InquiryQuerySet
from inquiries.services.prompts import in_use, note_act, one_at_a_time, says_the_same
from inquiries.states import LIVE, AnalysisState, Purpose, Status
from pok.logging import get_logger

log = get_logger(__name__)
SIZES = (10, 25, 50, 100, 200)
PREVIEW_SIZE = 3
# Rows come due one after the other: an inquiry that arrives meanwhile goes before all that are still to come.
SPACING = timedelta(seconds=0.5)
RUNG_AT_ONCE = 3  # the sweeper rings for the others when their time comes


class CannotCompare(InquiryError):
    """The comparison was not started; nothing was written."""


class AlreadyRuns(CannotCompare):
    """Another one has not finished yet: `comparison`."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(_("Another one is still running. Wait until it ends, or cancel it."))
        self.comparison = comparison


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads an inquiry: an engine, its model ("" for the embedded one) and the instructions."""

    engine: str
    model: str
    prompt: PromptVersion

    def equals(self, other: Reader) -> bool:
        """Tell whether both would be asked the same in the same place."""
        is_same_engine = (self.engine, self.model) == (other.engine, other.model)
        return is_same_engine and says_the_same(self.prompt, other.prompt)


def reader_in_use() -> tuple[str, str]:
    """Return the engine and the model that read new inquiries in ordinary times."""
    return (OPENAI, settings.OPENAI_MODEL) if uses_openai() else (EMBEDDED, "")


def engines_to_try() -> tuple[str, ...]:
    """Return the engines that may be tried: what the AI switch keeps inside stays inside in a trial, too."""
    if not is_switched_on():
        return ()
    return (OPENAI, EMBEDDED) if uses_openai() else (EMBEDDED,)


def corrected_inquiries() -> InquiryQuerySet:
    """Inquiries whose category a person set or confirmed and an engine can still name, the newest first."""
    labelled = Inquiry.objects.filter(category_by_person=True, category__is_active=True)
    return labelled.exclude(status=Status.SPAM).order_by("-id")


def corrected_count() -> int:
    """How many of them there are, as far as the largest comparison asks."""
    return corrected_inquiries().capped_count(SIZES[-1])


@transaction.atomic
def start(
    *,
    actor: User,
    kind: Comparison.Kind,
    prompt: PromptVersion | None,
    engine: str,
    model: str,
    size: int,
    inquiry: Inquiry | None = None,
) -> Comparison:
    """Queue the readings of a trial: of both sides for a comparison, of the candidate alone for a preview.

    A comparison takes the newest `size` inquiries whose category a person set, or as many as there are; a preview
    takes `inquiry`, or the newest `size`. `prompt` None is the version in use. Raises CannotCompare where nothing
    could be learnt or nothing may be asked, AlreadyRuns where another of its kind has not finished.
    """
    one_at_a_time()
    current = Reader(*reader_in_use(), in_use())
    candidate = Reader(engine, model.strip() if engine == OPENAI else "", prompt or current.prompt)
    _refuse(kind, candidate, current)
    inquiries = [inquiry] if inquiry is not None else _chosen(kind, size)
    comparison = _create(kind, candidate, current, actor)
    sides = [(True, candidate)] if kind == Comparison.Kind.PREVIEW else [(True, candidate), (False, current)]
    rows = Analysis.objects.bulk_create(_rows(comparison, inquiries, sides))
    for row in rows[:RUNG_AT_ONCE]:
        transaction.on_commit(partial(ring, row.pk), robust=True)
    log.info("comparison_started", comparison=comparison.pk, kind=kind, rows=len(rows), actor_id=actor.pk)
    return comparison


@transaction.atomic
def cancel(comparison: Comparison, *, actor: User) -> Comparison:
    """Drop what has not begun; what is running finishes. One that is over stays as it is."""
    waiting = Analysis.objects.filter(comparison=comparison, state=AnalysisState.QUEUED)
    dropped = waiting.update(state=AnalysisState.SKIPPED, due_at=None, finished_at=Now(), error="")
    if dropped and Comparison.objects.filter(pk=comparison.pk, cancelled_at=None).update(cancelled_at=Now()):
        note_act(comparison, actor=actor, field=gettext_noop("cancelled"))
        log.info("comparison_cancelled", comparison=comparison.pk, rows=dropped, actor_id=actor.pk)
    comparison.refresh_from_db()
    return comparison


def _refuse(kind: Comparison.Kind, candidate: Reader, current: Reader) -> None:
    if not is_switched_on():
        raise CannotCompare(_("The AI is switched off: nothing could read the inquiries."))
    if candidate.engine not in engines_to_try():
        raise CannotCompare(_("This engine is not set up, or the settings do not allow it."))
    is_comparison = kind == Comparison.Kind.COMPARE
    if is_comparison and candidate.equals(current):
        raise CannotCompare(_("This is what is in use already: change the instructions, the engine or the model."))
    if OPENAI in {candidate.engine, current.engine if is_comparison else candidate.engine}:
        _refuse_service()
    running = Analysis.objects.filter(comparison__kind=kind, purpose=Purpose.COMPARE, state__in=LIVE)
    if first := running.select_related("comparison").first():
        raise AlreadyRuns(first.comparison)


def _refuse_service() -> None:
    if budget.is_exhausted():
        raise CannotCompare(_("The budget of the AI service is used up."))
    if breaker.is_paused():
        raise CannotCompare(_("The AI service is paused after repeated failures. Try again when it is back."))


def _chosen(kind: Comparison.Kind, size: int) -> Sequence[Inquiry]:
    if kind == Comparison.Kind.PREVIEW:
        found = list(Inquiry.objects.exclude(status=Status.SPAM).order_by("-id")[:size])
        if not found:
            raise CannotCompare(_("There is no inquiry yet to try the instructions on."))
        return found
    found = list(corrected_inquiries()[:size])
    if not found:
        raise CannotCompare(_("There is nothing to measure by: set or confirm the category of a few inquiries first."))
    return found


def _create(kind: Comparison.Kind, candidate: Reader, current: Reader, actor: User) -> Comparison:
    comparison = Comparison.objects.create(
        kind=kind,
        prompt=candidate.prompt,
        engine=candidate.engine,
        model=candidate.model,
        current_prompt=current.prompt,
        current_engine=current.engine,
        current_model=current.model,
        created_by=actor,
    )
    comparison.refresh_from_db()
    return comparison


def _rows(comparison: Comparison, inquiries: Iterable[Inquiry], sides: Sequence[tuple[bool, Reader]]) -> list[Analysis]:
    # The two readings of an inquiry lie side by side, so that a comparison cut short still holds pairs.
    pairs = [(inquiry, is_candidate, reader) for inquiry in inquiries for is_candidate, reader in sides]
    return [
        Analysis(
            inquiry=inquiry,
            comparison=comparison,
            purpose=Purpose.COMPARE,
            is_candidate=is_candidate,
            engine=reader.engine,
            model=reader.model,
            prompt=reader.prompt,
            due_at=Now() + SPACING * max(0, position - RUNG_AT_ONCE + 1),
        )
        for position, (inquiry, is_candidate, reader) in enumerate(pairs)
    ]
