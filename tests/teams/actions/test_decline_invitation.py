"""Declining an invitation."""

from collections.abc import Callable

import pytest

from teams.actions.acceptance import accept_invitation, decline_invitation
from teams.actions.invitations import InvitationRequest, create_link, invite_by_email
from teams.activity import Actor
from teams.errors import ActionError
from teams.invitations import ClosedInvitationError, WrongAccountError
from teams.models import Invitation
from tests.conftest import Cast
from tests.teams.actions.test_resend_and_revoke import secret_of
from tests.teams.conftest import ADDRESS, NOW, newest_activity


@pytest.fixture
def secret(cast: Cast, act: Callable[..., Actor]) -> str:
    (one,) = invite_by_email(
        by=act("owner"), team=cast.team, people=[InvitationRequest("fay@example.org")], now=NOW
    )
    return secret_of(one.link)


def test_the_invited_person_can_decline_and_it_is_over(act: Callable[..., Actor], secret: str) -> None:
    decline_invitation(by=act("former"), secret=secret, now=NOW)
    assert Invitation.objects.get().state(NOW) == "declined"
    with pytest.raises(ClosedInvitationError, match="declined"):
        accept_invitation(by=act("former"), secret=secret, now=NOW)


def test_it_can_be_declined_without_an_account(cast: Cast, secret: str) -> None:
    decline_invitation(by=Actor(None, ADDRESS), secret=secret, now=NOW)
    row = newest_activity()
    assert (row.kind, row.actor, row.subject) == ("invitation.declined", None, "fay@example.org")


def test_another_account_cannot_decline_it(act: Callable[..., Actor], secret: str) -> None:
    with pytest.raises(WrongAccountError):
        decline_invitation(by=act("outsider"), secret=secret, now=NOW)


def test_a_link_for_many_cannot_be_declined(cast: Cast, act: Callable[..., Actor]) -> None:
    _, link = create_link(by=act("owner"), team=cast.team, role="member", now=NOW)
    with pytest.raises(ActionError, match="Several people"):
        decline_invitation(by=act("outsider"), secret=secret_of(link), now=NOW)
