"""One call traced by several layers is one, two calls are two, whichever comes first and in however many requests."""

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from logs.integrity.housekeeping import run_all_housekeeping
from logs.models import Call, CallLayer
from tests.conftest import Cast
from tests.logs.conftest import report
from tests.logs.recording.senders import chat, payload, send_payloads, send_spans, span, traces

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def send(client: Client, mia: str) -> Callable[..., Any]:
    return lambda *spans: send_spans(client, mia, *spans)


@pytest.fixture
def post(client: Client, mia: str) -> Callable[..., Any]:
    return lambda *payloads: send_payloads(client, mia, *payloads)


@pytest.fixture(autouse=True)
def sums_are_those_of_the_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    call_command("verify_usage")


def tokens() -> list[int]:
    return sorted(Call.objects.values_list("input_tokens", flat=True))


def every_way(*spans: Any) -> Iterator[list[tuple[Any]] | list[Any]]:
    """All orders of the spans, each all in one request and each span in its own."""
    for order in itertools.permutations(spans):
        yield [order]
        yield [(one,) for one in order]


def ways(*spans: Any) -> pytest.MarkDecorator:
    found = list(every_way(*spans))
    names = [" ".join("+".join(one["name"] for one in part) for part in way) for way in found]
    return pytest.mark.parametrize("way", found, ids=names)


class TestTwoCalls:
    def test_that_share_a_response_id_are_two(self, send: Callable[..., Any]) -> None:
        one = chat("a", trace="1", tokens=(1000, 0), model="qwen3", response="chatcmpl-213")
        other = chat("b", trace="2", tokens=(7777, 0), model="llama3", response="chatcmpl-213")
        for _time in range(2):
            send(one, other)
        assert tokens() == [1000, 7777]

    def test_of_the_same_model_tokens_and_moment_are_two(self, send: Callable[..., Any]) -> None:
        for trace in "12":
            send(chat("a", trace=trace, response="chatcmpl-213"))
        send(chat("b", trace="2", response="chatcmpl-213"))
        assert tokens() == [1000, 1000, 1000]

    def test_of_one_parent_that_is_no_call_are_two(self, send: Callable[..., Any]) -> None:
        attributes: dict[str, Any] = {"gen_ai.operation.name": "invoke_agent", "model": "gpt-4o-mini"}
        agent = span("agent", **attributes)
        send(chat("a", "agent"), chat("b", "agent"), agent)
        assert tokens() == [1000, 1000]


@ways(chat("sdk", "lib", response="chatcmpl-1", scope="openai"), chat("lib", "app", scope="langchain"))
def test_a_span_above_with_the_same_tokens_is_the_same_call(send: Callable[..., Any], way: Any) -> None:
    for part in way:
        send(*part)
    assert tokens() == [1000]
    assert sorted(Call.objects.get().details["layers"]) == ["langchain: lib", "openai: sdk"]


@ways(
    chat("inner", "http", response="r-1"),
    span("http", "outer"),
    chat("outer", "root", tokens=None),
)
def test_spans_between_two_layers_do_not_part_them(send: Callable[..., Any], way: Any) -> None:
    for part in way:
        send(*part)
    assert tokens() == [1000]


@ways(
    chat("a", "both", tokens=(200, 20), response="r-1"),
    chat("b", "both", tokens=(300, 30), response="r-2"),
    chat("both", tokens=(500, 50), response="r-2"),
)
def test_the_parent_of_two_calls_is_none(send: Callable[..., Any], way: Any) -> None:
    for part in way:
        send(*part)
    assert tokens() == [200, 300]
    assert sorted(Call.objects.values_list("output_tokens", flat=True)) == [20, 30]


@ways(
    chat("a", "both", tokens=(200, 20)),
    chat("b", "both", tokens=(300, 30)),
    chat("both", tokens=None),
)
def test_the_parent_of_two_calls_without_numbers_is_none(send: Callable[..., Any], way: Any) -> None:
    for part in way:
        send(*part)
    assert tokens() == [200, 300]


@ways(
    chat("try", "both", tokens=None, **{"error.type": "RateLimitError"}),
    chat("again", "both", tokens=(300, 30)),
    chat("both", tokens=(300, 30)),
)
def test_a_retry_is_two_calls_and_what_tries_again_is_none(send: Callable[..., Any], way: Any) -> None:
    for part in way:
        send(*part)
    assert sorted(Call.objects.values_list("status", "input_tokens")) == [(200, 300), (429, 0)]


@ways(
    chat("inner", "middle", tokens=None),
    chat("middle", "outer", tokens=None, response="r-1"),
    chat("outer", tokens=(700, 70), response="r-1"),
)
def test_three_layers_of_which_one_has_the_numbers_are_one_call(send: Callable[..., Any], way: Any) -> None:
    for part in way:
        send(*part)
    assert Call.objects.values_list("input_tokens", "output_tokens").get() == (700, 70)
    assert Call.objects.get().cost_nanos > 0


