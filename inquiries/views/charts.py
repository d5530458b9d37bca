"""The charts of the quality page: for each its numbers, as `quality.js` draws them, and what they say in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from inquiries.quality.agreement import Tally
from inquiries.quality.report import Report
from inquiries.quality.versions import Drafts, Version
from inquiries.templatetags.desk import engine_name
from inquiries.templatetags.quality import duration, money, period, share, whole

MOST_LINES = 6
MOST_BARS = 6
BALANCED = 0.02  # a confidence that is off by less on one side is neither too sure nor too cautious
DRAFT_COLOURS = {"unchanged": "verde", "edited": "azul", "discarded": "naranja", "none": "gris"}
Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chart:
    """`spec` is {"kind", "unit", "labels", "sets": [{"label", "colour", "values"}]}; shares are percentages."""

    name: str
    title: str
    essence: str
    spec: Spec


def charts(report: Report) -> dict[str, Chart]:
    """Return the page's charts by name."""
    made = [
        _agreement(report),
        _people(report),
        _categories(report),
        _calibration(report),
        _drafts(report),
        *_spending(report),
    ]
    return {chart.name: chart for chart in made}


def _agreement(report: Report) -> Chart:
    parts = report.periods
    spec = {
        "kind": "lines",
        "unit": "percent",
        "labels": _labels(report),
        "sets": [
            _set(_("Category"), "acento", [_percent(part.category.share) for part in parts]),
            _set(_("Category, touched by a person"), "naranja", [_percent(part.touched.share) for part in parts]),
            _set(_("Sentiment"), "violeta", [_percent(part.sentiment.share) for part in parts]),
        ],
    }
    early, late = _halves([part.category for part in parts])
    essence = _(
        "The AI's category held in %(category)s of the replies and its sentiment in %(sentiment)s. "
        "The category: %(early)s in the earlier half of them, %(late)s in the later."
    ) % {
        "category": share(report.total.category.share),
        "sentiment": share(report.total.sentiment.share),
        "early": share(early.share),
        "late": share(late.share),
    }
    return Chart("agreement", _("Agreement with the AI"), essence, spec)


def _halves(parts: Sequence[Tally]) -> tuple[Tally, Tally]:
    """Split between two periods, so that both sides hold about as many replies."""
    total = sum(parts, Tally())
    early = Tally()
    for part in parts:
        if early.judged and early.judged + part.judged / 2 >= total.judged / 2:
            break
        early += part
    return early, Tally(total.judged - early.judged, total.agreed - early.agreed)


def _people(report: Report) -> Chart:
    parts, total = report.periods, report.total
    spec = {
        "kind": "stack",
        "unit": "number",
        "labels": _labels(report),
        "sets": [
            _set(_("Not touched"), "azul", [part.untouched.judged for part in parts]),
            _set(_("Confirmed"), "verde", [part.touched.agreed for part in parts]),
            _set(_("Corrected"), "naranja", [part.corrected for part in parts]),
        ],
    }
    essence = _(
        "Of %(n)s replies whose category the AI had named, people left it untouched in %(untouched)s, "
        "confirmed it in %(confirmed)s and corrected it in %(corrected)s."
    ) % {
        "n": whole(total.category.judged),
        "untouched": whole(total.untouched.judged),
        "confirmed": whole(total.touched.agreed),
        "corrected": whole(total.corrected),
    }
    return Chart("people", _("What people did with the category"), essence, spec)


def _categories(report: Report) -> Chart:
    shown = report.categories[:MOST_LINES]
    spec = {
        "kind": "lines",
        "unit": "percent",
        "labels": _labels(report),
        "sets": [_set(row.name, row.colour, [_percent(part.category.share) for part in row.periods]) for row in shown],
    }
    judged = [row for row in report.categories if row.total.category.judged]
    ordered = sorted(judged, key=lambda row: row.total.category.share or 0.0)
    essence = _("No reply has a category that the AI had named.")
    if ordered:
        essence = _("Best: “%(best)s” with %(high)s. Worst: “%(worst)s” with %(low)s.") % {
            "best": ordered[-1].name,
            "high": share(ordered[-1].total.category.share),
            "worst": ordered[0].name,
            "low": share(ordered[0].total.category.share),
        }
    return Chart("categories", _("Agreement by category"), essence, spec)


