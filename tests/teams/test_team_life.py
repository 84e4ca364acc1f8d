"""Random sequences of actions on teams, after which the rules of teams must hold."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from teams.actions.acceptance import accept_invitation, decline_invitation
from teams.actions.invitations import (
    InvitationOutcome,
    InvitationRequest,
    create_link,
    invite_by_email,
    resend_invitation,
    revoke_invitation,
)
from teams.actions.members import add_member, change_role, leave_team, remove_member
from teams.actions.teams import create_team, delete_team, purge_teams, restore_team, update_team
from teams.actions.tokens import (
    create_token,
    disable_token,
    enable_token,
    rename_token,
    revoke_token,
    rotate_token,
)
from teams.actions.transfers import (
    accept_transfer,
    cancel_transfer,
    decline_transfer,
    lapse_transfers,
    offer_transfer,
    transfer_by_staff,
)
from teams.actions.users import create_user, deactivate_user, reactivate_user
from teams.activity import SITE, Actor
from teams.credentials import RefusedKeyError, find_credential
from teams.errors import ActionError
from teams.models import Activity, Invitation, Membership, Role, Team, Token, Transfer, User
from teams.secrets import digest
from tests.teams.conftest import NOW, role_of

PEOPLE = ["ann", "bob", "cat", "dan"]
who = st.sampled_from(PEOPLE)
# The right person often enough that things get done, anybody often enough that everything is tried.
doer = st.sampled_from(["the right one"] * 4 + PEOPLE)
which = st.integers(min_value=0, max_value=7)
roles = st.sampled_from([Role.MEMBER, Role.ADMINISTRATOR, Role.OWNER])
TABLES = (User, Team, Membership, Invitation, Transfer, Token)


def state() -> list[Any]:
    """All rows that an action could change, for comparison."""
    return [list(table.objects.order_by("pk").values()) for table in TABLES]


class TeamLife(RuleBasedStateMachine):
    """State machine with four people and up to three teams; each rule is an action, allowed or not."""

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.now = NOW
        self.secrets: dict[str, int] = {}  # every secret ever shown → the id of its token
        self.invitation_secrets: list[str] = []
        self.staff = Actor(create_user(email="staff@example.org", is_staff=True), as_staff=True)
        for name in PEOPLE:
            create_user(email=f"{name}@example.org", name=name, verified=True)
        team = create_team(by=SITE, owner=self.user("ann"), name="Team 0")
        add_member(by=SITE, team=team, user=self.user("bob"), role=Role.ADMINISTRATOR)
        add_member(by=SITE, team=team, user=self.user("cat"))

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    def user(self, name: str) -> User:
        return User.objects.get(email=f"{name}@example.org")

    def actor(self, name: str, right: User | None = None) -> Actor:
        return Actor(right or self.user("ann") if name == "the right one" else self.user(name))

    def team(self, number: int) -> Team:
        """A team that is not deleted, or sometimes a deleted one or a personal space."""
        teams = list(Team.objects.filter(is_personal=False, deleted_at=None).order_by("pk"))
        teams = teams if teams and number < 6 else list(Team.objects.order_by("-pk"))
        return teams[number % len(teams)]

    def any_of(self, table: Any, number: int) -> Any:
        rows = list(table.objects.order_by("pk"))
        return rows[number % len(rows)] if rows else None

    def invited(self, secret: str) -> User | None:
        """The person whom an invitation is for; for a link, somebody who is not in the team."""
        invitation = Invitation.objects.filter(digest=digest(secret)).first()
        if invitation is None:
            return None
        if invitation.email:
            return User.objects.get(email=invitation.email)
        return User.objects.exclude(memberships__team=invitation.team).filter(is_active=True).first()

    def do(self, action: Any, **arguments: Any) -> Any:
        """Runs an action: it either changes nothing and is refused, or writes exactly one activity row."""
        before, rows = state(), Activity.objects.count()
        try:
            result = action(**arguments)
        except ActionError:
            assert state() == before, "a refused action changed something"
            assert Activity.objects.count() == rows
            return None
        written = list(Activity.objects.order_by("pk").values_list("kind", flat=True)[rows:])
        own = [kind for kind in written if kind != "transfer.lapsed"]
        assert len(own) == (state() != before), f"{action.__name__} wrote {own}"
        return result

    @rule(days=st.sampled_from([1, 1, 1, 3, 8, 31]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)
        lapse_transfers(now=self.now)
        purge_teams(now=self.now)

    @rule(name=who)
    def somebody_makes_a_team(self, name: str) -> None:
        if Team.objects.filter(is_personal=False).count() < 3:
            self.do(create_team, by=self.actor(name), owner=self.user(name), name="Another")

    @rule(name=doer, number=which, zone=st.sampled_from(["UTC", "Asia/Kolkata"]))
    def somebody_edits_a_team(self, name: str, number: Any, zone: Any) -> None:
        team = self.team(number)
        self.do(
            update_team,
            by=self.actor(name, team.owner),
            team=team,
            name=team.name,
            description="",
            time_zone=zone,
        )

    @rule(name=doer, number=which)
    def somebody_deletes_a_team(self, name: str, number: Any) -> None:
        team = self.team(number)
        if number > 1:  # seldom: nothing happens in a deleted team
            return
        self.do(delete_team, by=self.actor(name, team.owner), team=team, typed_name=team.name, now=self.now)

    @rule(number=which)
    def staff_restore_a_team(self, number: Any) -> None:
        self.do(restore_team, by=self.staff, team=self.team(number), now=self.now)

    @rule(name=doer, number=which, other=who, role=roles)
    def somebody_invites_somebody(self, name: str, number: Any, other: Any, role: Any) -> None:
        team = self.team(number)
        people = [InvitationRequest(f"{other}@example.org", role)]
        invited = self.do(
            invite_by_email, by=self.actor(name, team.owner), team=team, people=people, now=self.now
        )
        if invited and invited[0].outcome in {InvitationOutcome.INVITED, InvitationOutcome.RENEWED}:
            self.invitation_secrets.append(invited[0].link.split("/")[-2])

    @rule(name=doer, number=which, role=roles, uses=st.integers(min_value=0, max_value=3))
    def somebody_makes_a_link(self, name: str, number: Any, role: Any, uses: Any) -> None:
        team = self.team(number)
        made = self.do(
            create_link, by=self.actor(name, team.owner), team=team, role=role, now=self.now, max_uses=uses
        )
        if made:
            self.invitation_secrets.append(made[1].split("/")[-2])

    @rule(name=doer, number=which)
    def somebody_sends_an_invitation_again(self, name: str, number: Any) -> None:
        if invitation := self.any_of(Invitation, number):
            renewed = self.do(
                resend_invitation,
                by=self.actor(name, invitation.team.owner),
                invitation=invitation,
                now=self.now,
            )
            if renewed:
                self.invitation_secrets.append(renewed.link.split("/")[-2])

    @rule(name=doer, number=which)
    def somebody_revokes_an_invitation(self, name: str, number: Any) -> None:
        if invitation := self.any_of(Invitation, number):
            self.do(
                revoke_invitation,
                by=self.actor(name, invitation.team.owner),
                invitation=invitation,
                now=self.now,
            )

    @rule(name=doer, number=which)
    def somebody_accepts_an_invitation(self, name: str, number: Any) -> None:
        if self.invitation_secrets:
            secret = self.invitation_secrets[-1 - number % len(self.invitation_secrets)]
            by = self.actor(name, self.invited(secret))
            membership = self.do(accept_invitation, by=by, secret=secret, now=self.now)
            if membership:
                assert role_of(membership.team, by.user) == membership.role
                assert membership.role != Role.OWNER

    @rule(name=doer, number=which)
    def somebody_declines_an_invitation(self, name: str, number: Any) -> None:
        if self.invitation_secrets:
            secret = self.invitation_secrets[-1 - number % len(self.invitation_secrets)]
            by = self.actor(name, self.invited(secret))
            self.do(decline_invitation, by=by, secret=secret, now=self.now)

    @rule(name=doer, number=which, other=who, role=roles)
    def somebody_changes_a_role(self, name: str, number: Any, other: Any, role: Any) -> None:
        team = self.team(number)
        self.do(
            change_role,
            by=self.actor(name, team.owner),
            team=team,
            user=self.user(other),
            role=role,
            now=self.now,
        )

    @rule(name=doer, number=which, other=who)
    def somebody_removes_somebody(self, name: str, number: Any, other: Any) -> None:
        team = self.team(number)
        self.do(remove_member, by=self.actor(name, team.owner), team=team, user=self.user(other), now=self.now)

    @rule(name=doer, number=which)
    def somebody_leaves(self, name: str, number: Any) -> None:
        team = self.team(number)
        someone = team.memberships.exclude(role=Role.OWNER).first()
        right = someone.user if someone else None
        self.do(leave_team, by=self.actor(name, right), team=team, now=self.now)

    @rule(name=doer, number=which, other=who)
    def somebody_offers_a_team(self, name: str, number: Any, other: Any) -> None:
        team = self.team(number)
        self.do(
            offer_transfer,
            by=self.actor(name, team.owner),
            team=team,
            successor=self.user(other),
            typed_name=team.name,
            now=self.now,
        )

    @rule(name=doer, number=which, action=st.sampled_from([accept_transfer, decline_transfer, cancel_transfer]))
    def somebody_answers_an_offer(self, name: str, number: Any, action: Any) -> None:
        if transfer := self.any_of(Transfer, number):
            right = transfer.team.owner if action is cancel_transfer else transfer.successor
            self.do(action, by=self.actor(name, right), transfer=transfer, now=self.now)

    @rule(number=which, other=who)
    def staff_transfer_a_team(self, number: Any, other: Any) -> None:
        self.do(
            transfer_by_staff,
            by=self.staff,
            team=self.team(number),
            successor=self.user(other),
            now=self.now,
        )

    @rule(name=doer, number=which)
    def somebody_makes_a_token(self, name: str, number: Any) -> None:
        team = self.team(number)
        by = self.actor(name, team.owner)
        made = self.do(create_token, by=by, team=team, user=by.user, name="laptop")
        if made:
            self.secrets[made[1]] = made[0].pk

    @rule(name=doer, number=which, action=st.sampled_from([disable_token, revoke_token]))
    def somebody_stops_a_token(self, name: str, number: Any, action: Any) -> None:
        if token := self.any_of(Token, number):
            self.do(action, by=self.actor(name, token.user), token=token, now=self.now)

    @rule(name=doer, number=which)
    def somebody_enables_or_renames_a_token(self, name: str, number: Any) -> None:
        if token := self.any_of(Token, number):
            self.do(enable_token, by=self.actor(name, token.user), token=token)
            self.do(rename_token, by=self.actor(name, token.user), token=token, name="desktop")

    @rule(name=doer, number=which)
    def somebody_rotates_a_token(self, name: str, number: Any) -> None:
        if token := self.any_of(Token, number):
            rotated = self.do(rotate_token, by=self.actor(name, token.user), token=token, now=self.now)
            if rotated:
                self.secrets = {s: pk for s, pk in self.secrets.items() if pk != token.pk}
                self.secrets[rotated[1]] = token.pk

    @rule(other=st.sampled_from(["cat", "dan"]))
    def staff_deactivate_somebody(self, other: Any) -> None:
        self.do(deactivate_user, by=self.staff, user=self.user(other), now=self.now)

    @rule(other=who)
    def staff_reactivate_somebody(self, other: Any) -> None:
        self.do(reactivate_user, by=self.staff, user=self.user(other))

    @invariant()
    def every_team_has_exactly_one_owner_who_is_a_member(self) -> None:
        owners = Membership.objects.filter(role=Role.OWNER).order_by("team")
        teams = Team.objects.order_by("pk")
        assert list(owners.values_list("team", "user")) == list(teams.values_list("pk", "owner"))

    @invariant()
    def nobody_is_in_a_team_twice(self) -> None:
        places = list(Membership.objects.values_list("team", "user"))
        assert len(places) == len(set(places))

    @invariant()
    def no_deactivated_person_owns_a_team_that_lives(self) -> None:
        assert not Team.objects.filter(is_personal=False, deleted_at=None, owner__is_active=False).exists()

    @invariant()
    def only_tokens_of_active_members_of_living_teams_work(self) -> None:
        for secret, token_id in self.secrets.items():
            try:
                find_credential(secret, self.now)
            except RefusedKeyError:
                continue
            token = Token.objects.get(pk=token_id)
            assert role_of(token.team, token.user) is not None
            assert token.user.is_active
            assert token.team.deleted_at is None
            assert token.revoked_at is None
            assert token.disabled_at is None

    @invariant()
    def an_open_offer_is_from_the_owner_to_an_administrator(self) -> None:
        for transfer in Transfer.objects.filter(team__deleted_at=None):
            if transfer.state(self.now) == "open":
                assert role_of(transfer.team, transfer.offered_by) == Role.OWNER
                assert role_of(transfer.team, transfer.successor) == Role.ADMINISTRATOR

    @invariant()
    def every_use_of_an_invitation_made_somebody_a_member(self) -> None:
        """Every membership comes from an invitation or from creating the team, except in the first team."""
        accepted = Activity.objects.filter(kind="invitation.accepted")
        used = Counter(accepted.values_list("after__id", flat=True))
        invitations = Invitation.objects.exclude(uses=0).values_list("public_id", "uses")
        assert dict(invitations) == dict(used)
        came = Activity.objects.filter(kind__in=["team.created", "invitation.accepted"])
        places = Membership.objects.filter(team__is_personal=False).exclude(team__name="Team 0")
        assert set(places.values_list("team", "user")) <= set(came.values_list("team", "person"))

    @invariant()
    def no_link_is_used_oftener_than_it_may(self) -> None:
        for invitation in Invitation.objects.all():
            assert invitation.uses <= invitation.max_uses
            assert invitation.role != Role.OWNER


@pytest.mark.django_db
def test_the_rules_hold_whatever_people_do() -> None:
    run_state_machine_as_test(
        TeamLife,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
