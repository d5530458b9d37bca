from __future__ import annotations

import itertools
import threading

from django.core.cache import caches

from pok.kept import Kept


def counting(name: str, seconds: float = 60) -> Kept[list[int]]:
    numbers = itertools.count()
    return Kept(name, seconds, lambda: [next(numbers)])


def test_it_is_read_once_and_shared():
    kept = counting("a")
    assert kept.get() is kept.get()
    assert kept.get() == [0]


def test_it_is_read_anew_when_its_time_is_over_or_somebody_says_so():
    kept = counting("b", seconds=0.0)
    assert [kept.get(), kept.get()] == [[0], [1]]
    kept = counting("c")
    assert kept.get() == [0]
    kept.forget()
    assert kept.get() == [1]
    caches["local"].clear()
    assert kept.get() == [2]


def test_two_of_one_name_do_not_take_each_others_object():
    first, second = counting("d"), Kept("d", 60, lambda: "other")
    assert (first.get(), second.get(), first.get()) == ([0], "other", [1])


def test_none_may_be_kept():
    reads = itertools.count()
    kept = Kept("e", 60, lambda: next(reads) and None)
    assert kept.get() == 0
    kept.forget()
    assert (kept.get(), kept.get()) == (None, None)
    assert next(reads) == 2


def test_threads_that_ask_at_once_get_a_whole_object():
    kept, found = counting("f"), []
    threads = [threading.Thread(target=lambda: found.append(kept.get())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(found) == 20
    assert all(value for value in map(len, found))
