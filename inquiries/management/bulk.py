"""Rows by the hundred thousand, the quickest way each database has: COPY on PostgreSQL, prepared rows on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from django.core.management.color import no_style
from django.db import connection
from django.db.models import DateTimeField, DecimalField, Field, JSONField, Max, Model

Row = Mapping[str, Any]
ADAPTED = (DateTimeField, DecimalField, JSONField)


class Table:
    """Writes rows of one model; columns that no row names get the model's default, or the database's.

    Every row of one `write` names the same columns (attribute names: `category_id`). Nothing is validated.
    """

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.fields = {field.attname: field for field in model._meta.concrete_fields}

    def next_id(self) -> int:
        """The first free number."""
        return int(self.model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1

    def write(self, rows: Sequence[Row]) -> None:
        """Insert the rows inside the caller's transaction."""
        if not rows:
            return
        names, constants = list(rows[0]), self._defaults(set(rows[0]))
        prepare = [self._preparer(self.fields[name]) for name in names]
        rest = tuple(constants.values())
        values = [tuple(ready(row[name]) for name, ready in zip(names, prepare, strict=True)) + rest for row in rows]
        self._insert([self.fields[name] for name in (*names, *constants)], values)

    def _defaults(self, given: set[str]) -> dict[str, Any]:
        blank = self.model()
        return {
            name: self._preparer(field)(getattr(blank, name))
            for name, field in self.fields.items()
            if name not in given and not field.primary_key and not field.has_db_default()
        }

    def _preparer(self, field: Field[Any, Any]) -> Callable[[Any], Any]:
        """What makes the database's value out of Python's; most are the same, and Django's own way is slow."""
        if isinstance(field, ADAPTED):
            return lambda value: field.get_db_prep_save(value, connection)
        return _as_it_is

    def _insert(self, fields: Sequence[Field[Any, Any]], values: Sequence[tuple[Any, ...]]) -> None:
        quote = connection.ops.quote_name
        target = f"{quote(self.model._meta.db_table)} ({', '.join(quote(str(field.column)) for field in fields)})"
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cast("Any", cursor).copy(f"COPY {target} FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
            else:
                places = ", ".join(["%s"] * len(fields))
                # Only names of our own columns are put into the SQL here.
                cursor.executemany(f"INSERT INTO {target} VALUES ({places})", values)  # noqa: S608


def _as_it_is(value: Any) -> Any:
    return value


def reset_numbers(*models: type[Model]) -> None:
    """Let the database number on after rows that brought their own numbers."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
