"""create_price and delete_price: the site's own prices, by superusers alone."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.activity import SITE, Actor
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Activity
from teams.models.keys import Token
from tests.conftest import Cast
from usage.prices.actions import create_price, delete_price
from usage.prices.models import Price, PricedBy

NOW = timezone.now().replace(microsecond=0)


def price(**values: Any) -> Price:
    return Price(
        **{"model": "house", "valid_from": NOW, "input_usd": Decimal(2), "output_usd": Decimal(6)} | values
    )


@pytest.fixture
def root(cast: Cast) -> Actor:
    cast.outsider.is_staff = cast.outsider.is_superuser = True
    cast.outsider.save()
    return Actor(cast.outsider, "192.0.2.1", as_staff=True)


@pytest.fixture
def recorded(token_of: Callable[..., tuple[Token, str]]) -> Callable[..., Call]:
    """`recorded("a")`: a call of the model, reported now, which began a minute after the price."""
    caller = Caller(token=token_of("member")[0])

    def report(request_id: str) -> Call:
        call = ReportedCall(
            request_id=request_id,
            started_at=NOW + timedelta(minutes=1),
            model="house",
            input_tokens=1_000,
            output_tokens=500,
        )
        record_calls([call], by=caller, now=NOW + timedelta(minutes=2))
        return Call.objects.get(request_id=request_id)

    return report


def test_calls_that_are_reported_later_cost_that(root: Actor, recorded: Callable[..., Call]) -> None:
    assert recorded("before").priced_by == PricedBy.NOTHING
    create_price(by=root, price=price())
    after = recorded("after")
    assert (after.cost_nanos, after.priced_by) == (5_000_000, PricedBy.SITE)
    assert Call.objects.get(request_id="before").priced_by == PricedBy.NOTHING


def test_without_it_they_cost_what_they_did(root: Actor, recorded: Callable[..., Call]) -> None:
    delete_price(by=root, price=create_price(by=root, price=price()))
    assert recorded("a").priced_by == PricedBy.NOTHING


def test_who_did_it_is_in_the_activity(root: Actor) -> None:
    delete_price(by=root, price=create_price(by=root, price=price(cached_usd=Decimal("0.5"))))
    created, deleted = Activity.objects.filter(kind__startswith="price.").order_by("pk")
    told = {"valid_from": NOW.isoformat(), "input_usd": "2", "output_usd": "6", "cached_usd": "0.5"}
    assert (created.actor, created.team, created.subject, created.after) == (root.user, None, "house", told)
    assert (deleted.kind, deleted.before, deleted.ip) == ("price.deleted", told, "192.0.2.1")


@pytest.mark.parametrize("name", ["owner", "administrator", "member", "outsider", "former"])
def test_nobody_of_a_team_may(cast: Cast, name: str) -> None:
    kept = create_price(by=SITE, price=price())
    by = Actor(getattr(cast, name), "", as_staff=True)
    with pytest.raises(NotAllowedError):
        create_price(by=by, price=price(model="other"))
    with pytest.raises(NotAllowedError):
        delete_price(by=by, price=kept)
    assert list(Price.objects.all()) == [kept]


def test_support_staff_may_not(cast: Cast) -> None:
    cast.outsider.is_staff = True
    cast.outsider.save()
    with pytest.raises(NotAllowedError, match="superuser"):
        create_price(by=Actor(cast.outsider, "", as_staff=True), price=price())


@pytest.mark.parametrize(
    "values",
    [
        {"input_usd": Decimal("-0.01")},
        {"cached_usd": Decimal(-1)},
        {"model": ""},
        {"output_usd": Decimal(10**7)},
    ],
)
def test_what_no_price_can_be_is_refused(root: Actor, values: dict[str, Decimal] | dict[str, str]) -> None:
    with pytest.raises(ActionError):
        create_price(by=root, price=price(**values))
    assert not Price.objects.exists()
    assert not Activity.objects.filter(kind="price.created").exists()


def test_a_model_has_one_price_from_a_moment_on(root: Actor) -> None:
    create_price(by=root, price=price())
    with pytest.raises(ConflictError, match="already has a price"):
        create_price(by=root, price=price(input_usd=Decimal(9)))
    create_price(by=root, price=price(valid_from=NOW + timedelta(hours=1)))
    assert Price.objects.count() == 2
