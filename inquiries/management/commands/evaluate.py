"""`manage.py evaluate FILE.jsonl`: how often an engine is right on messages whose labels are known."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from inquiries import evaluation
from inquiries.ai.measures import NO_ANSWER
from inquiries.evaluation import ENGINES, Desk, Evaluation, EvaluationError, Sample

DEFAULT_CONCURRENCY = {"embedded": 1, "openai": 8}
MOST_CONCURRENT = 64
Figures = dict[str, Any]


class Command(BaseCommand):
    help = 'Measure an engine on a JSON Lines file: {"text", "category"?, "sentiment"?} on each line.'
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.jsonl")
        parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0])
        parser.add_argument("--limit", type=_positive, metavar="N", help="only the first N usable messages")
        parser.add_argument(
            "--concurrency", type=_positive, metavar="N", help="calls at a time: 1 embedded, 8 openai unless given"
        )
        parser.add_argument("--json", type=Path, metavar="OUT", dest="out", help="write the figures to this file, too")

    def handle(self, *args: Any, **options: Any) -> None:
        out = options["out"]
        if out:
            _refuse_unwritable(out, options["file"])
        try:
            figures = evaluation.report(self._evaluate(options))
        except EvaluationError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError(_("Interrupted; no figures were written."), returncode=130) from None
        # Shown first: a disk that has filled up meanwhile must not cost the figures.
        self.stdout.write("\n".join(table(figures)))
        if out:
            _write(out, json.dumps(figures, ensure_ascii=False, indent=2) + "\n")

    def _evaluate(self, options: dict[str, Any]) -> Evaluation:
        name, path = options["engine"], options["file"]
        desk = evaluation.current_desk()
        if not desk.has_own_categories:
            self.stderr.write(_("The database has no category: the default ones are used."), self.style.WARNING)
        samples, skipped = evaluation.read_samples(path, desk, options["limit"])
        for entry in skipped:
            self.stderr.write(
                _("Line %(line)d is skipped: %(why)s.") % {"line": entry.line, "why": entry.why}, self.style.WARNING
            )
        if not samples:
            raise EvaluationError(_("%(path)s has no usable line.") % {"path": path})
        done = Evaluation(name, desk, skipped)
        concurrency = min(options["concurrency"] or DEFAULT_CONCURRENCY[name], MOST_CONCURRENT)
        self._ask(done, samples, desk, concurrency)
        return done

    def _ask(self, done: Evaluation, samples: list[Sample], desk: Desk, concurrency: int) -> None:
        """Fill in the outcomes, with a bar on a terminal and one closing line elsewhere."""
        self.stderr.write(_("Preparing the engine: a moment, or a minute or two where no worker has trained it yet."))
        engine = evaluation.make_engine(done.engine, desk)
        has_bar = self.stderr.isatty()
        started, cpu = time.monotonic(), time.process_time()
        # tqdm redraws its line itself, while Django's wrapper would end each drawing with a new line.
        with tqdm(total=len(samples), file=sys.stderr, disable=not has_bar, unit="msg", dynamic_ncols=True) as bar:
            for outcome in evaluation.ask_all(engine, samples, desk, concurrency):
                done.outcomes.append(outcome)
                bar.update()
        done.cpu_seconds = time.process_time() - cpu
        if not has_bar:
            seconds = time.monotonic() - started
            self.stderr.write(
                _("%(count)d messages were read in %(seconds).1f s.") % {"count": len(samples), "seconds": seconds}
            )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ArgumentTypeError(_("a whole number from 1 up is needed, not “%(text)s”") % {"text": text})
    return number


def _refuse_unwritable(out: Path, source: Path) -> None:
    """Raise CommandError now rather than after an hour of paid calls."""
    if out.exists() and source.exists() and out.samefile(source):
        raise CommandError(_("%(path)s is the file to read; the figures need another one.") % {"path": out})
    is_new = not out.exists()
    _write(out, "", mode="a")
    if is_new:
        out.unlink()


def _write(out: Path, text: str, mode: str = "w") -> None:
    try:
        with out.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        problem = {"path": out, "error": error.strerror}
        raise CommandError(_("%(path)s cannot be written: %(error)s.") % problem) from error


def table(figures: Figures) -> Iterator[str]:
    """Yield the lines that a person reads."""
    yield from _summary(figures)
    for label, title in (("category", _("Category")), ("sentiment", _("Sentiment"))):
        if label in figures:
            yield from ("", title.upper(), *_scores(figures[label]), "", *_confusion(figures[label]["confusion"]))
    if "calibration" in figures:
        yield ""
        yield _("Calibration error of the confidence (ECE): %(ece)s") % {"ece": _percent(figures["calibration"]["ece"])}


def _summary(figures: Figures) -> Iterator[str]:
    count, errors, times, tokens = (figures[key] for key in ("messages", "errors", "milliseconds", "tokens"))
    kinds = ", ".join(f"{kind} {times_seen}" for kind, times_seen in errors.items())
    cost = _("no price is set") if figures["cost"] is None else f"{figures['cost']:.4f}"
    rows = {
        _("Engine"): f"{figures['engine']} ({figures['model']})" if figures["model"] else figures["engine"],
        _("Messages"): str(count),
        _("Errors (count as wrong)"): f"{sum(errors.values())} ({kinds})" if errors else "0",
        _("Skipped lines"): str(len(figures["skipped"])),
        _("To be reviewed"): _part(figures["needs_review"], count),
        _("Abstained (best guess counts)"): _part(figures["abstained"], count),
        _("Milliseconds"): f"p50 {times['p50']:.1f}, p95 {times['p95']:.1f}, CPU {times['cpu']:.1f}",
    }
    if figures["engine"] == "openai":
        rows |= {_("Tokens"): f"{tokens['in']} + {tokens['out']}", _("Cost"): cost}
    width = max(map(len, rows))
    for name, value in rows.items():
        yield f"{name:{width}}  {value}"


def _scores(scores: Figures) -> Iterator[str]:
    low, high = scores["macro_f1_interval"]
    yield _("accuracy %(accuracy)s, macro-F1 %(f1)s (95 %%: %(low)s to %(high)s), over the classes labelled") % {
        "accuracy": _percent(scores["accuracy"]),
        "f1": _percent(scores["macro_f1"]),
        "low": _percent(low),
        "high": _percent(high),
    }
    heads = ("", _("precision"), _("recall"), _("F1"), _("labelled"))
    yield from _aligned(
        [
            heads,
            *(
                (name, _percent(row["precision"]), _percent(row["recall"]), _percent(row["f1"]), str(row["support"]))
                for name, row in scores["classes"].items()
            ),
        ]
    )


def _confusion(cells: dict[str, dict[str, int]]) -> Iterator[str]:
    """Yield the matrix; its columns carry the rows' numbers, for names would make it too wide."""
    answers = {name for row in cells.values() for name in row}
    names = sorted((cells.keys() | answers) - {NO_ANSWER})
    numbers = [str(number) for number in range(1, len(names) + 1)]
    columns, heads = list(names), list(numbers)
    if NO_ANSWER in answers:
        columns.append(NO_ANSWER)
        heads.append(_("none"))
    yield _("Rows: what people say. Columns: what the engine says.")
    rows = [("", *heads)]
    for number, name in zip(numbers, names, strict=True):
        counts = cells.get(name, {})
        rows.append((f"{number} {name}", *(str(counts.get(column, "·")) for column in columns)))
    yield from _aligned(rows)


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield the rows with the first column flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *cells)).rstrip()


def _part(count: int, whole: int) -> str:
    return f"{count} ({_percent(count / whole)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
