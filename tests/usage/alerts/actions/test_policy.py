"""At which shares of a limit a team is told: chosen by owner and administrators."""

from collections.abc import Callable
from typing import Any

import pytest

from teams.errors import ActionError, NotAllowedError
from teams.models import Activity
from tests.conftest import Cast
from usage.alerts.actions.policy import set_thresholds, thresholds_of


def test_the_usual_ones_are_50_80_95_and_100(cast: Cast) -> None:
    assert thresholds_of(cast.team) == [50, 80, 95, 100]


@pytest.mark.parametrize("who", ["owner", "administrator"])
def test_owner_and_administrator_choose_others_in_any_order(
    cast: Cast, act: Callable[..., Any], who: str
) -> None:
    set_thresholds(by=act(who), team=cast.team, percents=[100, 75, 75])
    assert thresholds_of(cast.team) == [75, 100]
    row = Activity.objects.latest("pk")
    assert (row.kind, row.before, row.after) == (
        "alert.thresholds_changed",
        {"percent": [50, 80, 95, 100]},
        {"percent": [75, 100]},
    )
    rows = Activity.objects.count()
    set_thresholds(by=act(who), team=cast.team, percents=[75, 100])
    assert Activity.objects.count() == rows


@pytest.mark.parametrize("who", ["member", "former", "outsider"])
def test_nobody_else_does(cast: Cast, act: Callable[..., Any], who: str) -> None:
    with pytest.raises(NotAllowedError):
        set_thresholds(by=act(who), team=cast.team, percents=[1])


@pytest.mark.parametrize("percents", [[0], [-5], [201], range(1, 10)])
def test_what_is_no_share_and_too_many_are_refused(cast: Cast, act: Callable[..., Any], percents: Any) -> None:
    with pytest.raises(ActionError) as error:
        set_thresholds(by=act("owner"), team=cast.team, percents=percents)
    assert error.value.field == "thresholds"
    assert thresholds_of(cast.team) == [50, 80, 95, 100]
