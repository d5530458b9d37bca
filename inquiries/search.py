"""Full text over name, e-mail and message: FTS5 on SQLite, tsvector on PostgreSQL, one interface.

Both fold accents and case, take every word as required and the last one as a beginning.
The SQLite triggers vanish silently when a migration rebuilds the table, so `install` runs after each migrate.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, F, Func, Model, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from inquiries.models import Inquiry

TABLE = "inquiries_inquiry"
COLUMNS = ("customer_name", "email", "message")
MAX_WORDS = 12
MAX_QUERY = 500  # characters
MAX_HITS = 5_000
SAMPLE = 500  # inquiries of either end
COMMON_FROM = 0.01  # the share that has them
M = TypeVar("M", bound=Model)

SQLITE_TRIGGERS = {
    "inquiry_fts_insert": f"AFTER INSERT ON {TABLE} BEGIN {{add}} END",
    "inquiry_fts_delete": f"AFTER DELETE ON {TABLE} BEGIN {{remove}} END",
    "inquiry_fts_update": f"AFTER UPDATE OF {', '.join(COLUMNS)} ON {TABLE} BEGIN {{remove}} {{add}} END",
}
ACCENTED = "áàâãäéèêëíìîïóòôõöúùûüñçÁÀÂÃÄÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÑÇ"
PLAIN = "aaaaaeeeeiiiiooooouuuuncAAAAAEEEEIIIIOOOOOUUUUNC"


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the index and whatever keeps it true; harmless where it exists."""
    if TABLE not in connection.introspection.table_names():
        return
    if connection.vendor == "sqlite":
        _install_sqlite(connection)
    elif connection.vendor == "postgresql":
        _install_postgresql(connection)


@contextmanager
def paused(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Load many rows at once: the index rests meanwhile and is made anew at the end, also after an error.

    It costs a quarter of keeping it up row by row, as long as most of the rows are new. Not inside a transaction,
    where PostgreSQL makes no index. A kill in between leaves what `is_installed` denies and the next migrate mends.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in SQLITE_TRIGGERS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            cursor.execute("DROP INDEX IF EXISTS inquiry_search")
    try:
        yield
    finally:
        install(connection)


def is_installed(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether new rows will be found."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (%s, %s, %s)",
                list(SQLITE_TRIGGERS),
            )
            return bool(cursor.fetchone()[0] == len(SQLITE_TRIGGERS))
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'inquiry_search'")
        return bool(cursor.fetchone()[0])


def matching(inquiries: QuerySet[Inquiry], text: str) -> QuerySet[Inquiry]:
    """Keep the inquiries that hold every word of `text`, or whose number it is."""
    number = text.strip().removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 18:
        by_number = inquiries.filter(pk=int(number))
        if by_number.exists() or text.strip().startswith("#"):
            return by_number
    words = words_of(text)
    if not words:
        return inquiries.none()
    if connections[inquiries.db].vendor == "sqlite":
        return inquiries.filter(pk__in=_sqlite_hits(words))
    return _postgresql_matching(inquiries, " ".join(words))


def words_of(text: str) -> list[str]:
    """Split as both indexes do: letters and digits are words, everything else separates."""
    # Composed first: what is pasted from some systems carries its accents as characters of their own.
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text[:MAX_QUERY]))[:MAX_WORDS]


def _sqlite_hits(words: list[str]) -> RawSQL:
    # Each word is quoted, so that no word is read as an operator; the newest hits are enough for a person.
    match = " ".join(f'"{word}"' for word in words) + "*"
    return RawSQL(
        "SELECT rowid FROM inquiry_fts WHERE inquiry_fts MATCH %s ORDER BY rowid DESC LIMIT %s",
        [match, MAX_HITS],
    )


