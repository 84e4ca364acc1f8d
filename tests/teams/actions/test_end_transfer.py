"""Declining, cancelling and expiry of an offer of ownership."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives

from teams.actions.transfers import cancel_transfer, decline_transfer, lapse_transfers
from teams.activity import Actor
from teams.errors import ConflictError, NotAllowedError
from teams.models.transfers import Transfer
from tests.teams.conftest import NOW, newest_activity


def test_the_successor_can_decline_and_the_owner_is_told(
    has_mail: None,
    committed: Callable[..., Any],
    act: Callable[..., Actor],
    offered: Transfer,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        decline_transfer(by=act("administrator"), transfer=offered, now=NOW)
    offered.refresh_from_db()
    assert (offered.state(NOW), newest_activity().kind) == ("declined", "transfer.declined")
    assert mailoutbox[0].to == ["olivia@example.org"]


@pytest.mark.parametrize("by", ["owner", "member", "former", "outsider"])
def test_nobody_else_can_decline(act: Callable[..., Actor], offered: Transfer, by: str) -> None:
    with pytest.raises(NotAllowedError):
        decline_transfer(by=act(by), transfer=offered, now=NOW)


def test_the_owner_can_cancel_and_the_successor_is_told(
    has_mail: None,
    committed: Callable[..., Any],
    act: Callable[..., Actor],
    offered: Transfer,
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        cancel_transfer(by=act("owner"), transfer=offered, now=NOW)
    offered.refresh_from_db()
    assert (offered.state(NOW), newest_activity().kind) == ("cancelled", "transfer.cancelled")
    assert mailoutbox[0].to == ["adam@example.org"]


@pytest.mark.parametrize("by", ["administrator", "member", "former", "outsider"])
def test_nobody_else_can_cancel(act: Callable[..., Actor], offered: Transfer, by: str) -> None:
    with pytest.raises(NotAllowedError):
        cancel_transfer(by=act(by), transfer=offered, now=NOW)


@pytest.mark.parametrize(("end", "by"), [(decline_transfer, "administrator"), (cancel_transfer, "owner")])
def test_a_lapsed_offer_cannot_be_ended_any_more(
    act: Callable[..., Actor], offered: Transfer, end: Any, by: str
) -> None:
    with pytest.raises(ConflictError, match="expired after 7 days"):
        end(by=act(by), transfer=offered, now=offered.expires_at)


def test_housekeeping_lapses_what_is_over_and_writes_it_down(offered: Transfer) -> None:
    assert lapse_transfers(now=NOW) == 0
    assert lapse_transfers(now=offered.expires_at) == 1
    assert lapse_transfers(now=offered.expires_at) == 0
    offered.refresh_from_db()
    assert offered.state(NOW) == "lapsed"
    assert (newest_activity().kind, newest_activity().actor) == ("transfer.lapsed", None)
