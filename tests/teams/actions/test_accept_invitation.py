"""Accepting an invitation."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from teams.actions.acceptance import accept_invitation
from teams.actions.invitations import InvitationRequest, create_link, invite_by_email
from teams.actions.teams import delete_team
from teams.activity import Actor
from teams.errors import ActionError, ConflictError
from teams.invitations import ClosedInvitationError, UnknownInvitationError, WrongAccountError
from teams.models import Role, User
from tests.conftest import Cast
from tests.teams.actions.test_resend_and_revoke import secret_of
from tests.teams.conftest import NOW, newest_activity, role_of


@pytest.fixture
def secret_for(cast: Cast, act: Callable[..., Actor]) -> Callable[..., str]:
    """`secret_for("fay@example.org")`: the secret of a new invitation of that address."""

    def make(email: str, role: str = Role.MEMBER) -> str:
        (one,) = invite_by_email(
            by=act("owner"), team=cast.team, people=[InvitationRequest(email, role)], now=NOW
        )
        return secret_of(one.link)

    return make


@pytest.fixture
def link_secret(cast: Cast, act: Callable[..., Actor]) -> Callable[..., str]:
    def make(max_uses: int = 1) -> str:
        return secret_of(
            create_link(by=act("owner"), team=cast.team, role="member", now=NOW, max_uses=max_uses)[1]
        )

    return make


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ADMINISTRATOR])
def test_accepting_makes_a_member_in_the_invited_role(
    cast: Cast, act: Callable[..., Actor], secret_for: Callable[..., str], role: Role
) -> None:
    accept_invitation(by=act("former"), secret=secret_for("fay@example.org", role), now=NOW)
    assert role_of(cast.team, cast.former) == role
    row = newest_activity()
    assert (row.kind, row.actor, row.person) == ("invitation.accepted", cast.former, cast.former)


def test_the_address_counts_in_any_case(
    cast: Cast, act: Callable[..., Actor], secret_for: Callable[..., str]
) -> None:
    accept_invitation(by=act("former"), secret=secret_for("FAY@Example.ORG"), now=NOW)
    assert role_of(cast.team, cast.former) == Role.MEMBER


def test_any_confirmed_address_of_the_account_counts_but_no_unconfirmed_one(
    cast: Cast, act: Callable[..., Actor], secret_for: Callable[..., str]
) -> None:
    other = EmailAddress.objects.create(user=cast.former, email="fay@work.example", verified=False)
    secret = secret_for("fay@work.example")
    with pytest.raises(WrongAccountError):
        accept_invitation(by=act("former"), secret=secret, now=NOW)
    other.verified = True
    other.save()
    accept_invitation(by=act("former"), secret=secret, now=NOW)


def test_another_account_is_told_for_whom_the_invitation_is(
    cast: Cast, act: Callable[..., Actor], secret_for: Callable[..., str]
) -> None:
    secret = secret_for("fay@example.org")
    with pytest.raises(WrongAccountError, match=r"for fay@example.org.*signed in as otto@example.org"):
        accept_invitation(by=act("outsider"), secret=secret, now=NOW)
    assert role_of(cast.team, cast.outsider) is None


def test_it_cannot_be_accepted_twice(act: Callable[..., Actor], secret_for: Callable[..., str]) -> None:
    secret = secret_for("fay@example.org")
    accept_invitation(by=act("former"), secret=secret, now=NOW)
    with pytest.raises(ClosedInvitationError) as caught:
        accept_invitation(by=act("former"), secret=secret, now=NOW)
    assert caught.value.state == "accepted"


def test_it_expires_after_seven_days_to_the_second(
    cast: Cast, act: Callable[..., Actor], secret_for: Callable[..., str]
) -> None:
    secret = secret_for("fay@example.org")
    end = NOW + timedelta(days=7)
    with pytest.raises(ClosedInvitationError, match="expired"):
        accept_invitation(by=act("former"), secret=secret, now=end)
    accept_invitation(by=act("former"), secret=secret, now=end - timedelta(seconds=1))


def test_a_link_is_used_up_by_as_many_people_as_it_may(
    cast: Cast, act: Callable[..., Actor], link_secret: Callable[..., str]
) -> None:
    secret = link_secret(max_uses=2)
    for name in ("former", "outsider"):
        accept_invitation(by=act(name), secret=secret, now=NOW)
    third = User.objects.create_user("third@example.org", verified=True)
    from teams.activity import Actor

    with pytest.raises(ClosedInvitationError, match="maximum number of uses"):
        accept_invitation(by=Actor(third), secret=secret, now=NOW)


def test_a_member_who_opens_a_link_uses_nothing_up(
    cast: Cast, act: Callable[..., Actor], link_secret: Callable[..., str]
) -> None:
    secret = link_secret()
    with pytest.raises(ActionError, match="already in this team"):
        accept_invitation(by=act("member"), secret=secret, now=NOW)
    accept_invitation(by=act("outsider"), secret=secret, now=NOW)


@pytest.mark.parametrize("secret", ["", "cb_inv_made-up", "cb_live_x", "\x00"])
def test_a_made_up_secret_is_unknown(act: Callable[..., Actor], secret: str) -> None:
    with pytest.raises(UnknownInvitationError):
        accept_invitation(by=act("former"), secret=secret, now=NOW)


def test_a_deleted_team_cannot_be_joined(
    cast: Cast, act: Callable[..., Actor], link_secret: Callable[..., str]
) -> None:
    secret = link_secret()
    delete_team(by=act("owner"), team=cast.team, typed_name=cast.team.name, now=NOW)
    with pytest.raises(ConflictError, match="deleted"):
        accept_invitation(by=act("outsider"), secret=secret, now=NOW)


def test_a_deactivated_user_cannot_join(
    cast: Cast, act: Callable[..., Actor], link_secret: Callable[..., str]
) -> None:
    secret = link_secret()
    User.objects.filter(pk=cast.outsider.pk).update(is_active=False)
    with pytest.raises(ActionError, match="deactivated"):
        accept_invitation(by=act("outsider"), secret=secret, now=NOW)