def _postgresql_matching(inquiries: QuerySet[Inquiry], words: str) -> QuerySet[Inquiry]:
    """Ask row by row for what is common, by number for what is rare: the planner knows only the most frequent words.

    Left to it, a rare word may take seconds of walking the whole table, and a common one as long by its index.
    """
    connection = connections[inquiries.db]
    if _is_common(connection, words):
        return inquiries.filter(HasWords(F("pk"), Value(words)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH hits AS MATERIALIZED (SELECT id FROM {TABLE} WHERE search @@ pok_query(%s))"  # noqa: S608
            " SELECT id FROM hits ORDER BY id DESC LIMIT %s",
            [words, MAX_HITS],
        )
        return inquiries.filter(pk__in=[pk for (pk,) in cursor.fetchall()])


class HasWords(Func):
    """Tell whether the row with this number has these words; the column that knows is the database's own affair."""

    output_field = BooleanField()

    def as_sql(  # type: ignore[override]
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, list[Any]]:
        number, words = self.get_source_expressions()
        text, params = compiler.compile(words)
        return f"{compiler.quote_name_unless_alias(number.alias)}.search @@ pok_query({text})", [*params]


def _is_common(connection: BaseDatabaseWrapper, words: str) -> bool:
    """Tell whether the oldest and the newest inquiries have them: from either end a page is soon full."""
    ends = ", ".join(
        f"(SELECT count(*) FROM (SELECT search FROM {TABLE} ORDER BY id {order} LIMIT %s) AS rows"  # noqa: S608
        " WHERE search @@ pok_query(%s))"
        for order in ("ASC", "DESC")
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {ends}", [SAMPLE, words, SAMPLE, words])
        return bool(min(cursor.fetchone()) >= COMMON_FROM * SAMPLE)


def _install_sqlite(connection: BaseDatabaseWrapper) -> None:
    columns = ", ".join(COLUMNS)
    new, old = (", ".join(f"{row}.{column}" for column in COLUMNS) for row in ("new", "old"))
    # Only names of our own columns are put into the SQL here.
    add = f"INSERT INTO inquiry_fts(rowid, {columns}) VALUES (new.id, {new});"  # noqa: S608
    remove = f"INSERT INTO inquiry_fts(inquiry_fts, rowid, {columns}) VALUES ('delete', old.id, {old});"  # noqa: S608
    if is_installed(connection) and "inquiry_fts" in connection.introspection.table_names():
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS inquiry_fts USING fts5({columns}, content='{TABLE}',"
            " content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3')"
        )
        for name, body in SQLITE_TRIGGERS.items():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            cursor.execute(f"CREATE TRIGGER {name} {body.format(add=add, remove=remove)}")
        cursor.execute("INSERT INTO inquiry_fts(inquiry_fts) VALUES ('rebuild')")


def _install_postgresql(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = 'search'",
            [TABLE],
        )
        if cursor.fetchone() and is_installed(connection):
            return
    fold = (
        "public.unaccent('public.unaccent', $1)"
        if _may_unaccent(connection)
        else f"translate($1, '{ACCENTED}', '{PLAIN}')"
    )
    text = " || ' ' || ".join(COLUMNS)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        # unaccent() is only STABLE; naming its dictionary makes the wrapper safe to call IMMUTABLE.
        cursor.execute(
            "CREATE OR REPLACE FUNCTION pok_fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS"
            f" $$ SELECT lower({fold}) $$"
        )
        # Folded first, then every sign a blank: folding may bring signs in (ʼ becomes '), and the parser would keep
        # an address such as ana@x.co as one word.
        cursor.execute(
            "CREATE OR REPLACE FUNCTION pok_words(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS"
            " $$ SELECT regexp_replace(pok_fold($1), '[^[:alnum:]]+', ' ', 'g') $$"
        )
        cursor.execute(
            "CREATE OR REPLACE FUNCTION pok_query(text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS"
            " $$ SELECT CASE WHEN numnode(q) = 0 THEN q ELSE to_tsquery('simple', q::text || ':*') END"
            " FROM plainto_tsquery('simple', pok_words($1)) AS q $$"
        )
        cursor.execute(
            f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS search tsvector GENERATED ALWAYS AS"
            f" (to_tsvector('simple', pok_words({text}))) STORED"
        )
        cursor.execute(f"CREATE INDEX IF NOT EXISTS inquiry_search ON {TABLE} USING gin (search)")


def _may_unaccent(connection: BaseDatabaseWrapper) -> bool:
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public")
            cursor.execute(
                "SELECT 1 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
                " WHERE extname = 'unaccent' AND nspname = 'public'"
            )
            return cursor.fetchone() is not None
    except DatabaseError:  # no right to create it, or it is not on this server
        return False
