"""Insert a row with SQL that is put together once for each table.

Django compiles an INSERT anew for every row; for a table of forty columns that takes several times longer than the
database needs for it, and an inquiry is three rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault


def insert(row: Model) -> None:
    """Insert a new row and set what the database made of it: its number and its moments.

    It sends no signals and takes no value for what the database sets itself. Raises IntegrityError as `save` does.
    """
    if not connection.features.can_return_columns_from_insert:
        row.save(force_insert=True)
        return
    database = connections[DEFAULT_DB_ALIAS]  # what `connection` stands for; looked up once, not for every value
    statement = _statement(type(row), database.vendor)
    values = statement.values(row, database)
    with database.cursor() as cursor:
        cursor.execute(statement.sql, values)
        made = cursor.fetchone()
    statement.set_made(row, made, database)
    row._state.adding = False
    row._state.db = database.alias


@lru_cache(maxsize=16)
def _statement(model: type[Model], vendor: str) -> Statement:
    return Statement(model)


class Statement:
    """The INSERT of one table in the dialect of the database in use."""

    def __init__(self, model: type[Model]) -> None:
        fields = model._meta.concrete_fields
        self._made = [field for field in fields if field.primary_key or field.has_db_default()]
        self._given = [field for field in fields if field not in self._made]
        self._converters = [_converters(field) for field in self._made]
        names, places, made = _columns(self._given), ", ".join(["%s"] * len(self._given)), _columns(self._made)
        # Names of our own tables and columns, quoted; every value is a parameter.
        self.sql = f"INSERT INTO {_quoted(model._meta.db_table)} ({names}) VALUES ({places}) RETURNING {made}"  # noqa: S608

    def values(self, row: Model, database: BaseDatabaseWrapper) -> list[Any]:
        """What the row gives, as the database takes it. Raises ValueError where it gives what the database sets."""
        for field in self._made:
            if not (row.__dict__[field.attname] is None or isinstance(row.__dict__[field.attname], DatabaseDefault)):
                raise ValueError(f"the database sets {field.name}")
        return [field.get_db_prep_save(field.pre_save(row, True), database) for field in self._given]

    def set_made(self, row: Model, values: tuple[Any, ...], database: BaseDatabaseWrapper) -> None:
        """Put what the database set into the row."""
        for field, value, (column, converters) in zip(self._made, values, self._converters, strict=True):
            setattr(row, field.attname, reduce(lambda old, to: to(old, column, database), converters, value))


def _columns(fields: Iterable[Field[Any, Any]]) -> str:
    return ", ".join(_quoted(str(field.column)) for field in fields)


def _quoted(name: str) -> str:
    quoted: str = connection.ops.quote_name(name)
    return quoted


def _converters(field: Field[Any, Any]) -> tuple[Any, list[Any]]:
    """How Django reads this column, and the expression that its readers are told of."""
    column = field.get_col(field.model._meta.db_table)
    return column, [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
