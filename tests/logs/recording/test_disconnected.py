"""A client that goes away before its answer is complete: a state of its own, and no failed attempt."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client

from logs.models import Call
from teams.models import Mode, Token
from tests.conftest import Cast
from tests.logs.conftest import NOW
from tests.logs.recording.senders import chat, payload, send_payloads, send_spans
from usage.quotas.actions.granting import Wanted
from usage.quotas.actions.reservations import reserve_quota
from usage.quotas.models import Reservation
from usage.rollups.models import DayModel, Outcome

pytestmark = pytest.mark.usefixtures("now")
GONE = {
    "error_code": "499",
    "error_class": "ClientDisconnected",
    "error_message": "Client disconnected the request",
}
TOLD = payload(error_information=GONE)
# LiteLLM's own span of the call does not know it.
SPAN = chat(
    "litellm_request", **{"litellm.call_id": "call-1", "response": TOLD["id"], "gen_ai.usage.cost": 0.5}
)


@pytest.fixture
def key(token_of: Callable[..., tuple[Token, str]]) -> str:
    return token_of("member")[1]


@pytest.mark.parametrize("trace_first", [True, False])
def test_told_by_callback_and_trace_it_is_one_call_of_status_499(
    client: Client, key: str, trace_first: bool
) -> None:
    if trace_first:
        send_spans(client, key, SPAN)
    send_payloads(client, key, TOLD)
    if not trace_first:
        send_spans(client, key, SPAN)
    call = Call.objects.get()
    assert (call.status, call.outcome, call.error_type) == (499, Outcome.CLIENT_ERROR, "ClientDisconnected")
    assert call.cost_nanos == 500_000_000
    day = DayModel.objects.get()
    assert (day.calls, day.succeeded, day.client_errors) == (1, 0, 1)
    call_command("verify_usage")


def test_sent_again_it_is_a_duplicate(client: Client, key: str) -> None:
    send_payloads(client, key, TOLD)
    send_payloads(client, key, TOLD)
    assert Call.objects.count() == 1


def test_it_settles_the_reservation_of_its_id(client: Client, key: str, cast: Cast) -> None:
    wanted = Wanted(10**9, timedelta(minutes=10), request_id="call-1")
    made = reserve_quota(
        team=cast.team, mode=Mode.LIVE, user=cast.member, token_id=None, wanted=wanted, now=NOW
    )
    send_payloads(client, key, TOLD)
    fresh = Reservation.objects.get(pk=made.reservation.pk)
    assert (fresh.state(NOW), fresh.settled_nanos) == ("settled", 500_000_000)