def test_layers_of_different_models_and_tokens_are_calls_of_their_own(send: Callable[..., Any]) -> None:
    send(chat("inner", "outer", model="gpt-4o", tokens=(1, 1)), chat("outer"))
    assert tokens() == [1, 1000]


def test_within_a_request_the_richest_numbers_are_taken(send: Callable[..., Any]) -> None:
    cached: dict[str, Any] = {"gen_ai.usage.cache_read.input_tokens": 600}
    send(chat("inner", "outer", response="r-1", **cached), chat("outer", tokens=(900, 90), response="r-1"))
    call = Call.objects.get()
    assert (call.input_tokens, call.output_tokens, call.cached_tokens) == (1000, 100, 600)


def test_a_stored_call_is_completed_once(send: Callable[..., Any]) -> None:
    send(chat("inner", "middle", response="r-1", tokens=None))
    send(chat("middle", "outer", response="r-1", tokens=(500, 50)))
    send(chat("outer", response="r-1", tokens=(900, 90)))
    assert tokens() == [500]


def test_a_cost_that_a_layer_reports_is_the_cost(send: Callable[..., Any]) -> None:
    send(chat("inner", "outer", response="r-1"))
    listed = Call.objects.get().cost_nanos
    attributes: dict[str, Any] = {"gen_ai.usage.cost": 0.25}
    send(chat("outer", **attributes))
    assert (Call.objects.get().cost_nanos, listed) == (250_000_000, 210_000)


def test_without_ancestry_layers_are_known_by_response_and_observer(send: Callable[..., Any]) -> None:
    """The span between them never came."""
    inner = chat("inner", "lost", response="chatcmpl-0123456789abc", at=0.1, seconds=1.5, scope="sdk")
    send(inner, chat("outer", response="chatcmpl-0123456789abc", scope="framework"))
    assert tokens() == [1000]


def test_a_link_that_comes_alone_does_not_part_layers_that_share_their_response(
    send: Callable[..., Any],
) -> None:
    """The two inner layers belong to the outer one by their response id; then their own ancestry becomes known."""
    shared: dict[str, Any] = {"response": "chatcmpl-0123456789abc"}
    send(chat("outer", scope="framework", **shared))
    send(chat("inner", "gap", at=0.1, seconds=1.8, scope="client", tokens=None, **shared))
    send(chat("innermost", "http", at=0.2, seconds=1.6, scope="sdk", tokens=None, **shared))
    send(span("http", "inner"))
    assert tokens() == [1000]
    send(span("gap", "outer"))
    assert tokens() == [1000]


class TestStoredByVersion02:
    @pytest.fixture
    def stored(self, cast: Cast, record: Any) -> Callable[..., Any]:
        return lambda request_id, **fields: record(
            "member", request_id, minutes=30, **{"output_tokens": 100, "latency_ms": 2000} | fields
        )

    def test_a_span_with_a_response_id(self, send: Callable[..., Any], stored: Any) -> None:
        stored("r-1", metadata={"trace_id": chat("a")["traceId"]})
        send(chat("a", response="r-1"))
        assert tokens() == [1000]
        send(chat("b", trace="other", at=60, response="r-1"))
        assert tokens() == [1000, 1000]

    def test_the_layers_that_were_one_call_by_their_response_id(
        self, send: Callable[..., Any], stored: Any
    ) -> None:
        stored("r-1", metadata={"trace_id": chat("a")["traceId"]})
        send(chat("b", at=0.2, seconds=1, response="r-1"), chat("c", at=0.3, seconds=0.5, response="r-1"))
        assert tokens() == [1000]

    def test_a_span_by_its_own_id(self, send: Callable[..., Any], stored: Any) -> None:
        one = chat("a")
        stored(f"{one['traceId']}-{one['spanId']}")
        send(one)
        send(chat("b", "a"))
        assert tokens() == [1000]


