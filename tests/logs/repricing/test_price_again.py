"""Pricing unpriced calls again: what they cost, what follows, what is left alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import chain, repeat
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from logs.models import Call
from logs.recording.amend import amend_calls
from logs.repricing import price_again as room
from logs.repricing.price_again import Progress, Repriced, price_again
from teams.actions.teams import delete_team
from teams.actions.users import create_user
from teams.activity import SITE, Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import Activity, Mode, Team
from teams.models.keys import Token
from tests.conftest import Cast
from tests.logs.conftest import NOW
from usage.alerts.models import ThresholdAlert
from usage.alerts.quotas import alert_quotas
from usage.prices.models import Price, PricedBy
from usage.quotas.actions.limits import Limit, set_team_quota
from usage.quotas.models import Level, QuotaUse
from usage.rollups.cache import past_stamps
from usage.rollups.models import DayModel
from usage.rollups.query import Range

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LATELY = Range(NOW - 30 * DAY, NOW + DAY)


@pytest.fixture
def root() -> Actor:
    user = create_user(email="root@example.org", is_staff=True, is_superuser=True, verified=True)
    return Actor(user, "198.51.100.9", as_staff=True)


def set_price(model: str = "house", since: datetime = LATELY.start) -> None:
    rates: dict[str, Any] = {"input_usd": Decimal(1), "output_usd": Decimal(2)}
    Price.objects.create(model=model, valid_from=since, **rates)


def again(by: Actor, **more: Any) -> Repriced:
    return price_again(**{"by": by, "within": LATELY, "now": NOW, **more})


def costs() -> dict[str, tuple[int, int]]:
    return {call.request_id: (call.cost_nanos, call.priced_by) for call in Call.objects.all()}


UNPRICED, PRICED = (0, PricedBy.NOTHING), (2_000_000, PricedBy.SITE)


def test_calls_get_the_price_that_is_known_now_and_everything_follows(
    cast: Cast, record: Any, root: Actor
) -> None:
    for name in ("a", "b"):
        record("member", name, model="house")
    set_price()
    done = again(root)
    assert (done.calls, done.cost_nanos, done.teams, done.rest) == (2, 4_000_000, {cast.team.pk}, None)
    assert costs() == {"a": PRICED, "b": PRICED}
    assert DayModel.objects.values_list("calls", "unpriced", "cost_nanos").get() == (2, 0, 4_000_000)
    assert QuotaUse.objects.get(level=Level.TEAM).used_nanos == 4_000_000
    call_command("verify_usage")


def test_one_row_of_activity_tells_of_it(record: Any, root: Actor) -> None:
    for name in ("a", "b", "c"):
        record("member", name, model="house")
    set_price()
    again(root, model="house")
    row = Activity.objects.get(kind="price.applied")
    assert (row.actor, row.team, row.subject) == (root.user, None, "house")
    assert (row.after["calls"], row.after["teams"], row.after["usd"]) == (3, 1, "0.006000")
    again(root)
    assert Activity.objects.filter(kind="price.applied").count() == 1


def test_what_was_reported_failed_or_priced_stays_as_it_is(record: Any, root: Actor) -> None:
    record("member", "reported", model="house", cost_nanos=0)
    record("member", "paid", model="house", cost_nanos=7)
    record("member", "failed", model="house", status=500)
    record("member", "listed")
    before = costs()
    set_price()
    set_price("gpt-4o-mini")
    assert again(root).calls == 0
    assert costs() == before


def test_only_calls_of_the_period_and_the_model_are_priced(record: Any, root: Actor) -> None:
    record("member", "before", minutes=2 * 24 * 60, model="house")
    record("member", "in", model="house")
    record("member", "other", model="other")
    for model in ("house", "other"):
        set_price(model)
    assert again(root, within=Range(NOW - DAY, NOW), model="house").calls == 1
    assert costs() == {"before": UNPRICED, "in": PRICED, "other": UNPRICED}


def test_the_price_is_that_of_the_time_of_the_call(record: Any, root: Actor) -> None:
    record("member", "early", minutes=600, model="house")
    record("member", "late", model="house")
    set_price(since=NOW - timedelta(hours=1))
    assert again(root).calls == 1
    assert costs() == {"early": UNPRICED, "late": PRICED}


def test_what_is_stored_of_a_call_decides_its_price(record: Any, root: Actor) -> None:
    """A call of the list that was stored without a price, as the version before did with deployments."""
    details: dict[str, Any] = {"response_model": "gpt-4o-mini", "provider": "azure"}
    call = record("member", "a", model="prod-chat", **details)
    Call.objects.filter(id=call.id).update(cost_nanos=0, priced_by=PricedBy.NOTHING)
    DayModel.objects.update(unpriced=1)
    again(root)
    assert costs() == {"a": (450_000, PricedBy.LIST)}


def test_both_modes_and_all_teams_are_priced(
    cast: Cast, record: Any, token_of: Callable[..., tuple[Token, str]], root: Actor
) -> None:
    own_space = Team.objects.get(owner=cast.owner, is_personal=True)
    record("member", "live", model="house")
    record("member", "test", model="house", token=token_of("member", mode=Mode.TEST)[0])
    record("owner", "own", model="house", token=token_of("owner", team=own_space)[0])
    set_price()
    assert again(root).calls == 3
    call_command("verify_usage")


def one_step(monkeypatch: Any, by: Actor, since: Progress | None) -> Repriced:
    """A run whose time is up after its first step: the clock is read at its start and before each step."""
    ticks = chain([0, 0], repeat(99))
    monkeypatch.setattr(room, "monotonic", lambda: float(next(ticks)))
    return again(by, since=since, longest=timedelta(seconds=10))


def test_it_goes_on_in_steps_and_where_it_stopped(
    record: Any, root: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "STEP", 2)
    for number in range(5):
        record("member", f"r{number}", minutes=number, model="house")
    record("member", "unknown", model="nobody-knows")
    set_price()
    runs = [one_step(monkeypatch, root, None)]
    while runs[-1].rest is not None:
        runs.append(one_step(monkeypatch, root, runs[-1].rest))
    # Newest first; the oldest is the one that nobody knows a price of, and after it there is nothing.
    assert [run.calls for run in runs] == [2, 2, 1, 0]
    assert [cost for name, cost in sorted(costs().items()) if name != "unknown"] == [PRICED] * 5
    call_command("verify_usage")


def test_a_run_that_breaks_off_tells_what_it_has_done(
    record: Any, root: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "STEP", 1)
    for name in ("a", "b"):
        record("member", name, model="house")
    set_price()
    steps = iter([amend_calls])
    monkeypatch.setattr(room, "amend_calls", lambda **arguments: next(steps)(**arguments))
    with pytest.raises(StopIteration):
        again(root)
    assert sorted(costs().values()) == [UNPRICED, PRICED]
    assert Activity.objects.get(kind="price.applied").after["calls"] == 1
    call_command("verify_usage")


def test_sums_of_past_times_that_are_remembered_are_given_up(cast: Cast, record: Any, root: Actor) -> None:
    record("member", "a", minutes=3 * 24 * 60, model="house")
    before = past_stamps([cast.team.pk], Mode.LIVE)
    set_price()
    again(root)
    assert past_stamps([cast.team.pk], Mode.LIVE) != before


def test_a_closed_period_of_a_quota_sends_no_alert(
    cast: Cast, record: Any, root: Actor, settings: Settings
) -> None:
    settings.HAS_MAIL = True
    record("member", "october", minutes=25 * 24 * 60, model="house")
    set_team_quota(by=SITE, team=cast.team, limit=Limit(Decimal("0.001")), now=NOW)
    set_price()
    assert again(root).calls == 1
    alert_quotas(now=NOW)
    assert not ThresholdAlert.objects.exists()
    record("member", "november", minutes=5, model="house")
    alert_quotas(now=NOW)
    assert ThresholdAlert.objects.exists()


def test_a_deleted_team_is_left_alone(cast: Cast, record: Any, root: Actor) -> None:
    record("member", "a", model="house")
    set_price()
    delete_team(by=Actor(cast.owner), team=cast.team, typed_name=cast.team.name, now=NOW)
    assert again(root).calls == 0


@pytest.mark.parametrize("who", ["owner", "support"])
def test_only_superusers_do_it(cast: Cast, who: str) -> None:
    support = create_user(email="support@example.org", is_staff=True, verified=True)
    with pytest.raises(NotAllowedError):
        again(Actor(cast.owner if who == "owner" else support, as_staff=who == "support"))


def test_a_period_that_ends_before_it_starts_is_refused(root: Actor) -> None:
    with pytest.raises(ActionError) as error:
        again(root, within=Range(NOW, datetime(2026, 1, 1, tzinfo=UTC)))
    assert error.value.field == "until"
