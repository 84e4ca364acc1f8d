"""Work asked for by many threads at a time is done by one of them for all that wait, and nobody waits for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from usage.quotas.group_commit import GroupCommit

THREADS = 8


class Gate:
    """Work that doubles numbers, but begins only when it is let; it notes what it was given at a time."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.is_open = threading.Event()
        self.has_begun = threading.Event()

    def __call__(self, asked: Any) -> list[Any]:
        self.batches.append(list(asked))
        self.has_begun.set()
        assert self.is_open.wait(30)
        if 13 in asked:
            raise ValueError("thirteen")
        return [2 * number for number in asked]


def ask_all(together: GroupCommit[Any, Any], gate: Gate, numbers: list[int], key: str = "k") -> list[Any]:
    """Asks for the first, and while it is at work for the others; the futures, in order."""
    pool = ThreadPoolExecutor(len(numbers))
    futures = [pool.submit(together.do, key, numbers[0])]
    assert gate.has_begun.wait(30)
    futures += [pool.submit(together.do, key, number) for number in numbers[1:]]
    while len(together._waiting[key]) < len(numbers):
        threading.Event().wait(0.001)
    gate.is_open.set()
    pool.shutdown()
    return futures


def test_what_comes_while_somebody_works_is_done_in_one_go() -> None:
    gate = Gate()
    together = GroupCommit(gate, most=32)
    futures = ask_all(together, gate, list(range(THREADS)))
    assert [future.result() for future in futures] == [2 * number for number in range(THREADS)]
    assert (gate.batches[0], sorted(gate.batches[1])) == ([0], list(range(1, THREADS)))
    assert together._waiting == {}


def test_no_more_than_the_most_are_done_at_a_time() -> None:
    gate = Gate()
    futures = ask_all(GroupCommit(gate, most=3), gate, list(range(THREADS)))
    assert [future.result() for future in futures] == [2 * number for number in range(THREADS)]
    assert [len(batch) for batch in gate.batches] == [1, 3, 3, 1]


def test_what_goes_wrong_is_raised_to_all_it_was_done_for_and_to_nobody_else() -> None:
    gate = Gate()
    together = GroupCommit(gate, most=3)
    futures = ask_all(together, gate, [0, 13, 2, 3, 4, 5])
    failed = [future.exception() for future in futures if future.exception()]
    assert {type(error) for error in failed} == {ValueError}
    assert len(failed) == len(next(batch for batch in gate.batches if 13 in batch))
    assert together.do("k", 7) == 14


def test_a_thread_that_is_stopped_leaves_nobody_waiting() -> None:
    def stop(asked: Any) -> list[Any]:
        raise SystemExit

    together: GroupCommit[Any, Any] = GroupCommit(stop, most=3)
    with pytest.raises(SystemExit):
        together.do("k", 1)
    assert together._waiting == {}


def test_other_keys_do_not_wait() -> None:
    gate = Gate()
    together = GroupCommit(gate, most=3)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together.do, "one", 1)
        assert gate.has_begun.wait(30)
        second = pool.submit(together.do, "two", 2)
        while len(gate.batches) < 2:
            threading.Event().wait(0.001)
        gate.is_open.set()
        assert (first.result(), second.result()) == (2, 4)
