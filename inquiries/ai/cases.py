"""Solved cases in a request that was sent: other customers' words, which go when those customers do."""

from __future__ import annotations

from collections.abc import Callable

from inquiries.ai.engine import ShownExample
from inquiries.ai.prompts import CASE_TAG, CASES_TAG, cases_block

OPENING, CLOSING = f"<{CASES_TAG}>\n", f"\n</{CASES_TAG}>\n"
CASE_END = f"\n</{CASE_TAG}>"
ERASED = f"<{CASE_TAG}>\n[…]{CASE_END}"


def case_key(text: str) -> str:
    """Return what identifies an example's text within a sent request: the line that its case shows of it."""
    return _key(cases_block([ShownExample(text)]).removeprefix(OPENING))


def without_cases(sent: str, is_theirs: Callable[[str], bool]) -> str:
    """Return the request with "[…]" in place of every case whose key `is_theirs`; all else stays as it was sent.

    The block stands before anything that the customer wrote, and nobody's text can close it.
    """
    block, closing, rest = sent.removeprefix(OPENING).partition(CLOSING)
    if not sent.startswith(OPENING) or not closing:
        return sent
    cases = (case for case in f"{block}\n".split(f"{CASE_END}\n") if case)
    kept = "\n".join(ERASED if is_theirs(_key(case)) else f"{case}{CASE_END}" for case in cases)
    return f"{OPENING}{kept}{closing}{rest}"


def _key(case: str) -> str:
    """Return the second line of a case: the first is its tag, each of the others begins with what it is."""
    return case.split("\n")[1]
