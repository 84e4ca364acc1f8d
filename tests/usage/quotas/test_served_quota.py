"""The real server and 64 clients on one quota: never over it, nothing lost, nobody stuck, all sums agree."""

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.serving import scratch_database, served

pytestmark = [pytest.mark.threads, pytest.mark.database, pytest.mark.slow]

CLIENTS, TURNS = 64, 3
LIMIT, AMOUNT, COST = Decimal("0.50"), Decimal("0.02"), Decimal("0.02")
OWNER = "olivia@example.org"


class Api:
    """One client: a connection of its own, kept open."""

    def __init__(self, port: int, secret: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body)
        self._connection.request(method, f"/api/v1/{path}", sent, self._headers)
        response = self._connection.getresponse()
        read = response.read()
        return response.status, json.loads(read) if read else None

    def taken(self) -> dict[str, tuple[Decimal, Decimal]]:
        """What is used and reserved of every level, at one moment."""
        status, me = self("GET", "me")
        assert status == 200, me
        return {
            level["level"]: (Decimal(level["used_usd"]), Decimal(level["reserved_usd"]))
            for level in me["quota"]
        }


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """A running server, and the secret of a token whose team has the limit and its owner a little more."""
    with scratch_database(tmp_path) as scratch:
        scratch.manage("create_user", OWNER)
        slug = scratch.manage("create_team", "Harbour", "--owner", OWNER)
        scratch.manage("set_quota", "--team", slug, str(LIMIT))
        scratch.manage("set_quota", "--balance", OWNER, str(LIMIT + 1))
        secret = scratch.manage("create_token", OWNER, "--team", slug)
        with served(scratch):
            yield scratch, secret


def test_64_clients_reserve_settle_and_give_back_and_never_pass_the_limit(site: tuple[Any, str]) -> None:
    scratch, secret = site
    barrier = threading.Barrier(CLIENTS)

    def client(number: int) -> list[str]:
        """Reserves, then settles with a call or gives back; what became of each turn."""
        barrier.wait()
        return take_turns(number)

    def take_turns(number: int) -> list[str]:
        api, ends = Api(scratch.port, secret), []
        for turn in range(TURNS):
            status, answer = api("POST", "reservations", {"amount_usd": str(AMOUNT)})
            if status == 429:
                assert answer["error"]["code"] == "insufficient_quota", answer
                assert answer["error"]["level"] == "team"
                ends.append("refused")
                continue
            assert status == 201, answer
            if (number + turn) % 3:
                record = {
                    "request_id": f"{number}-{turn}",
                    "started_at": datetime.now(UTC).isoformat(),
                    "model": "m",
                    "cost_usd": str(COST),
                    "reservation": answer["id"],
                }
                status, recorded = api("POST", "calls", record)
                assert (status, recorded["accepted"], recorded.get("warnings")) == (200, 1, None), recorded
                ends.append("settled")
            else:
                assert api("DELETE", f"reservations/{answer['id']}")[0] == 204
                ends.append("given back")
            assert sum(api.taken()["team"]) <= LIMIT
        return ends

    with ThreadPoolExecutor(CLIENTS) as pool:
        ends = [end for run in pool.map(client, range(CLIENTS)) for end in run]
    assert len(ends) == CLIENTS * TURNS
    # The turns of all may be over before the last reservations are given back.
    number = CLIENTS
    while (rest := take_turns(number)) != ["refused"] * TURNS:
        ends, number = ends + rest, number + 1
    settled = ends.count("settled")
    assert settled == LIMIT / COST  # what was given back was reserved again, until all of it was used
    assert Api(scratch.port, secret).taken() == dict.fromkeys(
        ("token", "member", "team", "owner"), (settled * COST, Decimal(0))
    )
    assert scratch.manage("verify_usage") == f"{settled} calls, no difference"
