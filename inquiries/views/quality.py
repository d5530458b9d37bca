"""How good the AI is, for supervisors. Every figure stands in a table, too, and needs no JavaScript."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from inquiries.quality import SPANS, Question, Report, report
from inquiries.quality.versions import Version
from inquiries.templatetags.desk import engine_name
from inquiries.views.charts import charts
from inquiries.views.requests import AgentRequest


@require_safe
@never_cache
@login_required
@permission_required("inquiries.supervise", raise_exception=True)
def quality(request: AgentRequest) -> HttpResponse:
    """The page; 422 with the usual span where the address asks for what cannot be."""
    try:
        question, status = Question.from_query(request.GET.dict()), 200
    except ValueError:
        question, status = Question(), 422
    found = report(question)
    made = charts(found)
    context = {
        "report": found,
        "question": question,
        "is_refused": status != 200,
        "spans": _spans(question),
        "choices": _choices(found),
        "versions": [(row, _url(_about(question, row)), row == _only(found)) for row in found.versions],
        "rows": list(zip(found.axis.starts, found.periods, strict=True)),
        "spending_rows": list(zip(found.spending_axis.starts, found.spending, strict=True)),
        "charts": made,
        "spending_charts": [made[name] for name in ("milliseconds", "tokens", "cost")],
        "specs": {name: chart.spec for name, chart in made.items()},
        "unfiltered_url": _url(Question(question.span)),
    }
    return render(request, "inquiries/quality.html", context, status=status)


def _url(question: Question) -> str:
    values = {
        "dias": question.span,
        "motor": question.engine,
        "modelo": question.model,
        "version": question.prompt_version,
    }
    return f"{reverse('quality')}?{urlencode({name: value for name, value in values.items() if value})}"


def _about(question: Question, row: Version) -> Question:
    return Question(question.span, row.engine, row.model, row.prompt_version)


def _only(found: Report) -> Version | None:
    """The version that the page is about, where it is about one."""
    asked = found.question
    there = [
        row
        for row in found.versions
        if asked.is_about(engine=row.engine, model=row.model, prompt_version=row.prompt_version)
    ]
    return there[0] if asked.is_filtered and len(there) == 1 else None


def _spans(question: Question) -> list[tuple[str, str, bool]]:
    """Label, address and whether it is the current one, for each span."""
    labels = {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "todo": _("Since the beginning")}
    return [
        (
            labels[span],
            _url(Question(span, question.engine, question.model, question.prompt_version)),
            span == question.span,
        )
        for span in SPANS
    ]


def _choices(found: Report) -> list[tuple[str, str, str, str, list[tuple[str, str]]]]:
    """Parameter, label, word for all, current value and (value, label) of what may be chosen, for each filter."""
    asked = found.question

    def values(name: str) -> list[str]:
        return sorted({getattr(row, name) for row in (*found.versions, asked)} - {""})

    return [
        (
            "motor",
            _("Engine"),
            _("Any engine"),
            asked.engine,
            [(value, engine_name(value)) for value in values("engine")],
        ),
        ("modelo", _("Model"), _("Any model"), asked.model, [(value, value) for value in values("model")]),
        (
            "version",
            _("Prompt version"),
            _("Any version"),
            asked.prompt_version,
            [(value, value) for value in values("prompt_version")],
        ),
    ]
