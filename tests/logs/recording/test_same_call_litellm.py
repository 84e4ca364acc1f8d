"""A LiteLLM call is known by its id and the time it began: clients choose the id, and use it again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from logs.models import Call
from tests.conftest import Cast
from tests.logs.recording.senders import chat, failed_attempt, payload, send_payloads, send_spans

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def post(client: Client, mia: str) -> Callable[..., Any]:
    return lambda *payloads: send_payloads(client, mia, *payloads)


def cost() -> int:
    return sum(Call.objects.values_list("cost_nanos", flat=True))


def ids() -> list[str]:
    return sorted(Call.objects.values_list("request_id", flat=True))


def test_two_calls_under_an_id_that_the_client_chose_are_two(post: Callable[..., Any]) -> None:
    calls = [payload("mine", cost=0.5), payload("mine", at=20.3, cost=0.7)]
    assert post(*calls) == (2, 0)
    assert post(*calls) == (0, 2)
    assert cost() == 1_200_000_000
    assert "mine" in ids()


def test_the_second_may_come_later_and_the_first_again(post: Callable[..., Any]) -> None:
    first, second = payload("mine"), payload("mine", at=20.3)
    assert [post(first), post(second), post(second), post(first)] == [(1, 0), (1, 0), (0, 1), (0, 1)]


@pytest.mark.parametrize("off", [-0.001, -0.000001, 0.000001, 0.0009, 0.001])
def test_times_that_were_rounded_differently_are_of_one_call(post: Callable[..., Any], off: float) -> None:
    assert post(payload(at=7.0005)) == (1, 0)
    assert post(payload(at=7.0005 + off)) == (0, 1)
    assert post(payload(at=7.0005 + 0.01)) == (1, 0)


def test_also_when_they_come_together(post: Callable[..., Any]) -> None:
    assert post(payload(at=7.0005), payload(at=7.0005 + 0.000001)) == (1, 1)


def test_across_the_edge_of_a_millisecond_and_for_calls_of_a_used_id(post: Callable[..., Any]) -> None:
    post(payload(at=1))
    assert post(payload(at=7.000999)) == (1, 0)
    assert post(payload(at=7.001001)) == (0, 1)
    assert post(payload(at=7.000001)) == (0, 1)


def test_a_long_id_is_hashed_and_not_rejected(post: Callable[..., Any]) -> None:
    one, other = "x" * 250 + "1", "x" * 250 + "2"
    assert post(payload(one), payload(other)) == (2, 0)
    assert post(payload(one), payload(other)) == (0, 2)
    assert all(len(request_id) == 128 for request_id in ids())


@pytest.mark.parametrize("call_id", ["x" * 10_000, "a\nb\tc\x7f\x1b", "a\0b", "\ud800", "💥" * 200, " "])
def test_whatever_a_client_calls_it_a_call_is_counted_once(post: Callable[..., Any], call_id: str) -> None:
    assert post(payload(call_id)) == (1, 0)
    assert post(payload(call_id), payload(call_id)) == (0, 2)


def test_failed_attempts_are_kept_apart_by_deployment_and_status(post: Callable[..., Any]) -> None:
    attempts = [
        failed_attempt(deployment="east"),
        failed_attempt(deployment="west"),
        failed_attempt(deployment="east", status=429),
        failed_attempt(deployment="east", at=1),
        payload(),
    ]
    assert post(*attempts) == (5, 0)
    assert post(*reversed(attempts)) == (0, 5)
    assert "call-1" in ids(), "the call that went well has the id itself"


def test_a_failure_before_a_deployment_was_picked_is_one_of_its_own(post: Callable[..., Any]) -> None:
    failure, success = failed_attempt(deployment=""), payload(at=1)
    assert [post(failure), post(success), post(failure, success)] == [(1, 0), (1, 0), (0, 2)]


def test_a_call_without_any_id_is_known_again(post: Callable[..., Any]) -> None:
    nameless = payload(None, id=None)
    assert [post(nameless), post(nameless), post(payload(None, id=None, at=9))] == [(1, 0), (0, 1), (1, 0)]


@pytest.mark.parametrize(
    "call_type", ["aget_responses", "alist_input_items", "adelete_responses", "acancel_responses"]
)
def test_what_is_done_to_stored_responses_is_no_call(post: Callable[..., Any], call_type: str) -> None:
    assert post(payload(), payload("again", call_type=call_type)) == (1, 0)
    assert ids() == ["call-1"]


class TestStoredByVersion02:
    """What was reported before the upgrade and comes again stays a duplicate."""

    @pytest.fixture
    def stored(self, cast: Cast, record: Any) -> Callable[..., Any]:
        return lambda request_id, **fields: record("member", request_id, minutes=30, **fields)

    def test_a_success(self, post: Callable[..., Any], stored: Any) -> None:
        stored("call-1")
        assert post(payload()) == (0, 1)
        assert post(payload(at=3)) == (1, 0)

    def test_a_failed_attempt_with_its_time(self, post: Callable[..., Any], stored: Any) -> None:
        failure = failed_attempt()
        micros = round(failure["startTime"] * 1_000_000)
        stored(f"call-1:{micros}", status=500, channel="east", has_error=True)
        assert post(failure) == (0, 1)
        assert post(failed_attempt(deployment="west")) == (1, 0)

    def test_a_failure_without_a_deployment(self, post: Callable[..., Any], stored: Any) -> None:
        stored("call-1", status=500, has_error=True)
        assert post(failed_attempt(deployment="")) == (0, 1)
        assert post(payload()) == (1, 0)


class TestByTraceAndCallback:
    """The `otel` callback has the id that `generic_api` posts."""

    @pytest.fixture
    def trace(self, client: Client, mia: str) -> Callable[..., None]:
        def send(*, at: float = 0.0, **said: Any) -> None:
            attributes: dict[str, Any] = {
                "litellm.call_id": "call-1",
                "response": f"chatcmpl-call-1-{at}",
            } | said
            send_spans(
                client, mia, chat("litellm_request", at=at, scope="litellm", trace=f"t{at}", **attributes)
            )

        return send

    @pytest.mark.parametrize("off", [0, 0.0004, -0.001])
    def test_a_call_counts_once_whichever_comes_first(
        self, post: Callable[..., Any], trace: Any, off: float
    ) -> None:
        post(payload(at=1))
        trace(at=1 + off)
        trace(at=5 + off)
        assert post(payload(at=5)) == (0, 1)
        assert Call.objects.count() == 2
        assert cost() == 1_000_000_000

    def test_a_trace_without_usage_or_response_is_completed(self, post: Callable[..., Any], trace: Any) -> None:
        trace(tokens=None, response="")
        assert post(payload()) == (0, 1)
        call = Call.objects.get()
        assert (call.input_tokens, call.output_tokens, call.cost_nanos) == (1000, 100, 500_000_000)
        assert len(call.details["layers"]) == 2

    def test_the_span_of_the_whole_request_is_of_the_call_within_it(
        self, post: Callable[..., Any], trace: Any
    ) -> None:
        post(payload(at=1.2))
        trace(at=1, seconds=2.5, response="chatcmpl-call-1-1.2")
        assert Call.objects.count() == 1

    def test_failed_attempts_count_once_each(self, post: Callable[..., Any], trace: Any) -> None:
        attempts = [failed_attempt(deployment="east"), failed_attempt(deployment="west", status=429, at=0.5)]
        post(attempts[0])
        for at, status in ((0, "500"), (0.5, "429")):
            trace(at=at, tokens=None, **{"error.type": status})
        assert post(*attempts) == (0, 2)
        assert sorted(Call.objects.values_list("status", flat=True)) == [429, 500]
