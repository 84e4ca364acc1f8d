"""A running Callboard as its users see it: what its HTTP API says of the calls of one member."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from tests.senders.answers import Usage
from tests.senders.cast import Cast, Member
from tests.senders.relay import Post, Relay
from tests.senders.upstream import Asked

_ENOUGH_SECONDS: Final = 60
_QUIET_SECONDS: Final = 4  # longer than senders wait before they send a batch
# US dollars for a million tokens: not cached, read from the cache, written to it, output.
_PRICES: Final = {
    "gpt-4o-mini": ("0.15", "0.075", "0", "0.60"),
    "gpt-4o": ("2.50", "1.25", "0", "10"),
    "text-embedding-3-small": ("0.02", "0", "0", "0"),
    "claude-haiku-4-5": ("1", "0.10", "1.25", "5"),
}


@dataclass(frozen=True)
class Told:
    """What must be equal of a call, whoever tells of it."""

    model: str
    status: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost: Decimal


@dataclass
class Site:
    """`relay` is the address that senders know; everything they send goes through it."""

    relay: Relay
    cast: Cast
    taken: int = 0

    def next_member(self) -> Member:
        """A member who has called nothing yet."""
        self.taken += 1
        return self.cast.members[self.taken - 1]

    def calls(self, member: Member) -> list[dict[str, Any]]:
        """The logs, oldest first."""
        found: list[dict[str, Any]] = self._get(member, "calls?limit=1000")["calls"]
        return found[::-1]

    def calls_once_there_are(self, count: int, member: Member) -> list[dict[str, Any]]:
        """The logs when they have at least so many calls: senders send in batches."""
        deadline = time.monotonic() + _ENOUGH_SECONDS
        while len(found := self.calls(member)) < count:
            assert time.monotonic() < deadline, f"{count} calls were expected, these came: {found}"
            time.sleep(0.2)
        return found

    def totals(self, member: Member) -> dict[str, Any]:
        """The statistics of all calls of the member."""
        totals: dict[str, Any] = self._get(member, "usage?granularity=day")["totals"]
        return totals

    def used(self, member: Member) -> Decimal:
        """What is used of the quota of the member's token."""
        levels = {level["level"]: level for level in self._get(member, "me")["quota"]}
        return Decimal(levels["token"]["used_usd"])

    def check(self, member: Member, expected: Counter[Told]) -> None:
        """Logs, statistics and quota agree with what was counted elsewhere."""
        found = of_calls(self.calls(member))
        assert found == expected, f"lost: {expected - found}, too many: {found - expected}"
        totals, cost = (
            self.totals(member),
            sum((told.cost * count for told, count in expected.items()), Decimal()),
        )
        assert totals["calls"] == expected.total()
        assert totals["succeeded"] == sum(count for told, count in expected.items() if told.status == 200)
        for name in ("input_tokens", "output_tokens", "cached_tokens"):
            assert totals[name] == sum(getattr(told, name) * count for told, count in expected.items()), name
        assert Decimal(totals["cost_usd"]) == cost
        assert self.used(member) == cost

    def _get(self, member: Member, path: str) -> Any:
        headers = {"Authorization": f"Bearer {member.secret}"}
        status, _headers, body = self.relay.send("GET", f"/api/v1/{path}", headers, b"")
        assert status == 200, body
        return json.loads(body)

    def post_again(self, posts: Iterable[Post]) -> list[bytes]:
        """The answers to what was posted before."""
        answers = []
        for post in posts:
            status, _headers, body = self.relay.send("POST", post.path, post.headers, post.body)
            assert status == 200, body
            answers.append(body)
        return answers

    def wait_until_quiet(self) -> None:
        """Until nobody has posted anything for some seconds, so that what comes late has come."""
        posted, since = len(self.relay.posts), time.monotonic()
        while time.monotonic() - since < _QUIET_SECONDS:
            time.sleep(0.2)
            if len(self.relay.posts) != posted:
                posted, since = len(self.relay.posts), time.monotonic()


def of_upstream(asked: Iterable[Asked], shown_as: Mapping[str, str] = MappingProxyType({})) -> Counter[Told]:
    """What the provider counted. `shown_as`: the names that models were asked for by, where they are others."""
    return Counter(
        Told(
            model=shown_as.get(one.model, one.model),
            status=one.status,
            input_tokens=one.usage.input,
            output_tokens=one.usage.output,
            cached_tokens=one.usage.cached,
            cost=cost_of(one.model, one.usage),
        )
        for one in asked
    )


def cost_of(model: str, used: Usage) -> Decimal:
    plain, read, written, output = map(Decimal, _PRICES[model])
    uncached = used.input - used.cached - used.written
    total = uncached * plain + used.cached * read + used.written * written + used.output * output
    return (total / 1_000_000).normalize()


def of_calls(calls: Iterable[dict[str, Any]]) -> Counter[Told]:
    return Counter(
        Told(
            model=call["model"],
            status=call["status"],
            input_tokens=call["input_tokens"],
            output_tokens=call["output_tokens"],
            cached_tokens=call["cached_tokens"],
            cost=Decimal(call["cost_usd"]).normalize(),
        )
        for call in calls
    )
