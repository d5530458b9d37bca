"""UPDATEs in the ORM's own words whose SQL is put together once.

    finish = Update(Job.objects.filter(pk=Given("pk", Job)), state=Given("state", Job), finished_at=Now())
    finish(pk=7, state="done")

Django compiles an UPDATE anew each time, which takes several times longer than the database needs for it; for what
a worker does with every inquiry that is a good part of its work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Model, QuerySet, sql


@dataclass(frozen=True)
class Slot:
    """The place of a value among the parameters."""

    name: str
    field: Field[Any, Any]


class Given(Expression):
    """A value that is given when the statement runs, of the kind that the model's field of this name holds.

    `column` names the field where it is not called like the value.
    """

    def __init__(self, name: str, model: type[Model], column: str = "") -> None:
        field: Any = model._meta.pk if (column or name) == "pk" else model._meta.get_field(column or name)
        super().__init__(output_field=field.target_field if field.is_relation else field)
        self.slot = Slot(name, field)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Leave the place open."""
        return "%s", [self.slot]


class Update:
    """The UPDATE of these rows. Called with the values, it returns the number of rows that it changed."""

    def __init__(self, rows: QuerySet[Any], **values: Any) -> None:
        self._rows, self._values = rows, values
        self._compiled: dict[str, tuple[str, tuple[Any, ...]]] = {}

    def __call__(self, **given: Any) -> int:
        database = connections[DEFAULT_DB_ALIAS]
        if database.vendor not in self._compiled:
            self._compiled[database.vendor] = self._compile(database)
        statement, parameters = self._compiled[database.vendor]
        with database.cursor() as cursor:
            cursor.execute(statement, list(_filled(parameters, given, database)))
            return int(cursor.rowcount)

    def _compile(self, database: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        query: Any = self._rows.query.chain(sql.UpdateQuery)
        query.add_update_values(self._values)
        statement, parameters = query.get_compiler(database.alias).as_sql()
        return statement, tuple(parameters)


def _filled(parameters: tuple[Any, ...], given: dict[str, Any], database: BaseDatabaseWrapper) -> Iterator[Any]:
    """Put the values into their places, as the database takes them."""
    for parameter in parameters:
        if isinstance(parameter, Slot):
            yield parameter.field.get_db_prep_save(given[parameter.name], database)
        else:
            yield parameter
