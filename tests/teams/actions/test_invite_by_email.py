"""Inviting people by e-mail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from teams.actions.invitations import (
    MOST_AT_ONCE,
    InvitationOutcome,
    InvitationRequest,
    InvitationResult,
    invite_by_email,
    revoke_invitation,
)
from teams.activity import Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import Invitation, Role, Team
from tests.conftest import Cast
from tests.teams.conftest import NOW, newest_activity


@pytest.fixture
def invite(cast: Cast, act: Callable[..., Actor]) -> Callable[..., list[InvitationResult]]:
    def go(*people: Any, by: str = "owner", now: datetime = NOW) -> list[InvitationResult]:
        wanted = [
            person if isinstance(person, InvitationRequest) else InvitationRequest(person) for person in people
        ]
        return invite_by_email(by=act(by), team=cast.team, people=wanted, now=now)

    return go


def outcomes(invited: Any) -> dict[str, InvitationOutcome]:
    return {one.email: one.outcome for one in invited}


@pytest.mark.parametrize("by", ["owner", "administrator"])
@pytest.mark.parametrize("role", [Role.MEMBER, Role.ADMINISTRATOR])
def test_owner_and_administrator_can_invite_in_either_role(
    cast: Cast, invite: Callable[..., list[InvitationResult]], by: str, role: Role
) -> None:
    (invited,) = invite(InvitationRequest("kim@example.org", role), by=by)
    invitation = invited.invitation
    assert (invitation.state(NOW), invitation.role, invitation.invited_by) == ("pending", role, cast.user(by))
    assert invitation.expires_at == NOW + timedelta(days=7)
    assert newest_activity().kind == "invitation.sent"


@pytest.mark.parametrize("by", ["member", "former", "outsider"])
def test_nobody_else_can_invite(invite: Callable[..., list[InvitationResult]], by: str) -> None:
    with pytest.raises(NotAllowedError):
        invite("kim@example.org", by=by)
    assert not Invitation.objects.exists()


def test_many_are_invited_at_once_with_a_role_each(invite: Callable[..., list[InvitationResult]]) -> None:
    invite(InvitationRequest("kim@example.org", Role.ADMINISTRATOR), InvitationRequest("lee@example.org"))
    assert dict(Invitation.objects.values_list("email", "role")) == {
        "kim@example.org": Role.ADMINISTRATOR,
        "lee@example.org": Role.MEMBER,
    }


def test_members_repeats_and_bad_addresses_are_told_apart(
    invite: Callable[..., list[InvitationResult]],
) -> None:
    invite("pat@example.org")
    found = invite("kim@example.org", "KIM@example.org", "Mia@Example.org", "PAT@example.org", "nobody@")
    assert outcomes(found) == {
        "kim@example.org": InvitationOutcome.INVITED,
        "KIM@example.org": InvitationOutcome.TWICE,
        "Mia@Example.org": InvitationOutcome.MEMBER,
        "PAT@example.org": InvitationOutcome.PENDING,
        "nobody@": InvitationOutcome.INVALID,
    }
    assert Invitation.objects.count() == 2


def test_an_expired_invitation_is_renewed_in_the_role_now_wanted(
    invite: Callable[..., list[InvitationResult]],
) -> None:
    (first,) = invite("kim@example.org")
    later = NOW + timedelta(days=8)
    (again,) = invite(InvitationRequest("Kim@example.org", Role.ADMINISTRATOR), now=later)
    assert (again.outcome, again.invitation) == (InvitationOutcome.RENEWED, first.invitation)
    assert (again.invitation.state(later), again.invitation.role) == ("pending", Role.ADMINISTRATOR)
    assert again.link != first.link


def test_after_a_revocation_the_address_can_be_invited_anew(
    act: Callable[..., Actor], invite: Callable[..., list[InvitationResult]]
) -> None:
    (first,) = invite("kim@example.org")
    revoke_invitation(by=act("owner"), invitation=first.invitation, now=NOW)
    assert outcomes(invite("kim@example.org")) == {"kim@example.org": InvitationOutcome.INVITED}


def test_somebody_who_left_can_be_invited_again(invite: Callable[..., list[InvitationResult]]) -> None:
    assert outcomes(invite("fay@example.org")) == {"fay@example.org": InvitationOutcome.INVITED}


def test_the_secret_is_stored_as_a_hash_only(invite: Callable[..., list[InvitationResult]]) -> None:
    (invited,) = invite("kim@example.org")
    secret = invited.link.rstrip("/").rpartition("/")[2]
    assert secret.startswith("cb_inv_")
    assert secret not in str(Invitation.objects.values().get())


def test_an_empty_list_and_far_too_many_are_refused(invite: Callable[..., list[InvitationResult]]) -> None:
    for people in ([], [f"p{number}@example.org" for number in range(MOST_AT_ONCE + 1)]):
        with pytest.raises(ActionError) as caught:
            invite(*people)
        assert caught.value.field == "emails"


def test_nobody_is_invited_as_owner(invite: Callable[..., list[InvitationResult]]) -> None:
    with pytest.raises(ActionError) as caught:
        invite(InvitationRequest("kim@example.org", Role.OWNER))
    assert caught.value.field == "role"


def test_nobody_is_invited_to_a_personal_space(cast: Cast, act: Callable[..., Actor]) -> None:
    space = Team.objects.get(owner=cast.owner, is_personal=True)
    with pytest.raises(NotAllowedError, match="personal space"):
        invite_by_email(by=act("owner"), team=space, people=[InvitationRequest("kim@example.org")], now=NOW)


def test_the_mail_is_text_and_html_and_holds_the_link(
    has_mail: None,
    committed: Callable[..., Any],
    invite: Callable[..., list[InvitationResult]],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed():
        (invited,) = invite("kim@example.org")
    (sent,) = mailoutbox
    assert sent.to == ["kim@example.org"]
    assert sent.subject == "Callboard: Join Harbour Research"
    assert "Olivia (olivia@example.org) invites you to the team Harbour Research as member." in sent.body
    assert invited.link in sent.body
    html, kind = sent.alternatives[0]
    assert kind == "text/html"
    assert f'href="{invited.link}"' in str(html)
    assert invited.invitation.mail_error == ""


def test_html_in_a_team_name_stays_text_in_the_mail(
    has_mail: None,
    committed: Callable[..., Any],
    cast: Cast,
    invite: Callable[..., list[InvitationResult]],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    Team.objects.filter(pk=cast.team.pk).update(name="<b>R&D</b>")
    with committed():
        invite("kim@example.org")
    assert "<b>R&D</b>" in mailoutbox[0].body
    assert "&lt;b&gt;R&amp;D&lt;/b&gt;" in str(mailoutbox[0].alternatives[0][0])


def test_no_mail_goes_out_when_the_transaction_fails(
    has_mail: None,
    invite: Callable[..., list[InvitationResult]],
    committed: Callable[..., Any],
    mailoutbox: list[EmailMultiAlternatives],
) -> None:
    with committed(), pytest.raises(ActionError):
        invite(InvitationRequest("kim@example.org"), InvitationRequest("lee@example.org", "emperor"))
    assert mailoutbox == []
    assert not Invitation.objects.exists()


def test_without_a_mail_server_the_reason_is_kept_beside_the_link(
    settings: Settings, committed: Callable[..., Any], invite: Callable[..., list[InvitationResult]]
) -> None:
    settings.HAS_MAIL = False
    with committed():
        (invited,) = invite("kim@example.org")
    assert Invitation.objects.get().mail_error == "No mail server is configured."
    assert mail.outbox == []
    assert invited.link.startswith("http")


def test_a_mail_that_fails_leaves_the_invitation_and_the_reason(
    has_mail: None,
    committed: Callable[..., Any],
    invite: Callable[..., list[InvitationResult]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: Any, messages: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    with committed():
        (invited,) = invite("kim@example.org")
    assert "Connection refused" in Invitation.objects.get().mail_error
    assert "Connection refused" in invited.invitation.mail_error
