"""What SQLite's query planner believes about the inquiries: the figures of a large desk, from the first day on.

Without figures it takes every index for equally good, and at a million inquiries a sort takes seconds instead of
milliseconds. ANALYZE would find them, but holds the write lock as long as it reads. The order of magnitude of a desk is
no secret, and figures that are too large do a small desk no harm (https://www.sqlite.org/lang_analyze.html, section 3:
made-up entries are allowed). PostgreSQL looks for itself.
"""

from __future__ import annotations

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "inquiries_inquiry"
ROWS = 1_000_000
# Rows in the index, then rows for one value of its first column, of its first two … `manage.py seed_bench 1000000`
# followed by ANALYZE gave them.
FIGURES = {
    "inquiry_status": f"{ROWS} 200000 1",
    "inquiry_category": f"{ROWS} 166667 1",
    "inquiry_status_category": f"{ROWS} 200000 40000 1",
    "inquiry_sentiment": f"{ROWS} 250000 1",
    "inquiry_ai_state": f"{ROWS} 250000 1",
    "inquiry_created": f"{ROWS} 1 1",
    "inquiry_email": f"{ROWS} 4 1",
    "inquiry_waiting": "24500 1",
    "inquiry_review": "800 1",
    "inquiry_provisional": "500 1",
    "inquiry_to_learn": "100 1",
    "inquiry_labelled": "110000 1",
}
# Django's own indexes on foreign keys, whose names it makes up, by their column.
FIGURES_OF_COLUMN = {
    "category_id": f"{ROWS} 166667",
    "reply_by_id": f"{ROWS} 500000",
    "assignee_id": f"{ROWS} {ROWS}",
    "public_token": f"{ROWS} 1",
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Write the figures that are missing; a migration that rebuilt the table has taken them away."""
    if connection.vendor != "sqlite" or TABLE not in connection.introspection.table_names():
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("ANALYZE sqlite_master")  # makes the table of figures
        cursor.execute("SELECT idx FROM sqlite_stat1 WHERE tbl = %s", [TABLE])
        there = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT name FROM pragma_index_list(%s)", [TABLE])
        for name in [name for (name,) in cursor.fetchall() if name not in there]:
            if figures := _figures(connection, name):
                cursor.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", [TABLE, name, figures])
        cursor.execute("ANALYZE sqlite_master")  # read by this connection too


def _figures(connection: BaseDatabaseWrapper, index: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_index_info(%s) ORDER BY seqno LIMIT 1", [index])
        (column,) = cursor.fetchone()
    return FIGURES.get(index) or FIGURES_OF_COLUMN.get(column or "", "")
