"""The Callboard server of these tests, which can be stopped and started again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.serving import Scratch, served


class Server:
    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._running = ExitStack()

    def start(self) -> None:
        self._running.enter_context(served(self._scratch))

    def stop(self) -> None:
        self._running.close()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Stopped until the end of the block."""
        self.stop()
        try:
            yield
        finally:
            self.start()
