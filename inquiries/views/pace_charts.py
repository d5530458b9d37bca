"""The monitor's small charts of the last hour: bars as numbers for an SVG, and what they say in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inquiries.metrics import Pace, Quantiles, Slice
from inquiries.templatetags.monitor import lasting

WIDTH, HEIGHT = 240.0, 64.0  # of the viewBox
GAP = 3.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A column: `whole` is its full height and `strong` the part drawn dark, both in units of the viewBox."""

    x: float
    width: float
    whole: float
    strong: float
    label: str

    @property
    def whole_y(self) -> float:
        return HEIGHT - self.whole

    @property
    def strong_y(self) -> float:
        return HEIGHT - self.strong


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart; `top` is what the full height stands for, `legend` names the dark part and the whole."""

    name: str
    title: str
    essence: str
    top: str
    legend: tuple[str, str]
    bars: tuple[Bar, ...]


def pace_charts(pace: Pace) -> list[Chart]:
    """Return what was finished, the waiting and the reading, by slices of the last hour."""
    return [_finished(pace), _waiting(pace), _reading(pace)]


def _finished(pace: Pace) -> Chart:
    total = pace.total.done + pace.total.failed
    essence = ngettext("%(n)s analysis finished", "%(n)s analyses finished", total) % {"n": total}
    if pace.total.failed:
        essence += _(", %(n)s of them failed") % {"n": pace.total.failed}
    pairs = [(float(part.done), float(part.done + part.failed)) for part in pace.slices]
    labels = [
        _("%(time)s: %(done)s done, %(failed)s failed")
        % {"time": clock(part.start), "done": part.done, "failed": part.failed}
        for part in pace.slices
    ]
    top = str(int(max(whole for _strong, whole in pairs)))
    legend = (_("done"), _("failed"))
    return Chart("finished", _("Finished"), essence, top, legend, _bars(pace.slices, pairs, labels))


def _waiting(pace: Pace) -> Chart:
    return _times("waiting", _("Waiting"), pace, pace.total.waiting, [part.waiting for part in pace.slices])


def _reading(pace: Pace) -> Chart:
    return _times("reading", _("Analysis"), pace, pace.total.reading, [part.reading for part in pace.slices])


def _times(name: str, title: str, pace: Pace, total: Quantiles, each: Sequence[Quantiles]) -> Chart:
    pairs = [(found.median or 0.0, found.p95 or 0.0) for found in each]
    labels = [
        _("%(time)s: median %(median)s, 95 %% within %(p95)s")
        % {"time": clock(part.start), "median": lasting(found.median), "p95": lasting(found.p95)}
        for part, found in zip(pace.slices, each, strict=True)
    ]
    essence = _("Nothing to measure")
    if total.median is not None:
        essence = _("median %(median)s, 95 %% within %(p95)s") % {
            "median": lasting(total.median),
            "p95": lasting(total.p95),
        }
    top = max(whole for _strong, whole in pairs)
    legend = (_("median"), _("95 %"))
    return Chart(name, title, essence, lasting(top) if top else "", legend, _bars(pace.slices, pairs, labels))


def clock(moment: datetime) -> str:
    """The time of day in the person's zone."""
    return date_format(localtime(moment), "H:i")


def _bars(slices: Sequence[Slice], pairs: Sequence[tuple[float, float]], labels: Sequence[str]) -> tuple[Bar, ...]:
    top = max((whole for _strong, whole in pairs), default=0.0) or 1.0
    step = WIDTH / len(slices)
    return tuple(
        Bar(
            x=round(index * step + GAP / 2, 1),
            width=round(step - GAP, 1),
            whole=_height(whole / top),
            strong=_height(strong / top),
            label=label,
        )
        for index, (part, (strong, whole), label) in enumerate(zip(slices, pairs, labels, strict=True))
        if part.is_known
    )


def _height(share: float) -> float:
    # The smallest value is still to be seen.
    return max(round(share * HEIGHT, 1), 1.5) if share else 0.0