def _calibration(report: Report) -> Chart:
    found = report.calibration
    filled = [entry for entry in found.bins if entry.count]
    points = [
        {"x": _percent(entry.confidence), "y": _percent(entry.accuracy), "count": entry.count} for entry in filled
    ]
    spec = {
        "kind": "calibration",
        "unit": "percent",
        "x_title": _("Confidence of the AI"),
        "y_title": _("How often it was right"),
        "sets": [
            _set(_("Replies"), "acento", points),
            _set(_("Ideal"), "gris", [{"x": 0, "y": 0}, {"x": 100, "y": 100}]),
        ],
    }
    return Chart("calibration", _("Does the confidence mean what it says?"), _trust(found.error, found.bias), spec)


def _trust(error: float | None, bias: float | None) -> str:
    if error is None or bias is None:
        return _("No reply has a confidence to compare with.")
    text = _("On average the confidence is off by %(off)s, as often upwards as downwards.")
    if bias > BALANCED:
        text = _("On average the confidence is off by %(off)s: the AI is surer than it should be.")
    if bias < -BALANCED:
        text = _("On average the confidence is off by %(off)s: the AI is more cautious than it needs to be.")
    return text % {"off": share(error)}


def _drafts(report: Report) -> Chart:
    total = report.drafts
    everything = _("As filtered") if report.question.is_filtered else _("All together")
    rows = [([everything], total), *((_lines(row), row.drafts) for row in report.versions[:MOST_BARS])]
    names = {
        "unchanged": _("Sent unchanged"),
        "edited": _("Edited"),
        "discarded": _("Thrown away"),
        "none": _("No draft"),
    }
    spec = {
        "kind": "shares",
        "unit": "percent",
        "labels": [label for label, _drafts_of in rows],
        "sets": [
            _set(label, DRAFT_COLOURS[use], [_percent(_part(drafts, use)) for _label, drafts in rows])
            for use, label in names.items()
        ],
    }
    essence = _(
        "Of %(n)s drafts, %(unchanged)s were sent unchanged, %(edited)s edited and %(discarded)s thrown away. "
        "The typical edit changed %(median)s of the text."
    ) % {
        "n": whole(total.offered),
        "unchanged": share(total.unchanged_share),
        "edited": share(total.edited / total.offered if total.offered else None),
        "discarded": share(total.discarded / total.offered if total.offered else None),
        "median": share(total.median),
    }
    return Chart("drafts", _("What became of the drafts"), essence, spec)


def _part(drafts: Drafts, use: str) -> float | None:
    return getattr(drafts, use) / drafts.total if drafts.total else None


def _lines(row: Version) -> list[str]:
    """What a bar is called, in lines short enough for a small screen."""
    return [engine_name(row.engine), *filter(None, (row.model, row.prompt_version))]


def _spending(report: Report) -> list[Chart]:
    parts, spent = report.spending, report.spent
    labels = [period(start, report.spending_axis) for start in report.spending_axis.starts]
    figures: list[tuple[str, str, str, list[Any], str]] = [
        ("milliseconds", _("Time for an analysis"), "ms", [part.milliseconds_each for part in parts], "turquesa"),
        ("tokens", _("Tokens"), "number", [part.tokens for part in parts], "indigo"),
        ("cost", _("Cost"), "money", [float(part.cost) for part in parts], "ambar"),
    ]
    essences = {
        "milliseconds": _("An analysis took %(time)s on average.") % {"time": duration(spent.milliseconds_each)},
        "tokens": _("%(tokens)s tokens in %(n)s analyses.") % {"tokens": whole(spent.tokens), "n": whole(spent.calls)},
        "cost": _("%(cost)s in all.") % {"cost": money(spent.cost)},
    }
    return [
        Chart(
            name,
            title,
            essences[name],
            {"kind": "bars", "unit": unit, "labels": labels, "sets": [_set(title, colour, values)]},
        )
        for name, title, unit, values, colour in figures
    ]


def _labels(report: Report) -> list[str]:
    return [period(start, report.axis) for start in report.axis.starts]


def _set(label: str, colour: str, values: Sequence[Any]) -> Spec:
    return {"label": label, "colour": colour, "values": list(values)}


def _percent(value: float | None) -> float | None:
    return None if value is None else round(value * 100, 1)