class TestClientAndGateway:
    """An instrumented client behind a proxy that reports what it passes on."""

    LONG = "chatcmpl-0123456789abcdef"

    def test_a_call_counts_once_where_the_response_id_tells(
        self, send: Callable[..., Any], post: Callable[..., Any]
    ) -> None:
        client = chat("a", at=0, seconds=2.4, response=self.LONG)
        gateway = payload(at=0.2, seconds=2, id=self.LONG)
        send(client)
        assert post(gateway) == (0, 1)
        assert Call.objects.get().cost_nanos == 500_000_000
        send(client)
        assert post(gateway) == (0, 1)
        assert tokens() == [1000]

    def test_whichever_comes_first(self, send: Callable[..., Any], post: Callable[..., Any]) -> None:
        post(payload(at=0.2, seconds=2, id=self.LONG, model_group="fast"))
        send(chat("outer", tokens=None, at=-0.1, seconds=3, scope="framework", model="fast"))
        send(chat("a", "outer", at=0, seconds=2.4, response=self.LONG, model="fast"))
        assert tokens() == [1000]

    def test_calls_that_only_share_the_id_are_two(
        self, send: Callable[..., Any], post: Callable[..., Any]
    ) -> None:
        send(chat("a", response="chatcmpl-213"))
        assert post(payload("1", at=0.1, seconds=1, id="chatcmpl-213", tokens=(7, 7))) == (1, 0)
        assert post(payload("2", at=60, id="chatcmpl-213")) == (1, 0)
        assert post(
            payload("3", at=0.1, seconds=1, id="chatcmpl-213", model_group="llama3", model="llama3")
        ) == (1, 0)
        assert len(tokens()) == 4

    def test_an_answer_from_a_cache_has_the_id_of_the_first_and_is_a_call(
        self, send: Callable[..., Any], post: Callable[..., Any]
    ) -> None:
        for at, cost in ((0, 0.5), (60, 0)):
            send(chat(f"s{at}", trace=f"t{at}", at=at, response=self.LONG))
            assert post(payload(f"c{at}", at=at + 0.1, seconds=1, id=self.LONG, cost=cost)) == (0, 1)
        assert sorted(Call.objects.values_list("cost_nanos", flat=True)) == [0, 500_000_000]


def test_what_was_the_call_of_the_span_above_is_not_the_second_one_below(
    send: Callable[..., Any], post: Callable[..., Any]
) -> None:
    """The span above came first and has the second response: the first call below, which it was taken for, keeps
    the request id of the second."""
    responses = [f"chatcmpl-0123456789abcde{number}" for number in range(2)]
    send(chat("both", tokens=None, seconds=3, response=responses[1], scope="framework"))
    for number, response in enumerate(responses):
        send(chat(f"c{number}", "both", at=number, seconds=0.5, response=response))
        post(payload(f"g{number}", at=number + 0.1, seconds=0.3, id=response))
    assert tokens() == [1000, 1000]
    assert sum(Call.objects.values_list("cost_nanos", flat=True)) == 1_000_000_000


SHAPES = {
    "alone": lambda n: "",
    "chain": lambda n: f"s{n - 1}",
    "star": lambda n: "s1",
    "tree": lambda n: f"s{n // 2}",
}


class TestBadInput:
    def test_ids_of_zeros_are_no_trace(self, send: Callable[..., Any]) -> None:
        nowhere = {"traceId": "0" * 32, "spanId": "0" * 16}
        one, other = chat("a") | nowhere, chat("b", at=1) | nowhere
        for _time in range(2):
            send(one, other)
        assert tokens() == [1000, 1000]

    def test_spans_that_are_their_own_ancestors(self, send: Callable[..., Any]) -> None:
        for _time in range(2):
            send(chat("a", "c"), chat("b", "a"), chat("c", "b"), chat("d", "d"), chat("e", "d"))
        assert len(tokens()) == 4, "e is a layer of d"

    @pytest.mark.parametrize("name", ["x" * 10_000, "a\nb\x7f\x1b", "\ud800", "💥", "a\0b"])
    def test_ids_of_any_text(self, send: Callable[..., Any], name: str) -> None:
        for _time in range(2):
            send(chat("a") | {"traceId": name, "spanId": name}, chat("b", response=name))
        assert tokens() == [1000, 1000]

    def test_a_span_id_used_again_for_another_response(self, send: Callable[..., Any]) -> None:
        for _time in range(2):
            send(chat("a", response="r-1"), chat("a", response="r-2", tokens=(5, 5)))
        assert tokens() == [5, 1000]

    def test_a_span_that_cannot_be_read_does_not_lose_the_others(self, client: Client, mia: str) -> None:
        broken = chat("b") | {"startTimeUnixNano": "soon"}
        answer = report(client, "/otlp/v1/traces", mia, traces(chat("a"), broken))
        assert answer.json()["partialSuccess"]["rejectedSpans"] == "1"
        assert tokens() == [1000]

    @pytest.mark.parametrize("parent", SHAPES.values(), ids=SHAPES)
    def test_many_spans_of_a_trace(self, send: Callable[..., Any], parent: Any) -> None:
        spans = [chat(f"s{n}", parent(n), tokens=(n, 1), response=f"r{n}") for n in range(1, 1_001)]
        send(*spans)
        counted = Call.objects.count()
        send(*spans[::7])
        assert Call.objects.count() == counted
        assert counted == {"": 1_000, "s1": 999}.get(parent(9), counted)


def test_after_a_day_layers_are_forgotten(send: Callable[..., Any], now: datetime) -> None:
    send(chat("a"))
    assert CallLayer.objects.exists()
    run_all_housekeeping(now=now)
    assert CallLayer.objects.exists()
    run_all_housekeeping(now=now + timedelta(hours=25))
    assert not CallLayer.objects.exists()
    assert tokens() == [1000]
