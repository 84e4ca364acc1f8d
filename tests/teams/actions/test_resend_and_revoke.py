"""Resending and revoking an invitation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from teams.actions.acceptance import accept_invitation, decline_invitation
from teams.actions.invitations import (
    InvitationRequest,
    create_link,
    invite_by_email,
    resend_invitation,
    revoke_invitation,
)
from teams.activity import Actor
from teams.errors import ConflictError, NotAllowedError
from teams.invitations import ClosedInvitationError, UnknownInvitationError
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity


@pytest.fixture
def invited(cast: Cast, act: Callable[..., Actor]) -> tuple[Any, str]:
    """An invitation of Fay, a former member, and its secret."""
    (one,) = invite_by_email(
        by=act("owner"), team=cast.team, people=[InvitationRequest("fay@example.org")], now=NOW
    )
    return one.invitation, secret_of(one.link)


def secret_of(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_sending_again_renews_the_expiry_and_kills_the_old_secret(
    act: Callable[..., Actor], invited: tuple[Any, str], by: str
) -> None:
    invitation, old = invited
    later = NOW + timedelta(days=10)
    renewed = resend_invitation(by=act(by), invitation=invitation, now=later)
    assert renewed.invitation.expires_at == later + timedelta(days=7)
    with pytest.raises(UnknownInvitationError):
        accept_invitation(by=act("former"), secret=old, now=later)
    accept_invitation(by=act("former"), secret=secret_of(renewed.link), now=later)


def test_a_link_can_be_renewed_too(cast: Cast, act: Callable[..., Actor]) -> None:
    invitation, link = create_link(by=act("owner"), team=cast.team, role="member", now=NOW)
    renewed = resend_invitation(by=act("owner"), invitation=invitation, now=NOW)
    assert renewed.link != link


@pytest.mark.parametrize("by", ["owner", "administrator"])
def test_a_revoked_invitation_cannot_be_accepted(
    act: Callable[..., Actor], invited: tuple[Any, str], by: str
) -> None:
    invitation, secret = invited
    revoke_invitation(by=act(by), invitation=invitation, now=NOW)
    with pytest.raises(ClosedInvitationError) as caught:
        accept_invitation(by=act("former"), secret=secret, now=NOW)
    assert caught.value.state == "revoked"
    assert newest_activity().kind == "invitation.revoked"


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
@pytest.mark.parametrize("action", [resend_invitation, revoke_invitation])
def test_nobody_else_can(act: Callable[..., Actor], invited: tuple[Any, str], action: Any, by: str) -> None:
    with pytest.raises(NotAllowedError):
        action(by=act(by), invitation=invited[0], now=NOW)
    invited[0].refresh_from_db()
    assert invited[0].state(NOW) == "pending"


@pytest.mark.parametrize("action", [resend_invitation, revoke_invitation])
def test_what_was_answered_stays_answered(
    act: Callable[..., Actor], invited: tuple[Any, str], action: Any
) -> None:
    invitation, secret = invited
    accept_invitation(by=act("former"), secret=secret, now=NOW)
    with pytest.raises(ConflictError, match=r"fay@example.org has already accepted"):
        action(by=act("owner"), invitation=invitation, now=NOW)


@pytest.mark.parametrize("action", [resend_invitation, revoke_invitation])
def test_declined_and_revoked_invitations_say_so(
    act: Callable[..., Actor], cast: Cast, invited: tuple[Any, str], action: Any
) -> None:
    invitation, secret = invited
    decline_invitation(by=act("former"), secret=secret, now=NOW)
    with pytest.raises(ConflictError, match="declined"):
        action(by=act("owner"), invitation=invitation, now=NOW)
    link, _ = create_link(by=act("owner"), team=cast.team, role="member", now=NOW)
    revoke_invitation(by=act("owner"), invitation=link, now=NOW)
    with pytest.raises(ConflictError, match="already been revoked"):
        action(by=act("owner"), invitation=link, now=NOW)
