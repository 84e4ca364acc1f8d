"""Group commit: one thread executes the waiting requests of several threads together.

If all requests need the same lock, it is cheaper to wait for it once: all of them share one transaction, one
round trip and one write to disk. The method is flat combining (Hendler, Incze, Shavit, Tzafrir: "Flat Combining
and the Synchronization-Parallelism Tradeoff", SPAA 2010), applied to a database instead of a data structure.
"""

import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass
class _Place(Generic[Asked, Answer]):
    """The entry of one thread in the queue.

    `turn` is set when the request is answered, or when this thread must execute the waiting requests.
    """

    asked: Asked
    answer: Future[Answer] = field(default_factory=Future)
    turn: threading.Event = field(default_factory=threading.Event)


class GroupCommit(Generic[Asked, Answer]):
    """Executes requests with `work`, several with the same key at a time.

    `work` gets a list of at most `most` requests, in the order in which they arrived, and must return an answer
    for each. If it raises an exception, that is raised in all threads whose requests it got.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answer]], most: int) -> None:
        self._work, self._most = work, most
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, list[_Place[Asked, Answer]]] = {}

    def do(self, key: Hashable, asked: Asked) -> Answer:
        """Executes a request and returns its answer; blocks until then.

        While another thread works for the same key, this one waits. Then its request either was executed by
        that thread, or it executes all waiting requests itself.
        """
        place: _Place[Asked, Answer] = _Place(asked)
        with self._lock:
            is_alone = key not in self._waiting
            self._waiting.setdefault(key, []).append(place)
        if not is_alone:
            place.turn.wait()
        if not place.answer.done():
            self._work_for_all(key)
        return place.answer.result()

    def _work_for_all(self, key: Hashable) -> None:
        """Executes the first waiting requests, including this thread's, then lets the next thread execute the
        others.
        """
        with self._lock:
            places = self._waiting[key][: self._most]
        try:
            answers = self._work([place.asked for place in places])
            for place, answer in zip(places, answers, strict=True):
                place.answer.set_result(answer)
        except BaseException as error:  # even if this thread is stopped, no other thread may wait forever
            for place in places:
                if not place.answer.done():
                    place.answer.set_exception(error)
        with self._lock:
            waiting = self._waiting[key] = self._waiting[key][len(places) :]
            if not waiting:
                del self._waiting[key]
        for place in [*places, *waiting[:1]]:
            place.turn.set()
