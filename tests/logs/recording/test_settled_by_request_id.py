"""A call settles the reservation that was made under its request id, without naming it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import Recorded, record_calls
from teams.activity import SITE
from teams.models import Mode, Token, User
from tests.conftest import Cast
from tests.logs.conftest import NOW
from tests.logs.recording.senders import chat, failed_attempt, payload, send_payloads, send_spans
from usage.quotas.actions.granting import Wanted
from usage.quotas.actions.limits import Limit, set_member_quota
from usage.quotas.actions.reservations import InsufficientQuotaError, reserve_quota, roll_back_reservation
from usage.quotas.models import Reservation, ReservedSum

pytestmark = pytest.mark.usefixtures("now")
DOLLAR = 1_000_000_000


@pytest.fixture
def token(token_of: Callable[..., tuple[Token, str]]) -> tuple[Token, str]:
    return token_of("member")


@pytest.fixture
def reserve(cast: Cast, token: tuple[Token, str]) -> Callable[..., Reservation]:
    def make(
        request_id: str,
        *,
        user: User | None = None,
        mode: Mode = Mode.LIVE,
        token_id: Any = token[0].pk,
        now: datetime = NOW,
    ) -> Reservation:
        wanted = Wanted(DOLLAR, timedelta(seconds=600), request_id=request_id)
        who = user or cast.member
        return reserve_quota(
            team=cast.team, mode=mode, user=who, token_id=None if user else token_id, wanted=wanted, now=now
        ).reservation

    return make


def report(token: Any, request_id: str, *, now: datetime = NOW, **fields: Any) -> Recorded:
    call = ReportedCall(request_id=request_id, started_at=NOW, model="m", **{"cost_nanos": 5} | fields)
    return record_calls([call], by=Caller(token=token[0]), now=now)


def state(reservation: Any, now: datetime = NOW) -> tuple[str, int | None]:
    fresh = Reservation.objects.get(pk=reservation.pk)
    return fresh.state(now), fresh.settled_nanos


def test_a_success_settles_it(reserve: Callable[..., Reservation], token: tuple[Token, str]) -> None:
    reservation = reserve("r1")
    assert report(token, "r1").warnings == []
    assert state(reservation) == ("settled", 5)
    assert not any(ReservedSum.objects.values_list("reserved_nanos", flat=True))


@pytest.mark.parametrize("failure", [{"status": 500}, {"status": 429}, {"has_error": True}])
def test_a_failed_attempt_does_not_and_the_success_after_it_does(
    reserve: Callable[..., Reservation], token: tuple[Token, str], failure: dict[str, int] | dict[str, bool]
) -> None:
    reservation = reserve("r1")
    report(token, "r1", **failure)
    assert state(reservation)[0] == "open"


def test_one_that_names_another_settles_that(
    reserve: Callable[..., Reservation], token: tuple[Token, str]
) -> None:
    own, other = reserve("r1"), reserve("r2")
    report(token, "r1", reservation=other.pk)
    assert (state(own)[0], state(other)[0]) == ("open", "settled")


def test_that_of_another_member_or_mode_or_id_is_left_alone_without_a_word(
    reserve: Callable[..., Reservation], token: tuple[Token, str], cast: Cast
) -> None:
    others = [reserve("r1", user=cast.owner), reserve("r2", mode=Mode.TEST, token_id=None), reserve("r4")]
    for request_id in ("r1", "r2", "r3"):
        assert report(token, request_id).warnings == []
    assert {state(one)[0] for one in others} == {"open"}


def test_one_that_lapsed_or_was_given_back_is_not_settled(
    reserve: Callable[..., Reservation], token: tuple[Token, str]
) -> None:
    lapsed, given_back = reserve("r1"), reserve("r2")
    roll_back_reservation(reservation=given_back, now=NOW)
    later = NOW + timedelta(hours=1)
    report(token, "r2")
    report(token, "r1", now=later)
    assert (state(lapsed, later)[0], state(given_back)[0]) == ("lapsed", "rolled_back")


class TestLiteLLM:
    def test_a_success_settles_that_of_its_id_and_failed_attempts_never_do(
        self, client: Client, reserve: Callable[..., Reservation], token: tuple[Token, str]
    ) -> None:
        reservation = reserve("call-1")
        send_payloads(client, token[1], failed_attempt(), failed_attempt(deployment=""))
        assert state(reservation)[0] == "open"
        send_payloads(client, token[1], payload(at=1, cost=0.25))
        assert state(reservation) == ("settled", DOLLAR // 4)

    def test_its_trace_settles_it_as_well(
        self, client: Client, reserve: Callable[..., Reservation], token: tuple[Token, str]
    ) -> None:
        reservation = reserve("call-1")
        attributes: dict[str, Any] = {"litellm.call_id": "call-1", "response": "r"}
        send_spans(client, token[1], chat("litellm_request", **attributes))
        assert state(reservation)[0] == "settled"

    def test_a_client_that_uses_its_id_again_does_not_call_for_free(
        self, client: Client, reserve: Callable[..., Reservation], token: tuple[Token, str], cast: Cast
    ) -> None:
        """Each call is reserved, settled and counted, also the one that the quota does not cover."""
        quota = Limit(Decimal(2))
        set_member_quota(by=SITE, team=cast.team, user=cast.member, limit=quota, now=NOW)
        for turn in range(2):
            reservation = reserve("mine")
            send_payloads(client, token[1], payload("mine", at=turn * 10, cost=1))
            assert state(reservation) == ("settled", DOLLAR)
        with pytest.raises(InsufficientQuotaError):
            reserve("mine")


class TestTheSameRequestIdAgain:
    def test_is_the_same_reservation_while_it_is_open(self, reserve: Callable[..., Reservation]) -> None:
        assert reserve("r1").pk == reserve("r1").pk

    def test_is_another_one_after_it_was_given_back(self, reserve: Callable[..., Reservation]) -> None:
        first = reserve("r1")
        roll_back_reservation(reservation=first, now=NOW)
        again = reserve("r1")
        assert first.pk != again.pk
        assert (state(first)[0], state(again)[0]) == ("rolled_back", "open")

    def test_is_another_one_after_it_lapsed(self, reserve: Callable[..., Reservation]) -> None:
        first = reserve("r1")
        later = NOW + timedelta(hours=1)
        again = reserve("r1", now=later)
        assert (state(first, later)[0], state(again, later)[0]) == ("lapsed", "open")
