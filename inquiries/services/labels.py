"""Category and sentiment by hand: labels that outrank the AI and teach it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from inquiries.models import Analysis, Category, Correction, Inquiry, SiteSettings, User
from inquiries.models.inquiry import InquiryError, InquiryQuerySet
from inquiries.services.shared import add_event, after_human_act, expect
from inquiries.states import AnalysisState, EventKind, Sentiment


class NothingToUndo(InquiryError):
    """No correction of this field stands."""


@transaction.atomic
def correct_category(inquiry: Inquiry, *, actor: User, category: Category) -> Inquiry:
    """Set the category by hand and keep what the AI had said as a label; the same value again confirms it."""
    if inquiry.category_id == category.pk and inquiry.category_by_person:
        return inquiry
    old = inquiry.category.name if inquiry.category else ""
    _keep_label(inquiry, actor, Correction.Field.CATEGORY, old, category.name)
    unchanged = _unchanged(inquiry, category=inquiry.category_id, category_by_person=inquiry.category_by_person)
    expect(unchanged.touch(category=category, category_by_person=True, needs_review=False, to_learn=True))
    add_event(inquiry, EventKind.CONFIRMED if old == category.name else EventKind.CATEGORY, actor, old, category.name)
    return after_human_act(inquiry, actor)


@transaction.atomic
def correct_sentiment(inquiry: Inquiry, *, actor: User, sentiment: Sentiment) -> Inquiry:
    """Set the sentiment by hand and keep what the AI had said as a label."""
    if inquiry.sentiment == sentiment and inquiry.sentiment_by_person:
        return inquiry
    old = inquiry.sentiment or ""
    _keep_label(inquiry, actor, Correction.Field.SENTIMENT, old, sentiment.value)
    unchanged = _unchanged(inquiry, sentiment=inquiry.sentiment, sentiment_by_person=inquiry.sentiment_by_person)
    expect(unchanged.touch(sentiment=sentiment, sentiment_by_person=True, to_learn=True))
    add_event(inquiry, EventKind.CONFIRMED if old == sentiment else EventKind.SENTIMENT, actor, old, sentiment.value)
    return after_human_act(inquiry, actor)


@transaction.atomic
def undo_correction(inquiry: Inquiry, *, actor: User, field: str) -> Inquiry:
    """Take the newest standing correction of `field` back. Raises NothingToUndo where there is none."""
    correction = Correction.objects.filter(inquiry=inquiry, field=field, undone_at=None).order_by("-id").first()
    if correction is None:
        raise NothingToUndo(_("There is nothing to undo."))
    expect(Correction.objects.filter(pk=correction.pk, undone_at=None).update(undone_at=Now()))
    value = _value_before(correction)
    restored: dict[str, Any] = {field: value, f"{field}_by_person": correction.previous_by_person}
    if field == Correction.Field.CATEGORY and not correction.previous_by_person:
        restored["needs_review"] = value is None or (
            inquiry.confidence is not None and inquiry.confidence < SiteSettings.current().review_threshold
        )
    Inquiry.objects.filter(pk=inquiry.pk).touch(**restored, to_learn=True)
    add_event(inquiry, EventKind.UNDONE, actor, correction.human_value, str(value or ""))
    return after_human_act(inquiry, actor)


def _value_before(correction: Correction) -> Category | str | None:
    """What holds without the correction: another person's value, else what the AI says by now."""
    is_category = correction.field == Correction.Field.CATEGORY
    done = Analysis.objects.readings().filter(inquiry=correction.inquiry_id, state=AnalysisState.DONE)
    newest = done.order_by("-id").first()
    if correction.previous_by_person or newest is None:
        value = correction.previous_category if is_category else correction.previous_value
        had_value = bool(correction.previous_value)
    else:
        value = newest.category_row if is_category else newest.sentiment
        had_value = True
        if is_category and newest.abstained:
            return None
    if had_value and value is None:
        raise NothingToUndo(_("The category from before no longer exists."))
    return value or None


def _unchanged(inquiry: Inquiry, **seen: Any) -> InquiryQuerySet:
    """The row, provided that these fields still hold what the person saw (NULL included)."""
    conditions = {
        name if value is not None else f"{name}__isnull": value if value is not None else True
        for name, value in seen.items()
    }
    return Inquiry.objects.filter(pk=inquiry.pk, **conditions)


def _keep_label(inquiry: Inquiry, actor: User, field: Correction.Field, old: str, new: str) -> None:
    analysis = Analysis.objects.readings().filter(inquiry=inquiry, state=AnalysisState.DONE).order_by("-id").first()
    Correction.objects.create(
        inquiry=inquiry,
        field=field,
        ai_value=getattr(analysis, field, "") if analysis else "",
        human_value=new,
        previous_value=old,
        previous_category=inquiry.category if field == Correction.Field.CATEGORY else None,
        previous_by_person=getattr(inquiry, f"{field}_by_person"),
        actor=actor,
        engine=analysis.engine if analysis else "",
        model=analysis.model if analysis else "",
        prompt_version=analysis.prompt_version if analysis else "",
    )
