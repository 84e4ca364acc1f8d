"""One Callboard, one provider and one proxy at a time, for all tests of senders."""

from collections.abc import Iterator

import pytest

from tests.senders.cast import read_cast
from tests.senders.relay import running_relay
from tests.senders.server import Server
from tests.senders.site import Site
from tests.senders.upstream import Upstream, running_upstream
from tests.serving import Scratch, scratch_database


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/senders/" in item.nodeid:
            item.add_marker(pytest.mark.senders)
            item.add_marker(pytest.mark.database)
            item.add_marker(pytest.mark.xdist_group("senders"))


@pytest.fixture(scope="package")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="package")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    with scratch_database(tmp_path_factory.mktemp("callboard")) as scratch:
        yield scratch


@pytest.fixture(scope="package")
def server(scratch: Scratch) -> Iterator[Server]:
    server = Server(scratch)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="package")
def site(scratch: Scratch, server: Server) -> Iterator[Site]:
    printed = scratch.manage("shell", "-v0", "-c", "from tests.senders.cast import print_cast; print_cast()")
    with running_relay(scratch.port) as relay:
        yield Site(relay, read_cast(printed))
