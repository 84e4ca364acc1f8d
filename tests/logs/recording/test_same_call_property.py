"""Random calls, each reported by several formats and layers, again and again, in any order and split: compared with
what was really called."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Model
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.models import Call, CallLayer, CallRoute, CallTag
from logs.recording.loose_links import loose_links
from tests.logs.conftest import report
from tests.logs.recording.senders import START, chat, failed_attempt, payload, send_spans, span
from usage.quotas.models import QuotaUse
from usage.rollups.models import ROLLUPS

pytestmark = pytest.mark.usefixtures("now")
NANOS = 1_000_000_000
LITELLM, SPAN, OWN = "litellm", "span", "own"
Report = tuple[str, dict[str, Any]]  # format, record


@dataclass
class Truth:
    """What was called: input and output tokens and reported cost of each call, and all the reports about them."""

    calls: list[tuple[int, int, int]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    def add(self, tokens: tuple[int, int], cost: float) -> None:
        self.calls.append((*tokens, round(cost * NANOS)))


# A kind of call: draws how it went, at a place in time and under a name of its own.
Kind = Callable[[Any, Truth, str, float], None]


def own_format(draw: Any, truth: Truth, name: str, at: float) -> None:
    tokens = draw(TOKENS)
    started_at = (START + timedelta(seconds=at)).isoformat()
    truth.add(tokens, 0.25)
    record = {"request_id": name, "started_at": started_at, "model": "m", "cost_usd": "0.25"}
    truth.reports.append((OWN, record | {"input_tokens": tokens[0], "output_tokens": tokens[1]}))


def through_gateway(draw: Any, truth: Truth, name: str, at: float) -> None:
    """By callback, by trace or both, after attempts that failed; the client may have chosen an id that others have."""
    call_id = draw(st.sampled_from([name, "mine"]))
    for attempt in range(draw(st.integers(0, 2))):
        deployment, when = draw(st.sampled_from(["east", "west"])), at + attempt * 0.5
        truth.add((0, 0), 0)
        truth.reports.append((LITELLM, failed_attempt(call_id, deployment=deployment, at=when, seconds=0.2)))
    tokens, start = draw(TOKENS), at + 2
    response = draw(st.sampled_from([f"chatcmpl-{name}-0123456789", "chatcmpl-213"]))
    truth.add(tokens, 0.5)
    ways = draw(st.sampled_from(["callback", "trace", "both"]))
    if ways != "trace":
        off = draw(st.sampled_from([0, 0.000001, -0.0008]))
        truth.reports.append((LITELLM, payload(call_id, at=start + off, tokens=tokens, id=response)))
    if ways != "callback":
        cost = {"gen_ai.usage.cost": 0.5} if ways == "trace" or draw(st.booleans()) else {}
        told = tokens if ways == "trace" or draw(st.booleans()) else None
        said: dict[str, Any] = {"litellm.call_id": call_id, "response": response, "scope": "litellm"} | cost
        truth.reports.append((SPAN, chat(name, trace=name, at=start, tokens=told, **said)))


def through_layers(draw: Any, truth: Truth, name: str, at: float) -> None:
    """One call, traced by instrumentations above each other, with other spans between them."""
    tokens, depth = draw(TOKENS), draw(st.integers(1, 4))
    response = draw(st.sampled_from(["", f"r-{name}", "chatcmpl-213"]))
    knowing = draw(st.integers(0, depth - 1))
    truth.add(tokens, 0.5)
    parent = ""
    for level in range(depth):
        told = tokens if level == knowing or draw(st.booleans()) else None
        cost = {"gen_ai.usage.cost": 0.5} if level == knowing else {}
        own = f"{name}l{level}"
        said: dict[str, Any] = {"response": response, "scope": f"layer {level}"} | cost
        within: dict[str, Any] = {"at": at + level * 0.01, "seconds": 2 - level * 0.1}
        truth.reports.append((SPAN, chat(own, parent, trace=name, tokens=told, **within, **said)))
        parent = own
        if draw(st.booleans()):
            truth.reports.append((SPAN, span(f"{name}h{level}", own, trace=name, at=at)))
            parent = f"{name}h{level}"


def through_client_and_gateway(draw: Any, truth: Truth, name: str, at: float) -> None:
    """An instrumented client, perhaps below a framework, and the callback of the gateway that it calls."""
    tokens, response = draw(TOKENS), f"chatcmpl-{name}-0123456789"
    truth.add(tokens, 0.5)
    client = chat(f"{name}c", f"{name}f", trace=name, at=at, tokens=tokens, seconds=2.4, response=response)
    truth.reports.append((SPAN, client))
    if draw(st.booleans()):
        truth.reports.append(
            (SPAN, chat(f"{name}f", trace=name, at=at - 0.1, seconds=3, tokens=None, scope="f"))
        )
    truth.reports.append((LITELLM, payload(name, at=at + 0.2, seconds=2, tokens=tokens, id=response)))


def by_agent(draw: Any, truth: Truth, name: str, at: float) -> None:
    """Several calls below a span that sums them up as if it were one, itself below an agent; perhaps through a
    gateway."""
    used = [draw(TOKENS) for _call in range(draw(st.integers(2, 3)))]
    through = draw(st.booleans())
    responses = [f"chatcmpl-{name}{number}-0123456789" for number in range(len(used))]
    for number, tokens in enumerate(used):
        truth.add(tokens, 0.5)
        response = responses[number] if through or draw(st.booleans()) else ""
        said: dict[str, Any] = {
            "response": response,
            "gen_ai.usage.cost": 0.5,
            "at": at + number,
            "seconds": 0.5,
        }
        truth.reports.append((SPAN, chat(f"{name}c{number}", f"{name}s", trace=name, tokens=tokens, **said)))
        if through:
            passed_on: dict[str, Any] = {
                "at": at + number + 0.1,
                "seconds": 0.3,
                "tokens": tokens,
                "id": response,
            }
            truth.reports.append((LITELLM, payload(f"{name}{number}", **passed_on)))
    total = (sum(tokens[0] for tokens in used), sum(tokens[1] for tokens in used))
    told = draw(st.sampled_from([total, used[-1], None]))
    last = draw(st.sampled_from(["", responses[-1]]))
    whole: dict[str, Any] = {"at": at, "seconds": len(used), "response": last, "scope": "framework"}
    truth.reports.append((SPAN, chat(f"{name}s", f"{name}a", trace=name, tokens=told, **whole)))
    agent: dict[str, Any] = {"gen_ai.operation.name": "invoke_agent", "model": "gpt-4o-mini"}
    truth.reports.append((SPAN, span(f"{name}a", trace=name, at=at, **agent)))


def with_repeated_response_id(draw: Any, truth: Truth, name: str, at: float) -> None:
    """Calls to a server that gives the same id to each, some at the same moment."""
    for number in range(draw(st.integers(1, 3))):
        tokens = draw(TOKENS)
        truth.add(tokens, 0.5)
        trace = draw(st.sampled_from([name, f"{name}{number}"]))
        said: dict[str, Any] = {"response": "chatcmpl-213", "gen_ai.usage.cost": 0.5, "at": at}
        truth.reports.append((SPAN, chat(f"{name}o{number}", trace=trace, tokens=tokens, **said)))


KINDS: list[Kind] = [
    own_format,
    through_gateway,
    through_layers,
    through_client_and_gateway,
    by_agent,
    with_repeated_response_id,
]
TOKENS = st.tuples(st.integers(1, 5) | st.just(1000), st.integers(1, 3))


@st.composite
def truths(draw: Any) -> Truth:
    truth = Truth()
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    for number, kind in enumerate(kinds):
        kind(draw, truth, f"k{number}", number * 20.0)
    return truth


@st.composite
def deliveries(draw: Any) -> tuple[Truth, list[list[Report]]]:
    """Calls, and their reports as they are delivered: some twice, in any order, in requests of any size."""
    truth = draw(truths())
    again = draw(st.lists(st.sampled_from(truth.reports), max_size=6))
    reports = draw(st.permutations(truth.reports + again))
    requests: list[list[Report]] = []
    for one in reports:
        if requests and requests[-1][0][0] == one[0] and draw(st.booleans()):
            requests[-1].append(one)
        else:
            requests.append([one])
    return truth, requests


def deliver(client: Client, key: str, requests: list[list[Report]]) -> None:
    for batch in requests:
        form, records = batch[0][0], [record for _form, record in batch]
        if form == SPAN:
            send_spans(client, key, *records)
        else:
            path = "/api/v1/litellm" if form == LITELLM else "/api/v1/calls"
            answer = report(client, path, key, records).json()
            assert (answer["rejected"], answer["accepted"] + answer["duplicates"]) == ([], len(records))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(deliveries())
def test_what_is_counted_is_what_was_called(client: Client, mia: str, delivered: Any) -> None:
    truth, requests = delivered
    forget()  # what another example left, that failed perhaps
    deliver(client, mia, requests)
    stored = Call.objects.values_list("input_tokens", "output_tokens", "cost_nanos")
    assert sorted(stored) == sorted(truth.calls)
    call_command("verify_usage")
    deliver(client, mia, requests[::-1])
    assert sorted(stored.all()) == sorted(truth.calls)


def forget() -> None:
    loose_links.clear()
    tables: list[type[Model]] = [Call, CallLayer, CallTag, CallRoute, QuotaUse, *ROLLUPS]
    for table in tables:
        table._default_manager.all().delete()


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(truths(), st.randoms(use_true_random=False))
def test_the_same_batch_ten_times_in_ten_orders(
    client: Client, mia: str, truth: Truth, randomness: Any
) -> None:
    forget()
    for _turn in range(10):
        randomness.shuffle(truth.reports)
        batches = [[one for one in truth.reports if one[0] == form] for form in (OWN, LITELLM, SPAN)]
        deliver(client, mia, [batch for batch in batches if batch])
    stored = Call.objects.values_list("input_tokens", "output_tokens", "cost_nanos")
    assert sorted(stored) == sorted(truth.calls)
    call_command("verify_usage")
