"""Reserving, settling, rolling back, lapsing in any order, against a model that keeps a plain list."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.activity import SITE
from teams.models import Team
from tests.conftest import Cast
from tests.usage.conftest import NOW
from usage.prices.money import to_usd
from usage.quotas.actions.granting import Wanted
from usage.quotas.actions.limits import Limit, set_balance, set_member_quota, set_team_quota
from usage.quotas.actions.reservations import InsufficientQuotaError, reserve_quota, roll_back_reservation
from usage.quotas.availability import Subject, levels_of, payer_of
from usage.quotas.levels import slot_of
from usage.quotas.models import Level, Reservation, ReservedSum

WHO = st.integers(0, 2)
AMOUNT = st.integers(0, 60)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), WHO, AMOUNT, st.integers(1, 30)),
        st.tuples(st.just("report"), WHO, AMOUNT, st.integers(0, 20)),
        st.tuples(st.just("roll back"), st.integers(0, 20)),
        st.tuples(st.just("wait"), st.integers(1, 12_000_000)),
        st.tuples(st.just("limit"), st.sampled_from([Level.MEMBER, Level.TEAM, Level.OWNER]), AMOUNT),
    ),
    max_size=40,
)


@dataclass
class Kept:
    """What the model knows of one reservation."""

    reservation: Reservation
    who: int
    amount: int
    lapses_at: int  # microseconds after NOW
    is_over: bool = False
    is_settled: bool = False


class World:
    """The database and the model, side by side. Person 2 calls in the owner's own personal space."""

    def __init__(self, cast: Cast, gateway: Caller) -> None:
        self.gateway = gateway
        self.space = Team.objects.get(owner=cast.owner, is_personal=True)
        self.places = [(cast.team, cast.member), (cast.team, cast.administrator), (self.space, cast.owner)]
        self.member = cast.member
        self.team = cast.team
        self.at = 0
        self.kept: list[Kept] = []
        self.used = [0, 0, 0]
        self.limits: dict[Level, int] = {}
        self.calls = 0

    @property
    def now(self) -> datetime:
        return NOW + timedelta(microseconds=self.at)

    def reserved(self, *people: int) -> int:
        return sum(
            kept.amount
            for kept in self.kept
            if kept.who in people and not kept.is_over and kept.lapses_at > self.at
        )

    def taken(self, level: Level) -> int:
        people = {Level.MEMBER: (0,), Level.TEAM: (0, 1), Level.OWNER: (0, 1, 2)}[level]
        return self.reserved(*people) + sum(self.used[who] for who in people)

    def levels_over(self, who: int) -> list[Level]:
        asked = {0: [Level.MEMBER, Level.TEAM], 1: [Level.TEAM], 2: []}[who] + [Level.OWNER]
        return [level for level in asked if level in self.limits]

    def reserve(self, who: int, amount: int, seconds: int) -> None:
        team, user = self.places[who]
        wanted = Wanted(amount, timedelta(seconds=seconds))
        refusing = next(
            (
                level
                for level in self.levels_over(who)
                if amount > max(0, self.limits[level] - self.taken(level))
            ),
            None,
        )
        granted, refused_by = None, None
        try:
            granted = reserve_quota(
                team=team, mode=0, user=user, token_id=None, wanted=wanted, now=self.now
            ).reservation
        except InsufficientQuotaError as refused:
            refused_by = refused.state.level
        assert refused_by == refusing
        if granted:
            self.kept.append(Kept(granted, who, amount, self.at + seconds * 1_000_000))

    def report(self, who: int, cost: int, index: int) -> None:
        """A call of that person, naming the reservation at that place of the list, if there is one."""
        team, user = self.places[who]
        kept = self.kept[index] if index < len(self.kept) else None
        self.calls += 1
        call = ReportedCall(
            request_id=str(self.calls),
            started_at=NOW,
            model="m",
            cost_nanos=cost,
            team=team.slug,
            member=user.email,
            reservation=kept.reservation.pk if kept else "",
        )
        result = record_calls([call], by=self.gateway, now=self.now)
        assert result.accepted == 1
        self.used[who] += cost
        if kept:
            is_settling = kept.who == who and not kept.is_settled
            assert bool(result.warnings) != is_settling
            if is_settling:
                kept.is_over = kept.is_settled = True

    def roll_back(self, index: int) -> None:
        if index < len(self.kept):
            kept = self.kept[index]
            roll_back_reservation(reservation=kept.reservation, now=self.now)
            kept.is_over |= kept.lapses_at > self.at

    def set_limit(self, level: Level, amount: int) -> None:
        self.limits[level] = amount
        limit = Limit(to_usd(amount))
        if level == Level.MEMBER:
            set_member_quota(by=SITE, team=self.team, user=self.member, limit=limit, now=self.now)
        elif level == Level.TEAM:
            set_team_quota(by=SITE, team=self.team, limit=limit, now=self.now)
        else:
            set_balance(by=SITE, space=self.space, limit=limit, now=self.now)

    def step(self, name: str, *arguments: Any) -> None:
        if name == "wait":
            self.at += arguments[0]
        elif name == "limit":
            self.set_limit(*arguments)
        else:
            getattr(self, name.replace(" ", "_"))(*arguments)

    def check(self) -> None:
        subject = Subject(self.team, payer_of(self.team), 0, self.member.pk)
        people = {Level.MEMBER: (0,), Level.TEAM: (0, 1), Level.OWNER: (0, 1, 2)}
        for state in levels_of(subject, self.now):
            assert state.used_nanos == sum(self.used[who] for who in people[state.level])
            assert state.reserved_nanos == self.reserved(*people[state.level])
        self.check_sums()

    def check_sums(self) -> None:
        """What is summed of the slots to come is what the open reservations there add up to."""
        slot = slot_of(self.now)
        sums = ReservedSum.objects.filter(level=Level.OWNER, slot__gt=slot)
        still_open = [kept for kept in self.kept if not kept.is_over]
        ahead = [kept for kept in still_open if slot_of(kept.reservation.expires_at) > slot]
        assert sum(row.reserved_nanos for row in sums) == sum(kept.amount for kept in ahead)


@pytest.fixture
def gateway(db: None) -> Caller:
    return Caller(gateway_key=create_gateway_key(by=SITE, team=None, name="site proxy")[0])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_used_and_reserved_are_what_a_plain_list_says(cast: Cast, gateway: Caller, steps: Any) -> None:
    with transaction.atomic():
        world = World(cast, gateway)
        for step in steps:
            world.step(*step)
            world.check()
        assert sum(world.used) == sum(Call.objects.values_list("cost_nanos", flat=True))
        transaction.set_rollback(True)
