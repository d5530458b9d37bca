"""How good the AI is, by what people made of it: the figures of the quality page. Reads only.

A figure counts sent replies (`Outcome`), so an inquiry that was answered twice counts twice. The AI's value agrees
where it is the value that held when the reply was sent. A value that no person set agrees by itself, unless a later
reading changed it: that is why what people touched is told apart. Days are days of TIME_ZONE, as `Usage` keeps them.

All sums are the database's, and none reads more rows than the span holds.
"""

from __future__ import annotations

from inquiries.quality.report import Report, report
from inquiries.quality.span import SPANS, Question

__all__ = ["SPANS", "Question", "Report", "report"]
