"""What became of the AI's answer when a person sent theirs: one label for each sent reply."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein

from inquiries.models import Analysis, Inquiry, Outcome, User
from inquiries.states import AnalysisState, DraftUse

# Past this share of changed letters hardly a sentence of the draft is left.
DISCARDED_FROM = 0.6


def edit_distance(draft: str, sent: str) -> float:
    """Return the Levenshtein distance divided by the longer text's length: 0 the same, 1 nothing in common."""
    return float(Levenshtein.normalized_distance(draft.strip(), sent.strip()))


def use_of_draft(draft: str, sent: str) -> tuple[DraftUse, float | None]:
    """Return what a person made of the draft, and how far from it the sent text is."""
    if not draft.strip():
        return DraftUse.NONE, None
    distance = edit_distance(draft, sent)
    if distance == 0:
        return DraftUse.UNCHANGED, distance
    return (DraftUse.DISCARDED if distance >= DISCARDED_FROM else DraftUse.EDITED), distance


def record(inquiry: Inquiry, *, actor: User, sent: str) -> Outcome:
    """Keep the label of a reply that is being sent, inside the caller's transaction."""
    analysis = Analysis.objects.readings().filter(inquiry=inquiry, state=AnalysisState.DONE).order_by("-id").first()
    # The newest reading's own draft, which is what the editor showed.
    draft_use, distance = use_of_draft(analysis.reply if analysis else "", sent)
    return Outcome.objects.create(
        inquiry=inquiry,
        analysis=analysis,
        engine=analysis.engine if analysis else "",
        model=analysis.model if analysis else "",
        prompt_version=analysis.prompt_version if analysis else "",
        ai_category=analysis.category if analysis and not analysis.abstained else "",
        category=inquiry.category.name if inquiry.category else "",
        category_touched=inquiry.category_by_person,
        ai_sentiment=analysis.sentiment if analysis else "",
        sentiment=inquiry.sentiment or "",
        sentiment_touched=inquiry.sentiment_by_person,
        claimed_confidence=analysis.claimed_confidence if analysis else None,
        confidence=analysis.confidence if analysis else None,
        draft_use=draft_use,
        edit_distance=distance,
        actor=actor,
    )
