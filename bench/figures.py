"""What a measurement gives, and how it is shown: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. It keeps to its `floor`, or even its `goal`; a goal below the floor means: less is better.

    Without either it only informs.
    """

    name: str
    value: float
    unit: str  # x for a ratio, else ms, MB, /s, queries …
    floor: float | None = None
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """`goal`, `floor`, `missed`, or nothing where no bound is set."""
        if self.floor is None and self.goal is None:
            return ""
        if self.goal is not None and self._keeps(self.goal):
            return "goal"
        return "floor" if self.floor is not None and self._keeps(self.floor) else "missed"

    def _keeps(self, bound: float) -> bool:
        less_is_better = self.floor is None or self.goal is None or self.goal < self.floor
        return self.value <= bound if less_is_better else self.value >= bound


def as_table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines under a head."""
    rows: list[tuple[str, ...]] = [("what", "measured", "floor", "goal", "")]
    for figure in figures:
        bounds = [_number(bound, figure.unit) for bound in (figure.floor, figure.goal)]
        rows.append((figure.name, _number(figure.value, figure.unit), *bounds, figure.verdict))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    name, *numbers = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([name.strip().ljust(widths[0]), *numbers]).rstrip()


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    text = f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"
    return f"{text} {unit}" if unit != "x" else f"{text}x"


def as_json(figures: Iterable[Figure]) -> str:
    """Return the figures as a JSON list."""
    return json.dumps([asdict(figure) | {"verdict": figure.verdict} for figure in figures], indent=2)
