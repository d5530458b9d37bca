"""`python -m bench [row …]`: measure and print a table; `--json FILE` writes the same for programs.

A row is a module of this package with `measure() -> list[Figure]`. Each makes a fresh installation of its own and
takes it away afterwards.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from bench.figures import Figure, as_json, as_table

ROWS = ("intake", "worker", "latency", "memory", "lists", "search", "counters", "poll")


def main() -> int:
    """Measure the rows that were asked for; 1 where a figure misses its floor."""
    known = [row for row in ROWS if find_spec(f"bench.{row}")]
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure POK; see the package's modules.")
    parser.add_argument("rows", nargs="*", metavar="row", help=f"all without one: {', '.join(known)}")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    options = parser.parse_args()
    if unknown := set(options.rows) - set(known):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    for row in options.rows or known:
        figures += measured(row)
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(as_json(figures) + "\n")
    sys.stdout.write(f"\n{as_table(figures)}\n")
    return 1 if any(figure.verdict == "missed" for figure in figures) else 0


def measured(row: str) -> list[Figure]:
    """Measure one row and say so on standard error."""
    sys.stderr.write(f"bench: {row} …\n")
    started = time.monotonic()
    figures: list[Figure] = import_module(f"bench.{row}").measure()
    sys.stderr.write(f"{as_table(figures)}\nbench: {row} took {time.monotonic() - started:.0f} s\n")
    return figures


if __name__ == "__main__":
    sys.exit(main())
