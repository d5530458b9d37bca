"""What the monitor and Prometheus ask every few seconds goes by an index, however large the tables are."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import connection

from inquiries import metrics
from inquiries.metrics.collector import TablesCollector
from inquiries.models import Analysis, Heartbeat
from inquiries.states import AnalysisState

pytestmark = pytest.mark.django_db
LARGE = re.compile(r"inquiries_(analysis|inquiry|delivery)\b")
# Indexes of few rows, or read newest first up to a limit.
SHORT = re.compile(r"(analysis|delivery|inquiry)_(due|done|failed|finished|troubled|waiting|review|provisional)\b")
INDEXES = {
    "analysis_due",
    "analysis_done",
    "analysis_failed",
    "delivery_due",
    "delivery_finished",
    "delivery_troubled",
    "inquiry_ai_state",
}


@pytest.fixture
def asked(make_inquiry, settings) -> list[tuple[str, tuple]]:
    """Every question of both, with one analysis late, so that none is left out."""
    settings.AI_ENGINE, settings.OPENAI_API_KEY, settings.HAS_MAIL = "auto", "k", True
    Heartbeat.objects.create(worker="caja:7", version="0.1.0", threads=8)
    Analysis.objects.filter(inquiry=make_inquiry()).update(due_at="2020-01-01T00:00:00Z")
    make_inquiry(ai_state=AnalysisState.FAILED)
    questions: list[tuple[str, tuple]] = []

    def note(execute, sql, params, many, context):
        if sql.startswith("SELECT"):  # and no savepoint
            questions.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        metrics.backlog(), metrics.pace(), metrics.mail(), metrics.workers(), metrics.spent(), metrics.backup()
        metrics.ai_service(), metrics.mail_service()
        list(metrics.last_failures()), list(metrics.waiting_to_try_again()), list(metrics.troubled_mails())
        list(TablesCollector().collect())
    return questions


def _plan(sql: str, params: tuple) -> Iterator[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            yield from (row[3] for row in cursor.fetchall())
        else:
            cursor.execute("SET LOCAL enable_seqscan = off")  # few rows here: it would not be worth an index
            cursor.execute(f"EXPLAIN {sql}", params)
            yield from (row[0] for row in cursor.fetchall())


def test_no_question_reads_a_large_table_or_index_from_end_to_end(asked):
    used: set[str] = set()
    for sql, params in asked:
        for line in _plan(sql, params):
            used |= {name for name in INDEXES if name in line}
            is_scan = "Seq Scan" in line or line.lstrip().startswith("SCAN")
            assert not (is_scan and LARGE.search(line)) or SHORT.search(line), f"{line}\n{sql}"
    assert used == INDEXES


def test_every_list_and_count_has_an_end(asked):
    """But for single rows, what is read of the large tables is limited."""
    for sql, _params in asked:
        if LARGE.search(sql):
            assert "LIMIT" in sql, sql
