from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from inquiries.models import Category
from inquiries.tests.processes import wait_until
from pok.sqlite.base import hurry
from pok.sqlite.turns import Turns

sqlite_only = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's writers")


def test_turns_come_in_the_order_of_asking():
    turns, order, threads = Turns(), [], []
    assert turns.take(0)
    for number in range(5):
        thread = threading.Thread(target=lambda number=number: (turns.take(5), order.append(number), turns.give_back()))
        thread.start()
        threads.append(thread)
        wait_until(lambda number=number: len(turns._waiting) == number + 1, 5, "the thread waits")
    turns.give_back()
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]
    assert turns.take(0)


def test_who_waits_too_long_leaves_the_queue():
    turns = Turns()
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give_back()
    assert turns.take(0)


def test_no_two_have_a_turn_at_once():
    turns, inside, most = Turns(), [0], [0]

    def work() -> None:
        for _ in range(200):
            assert turns.take(10)
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            inside[0] -= 1
            turns.give_back()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == [1]
    assert turns.take(0)


@contextmanager
def held_turn():
    """Somebody else of this process writes."""
    turns = connections["default"].turns
    assert turns.take(0)
    yield
    turns.give_back()


def is_free() -> bool:
    """Tell whether nobody of this process writes."""
    turns = connections["default"].turns  # type: ignore[attr-defined]
    if turns.take(0):
        turns.give_back()
        return True
    return False


@sqlite_only
@pytest.mark.django_db(transaction=True)
class TestConnection:
    def test_a_transaction_holds_the_turn_until_its_end(self):
        with transaction.atomic():
            assert not is_free()
            with transaction.atomic():
                Category.objects.create(name="Una")
            assert not is_free()
        assert is_free()

    @pytest.mark.parametrize("error", [ValueError, IntegrityError, KeyboardInterrupt])
    def test_an_error_gives_the_turn_back(self, error):
        with pytest.raises(error), transaction.atomic():
            raise error
        assert is_free()

    def test_a_connection_that_is_closed_in_its_transaction_gives_it_back(self):
        with transaction.atomic():
            connection.close()
            assert is_free()

    def test_a_transaction_that_does_not_begin_gives_it_back(self, monkeypatch):
        def refuse(self: object) -> None:
            raise OperationalError("database is locked")

        connection.ensure_connection()
        monkeypatch.setattr(
            "django.db.backends.sqlite3.base.DatabaseWrapper._start_transaction_under_autocommit", refuse
        )
        with pytest.raises(OperationalError), transaction.atomic():
            pass
        monkeypatch.undo()
        assert is_free()

    def test_reading_waits_for_nobody(self):
        with held_turn():
            assert Category.objects.count() == 0

    @pytest.mark.parametrize(
        "write",
        [
            lambda: Category.objects.create(name="Dos"),
            lambda: Category.objects.update(name="Tres"),
            lambda: Category.objects.filter(name="x")._raw_delete("default"),
            lambda: connection.cursor().executemany("DELETE FROM inquiries_category WHERE id = %s", [(1,), (2,)]),
        ],
    )
    def test_a_single_statement_that_writes_waits_for_its_turn(self, write, monkeypatch):
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.05)
        with held_turn(), pytest.raises(OperationalError, match="no turn"):
            write()
        write()
        assert is_free()

    def test_of_many_writers_none_fails_or_starves(self):
        counts = [0] * 6
        end = time.monotonic() + 1

        def work(number: int) -> None:
            while time.monotonic() < end:
                with transaction.atomic():
                    Category.objects.update_or_create(name=f"c{number}")
                counts[number] += 1
            connection.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(counts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert min(counts) > max(counts) / 2

    def test_work_that_can_be_done_again_does_not_wait_for_the_disk(self):
        def synchronous() -> int:
            with connection.cursor() as cursor:
                return cursor.execute("PRAGMA synchronous").fetchone()[0]

        connection.close()
        assert synchronous() == 2
        with transaction.atomic():
            hurry()  # too late for this one
        assert synchronous() == 2
        hurry()
        assert synchronous() == 1
        connection.close()
        assert synchronous() == 2

    def test_marks_for_parameters_are_turned(self):
        with connection.cursor() as cursor:
            assert cursor.execute("SELECT %s, '100%%'", [7]).fetchone() == (7, "100%")
            assert cursor.execute("SELECT %(a)s", {"a": 8}).fetchone() == (8,)
            assert cursor.execute("SELECT '%s'").fetchone() == ("%s",)
