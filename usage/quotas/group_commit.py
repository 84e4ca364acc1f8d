"""Group commit: requests of many threads, executed by one of them for all that wait.

If everybody needs the same lock, waiting for it once is cheaper than each in turn: one transaction, one round
trip, one write to disk for all. The method is flat combining (Hendler, Incze, Shavit, Tzafrir: "Flat Combining
and the Synchronization-Parallelism Tradeoff", SPAA 2010), with the database in place of the data structure.
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
    """One thread's place in a queue. `turn` is set when it is answered, or when it is to work for all."""

    asked: Asked
    answer: Future[Answer] = field(default_factory=Future)
    turn: threading.Event = field(default_factory=threading.Event)


class GroupCommit(Generic[Asked, Answer]):
    """`do(key, asked)` answers what `work([asked])[0]` would; those of one key may be worked at together.

    `work` gets what is asked in the order in which it came, at most `most` at a time, and returns an answer for
    each. What it raises is raised to everybody it worked for.
    """

    def __init__(self, work: Callable[[Sequence[Asked]], Sequence[Answer]], most: int) -> None:
        self._work, self._most = work, most
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, list[_Place[Asked, Answer]]] = {}

    def do(self, key: Hashable, asked: Asked) -> Answer:
        """Waits for the thread that works for this key, unless that answers this request too, and then works
        for all.
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
        """Answers the first waiting requests, including this thread's, and leaves the others to the next
        thread.
        """
        with self._lock:
            places = self._waiting[key][: self._most]
        try:
            answers = self._work([place.asked for place in places])
            for place, answer in zip(places, answers, strict=True):
                place.answer.set_result(answer)
        except BaseException as error:  # even a thread that is stopped leaves nobody waiting for ever
            for place in places:
                if not place.answer.done():
                    place.answer.set_exception(error)
        with self._lock:
            waiting = self._waiting[key] = self._waiting[key][len(places) :]
            if not waiting:
                del self._waiting[key]
        for place in [*places, *waiting[:1]]:
            place.turn.set()
