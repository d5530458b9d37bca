"""What the pages of versions and of comparisons have in common: the form of a trial, and what it will cost."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inquiries import comparing, services
from inquiries.comparing import Estimate
from inquiries.forms_prompts import ComparisonForm
from inquiries.models import Comparison, Inquiry, PromptVersion, User
from inquiries.services.comparisons import PREVIEW_SIZE, SIZES, CannotCompare
from inquiries.templatetags.desk import engine_name

USUAL_SIZE = 50


def start_preview(actor: User, version: PromptVersion, number: int | None) -> Comparison:
    """Try a version on one inquiry by its number, or on the newest. Raises CannotCompare as `start` does."""
    inquiry = Inquiry.objects.visible_to(actor).filter(pk=number).first() if number else None
    if number and inquiry is None:
        raise CannotCompare(_("There is no inquiry #%(number)d.") % {"number": number})
    engine, model = services.comparisons.reader_in_use()
    return services.comparisons.start(
        actor=actor,
        kind=Comparison.Kind.PREVIEW,
        prompt=version,
        engine=engine,
        model=model,
        size=PREVIEW_SIZE,
        inquiry=inquiry,
    )


def comparison_form(
    corrected: int, data: QueryDict | None = None, prompt: PromptVersion | None = None
) -> ComparisonForm:
    """The form of a comparison; without `data`, filled with what is in use and the instructions to try.

    `corrected` is how many inquiries there are to measure by.
    """
    engine, model = services.comparisons.reader_in_use()
    sizes = sizes_for(corrected)
    usual = max(size for size, _label in sizes if size <= max(USUAL_SIZE, sizes[0][0]))
    initial = {
        "prompt": (prompt or services.prompts.active()).pk,
        "engine": engine,
        "model": model or settings.OPENAI_MODEL,
        "size": usual,
    }
    engines = [(name, engine_name(name)) for name in services.comparisons.engines_to_try()]
    return ComparisonForm(data, initial=initial, engines=engines, sizes=sizes)


def comparison_context(version: PromptVersion | None = None, form: ComparisonForm | None = None) -> dict[str, Any]:
    """What the form needs around it."""
    corrected = services.comparisons.corrected_count()
    form = form or comparison_form(corrected, prompt=version)
    return {
        "form": form,
        "can_try": bool(services.comparisons.engines_to_try()),
        "corrected": corrected,
        "estimate": estimate_of(form, corrected),
    }


def sizes_for(available: int) -> list[tuple[int, str]]:
    """The sizes that make a difference where so many inquiries are there; the last one takes all of them."""
    useful = [size for place, size in enumerate(SIZES) if not place or SIZES[place - 1] < available]
    return [(size, _many(min(size, available) if available else size)) for size in useful]


def _many(number: int) -> str:
    return ngettext("%(n)d inquiry", "%(n)d inquiries", number) % {"n": number}


def estimate_of(form: ComparisonForm, corrected: int) -> Estimate:
    """What the comparison of the form will take; of a form with mistakes, what the usual one would."""
    # A comparison that was refused as a whole still has the values that the page shows.
    is_complete = form.is_bound and set(form.errors) <= {NON_FIELD_ERRORS}
    values = form.cleaned_data if is_complete else form.initial
    candidate = (str(values["engine"]), str(values["model"]))
    size = min(int(values["size"]), max(corrected, 1))
    return comparing.estimates([candidate, services.comparisons.reader_in_use()], [size])[0]
