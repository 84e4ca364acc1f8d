"""The ranking: everybody who may see it sees all members, also those without calls and those who left."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Cast
from tests.usage.conftest import HTMX, text_of


def ranked(response: Any) -> list[tuple[str, int]]:
    return [(row.person.name, row.ranked.figures.calls) for row in response.context["page"].shown]


@pytest.mark.parametrize("name", ["owner", "administrator"])
def test_owner_and_administrator_see_members_by_calls(see: Callable[..., Any], calls: None, name: str) -> None:
    response = see(name, "ranking")
    assert ranked(response)[:3] == [("Mia", 3), ("Adam", 2), ("Fay", 1)]
    assert "Former member" in text_of(response)
    assert response.context["page"].shown[0].ranked.share == 0.5


@pytest.mark.parametrize(("name", "status"), [("member", 403), ("former", 404), ("outsider", 404)])
def test_nobody_else_sees_it(see: Callable[..., Any], calls: None, name: str, status: int) -> None:
    assert "Adam" not in text_of(see(name, "ranking"), status)


def test_who_is_not_signed_in_is_led_to_the_sign_in_page(see: Callable[..., Any], calls: None) -> None:
    assert see("anonymous", "ranking").url.startswith("/accounts/login/")
    assert see("anonymous", "ranking", **HTMX).headers["HX-Redirect"].startswith("/accounts/login/")


def test_test_mode_is_apart(see: Callable[..., Any], calls: None) -> None:
    assert ranked(see("owner", "ranking", "mode=test"))[0] == ("Mia", 7)


def test_filters_narrow_it(see: Callable[..., Any], calls: None, cast: Cast) -> None:
    query = f"model=gpt-4o&member={cast.administrator.public_id}&member={cast.member.public_id}"
    assert [row for row in ranked(see("owner", "ranking", query)) if row[1]] == [("Adam", 2)]


@pytest.mark.parametrize("compare", ["previous", "none"])
@pytest.mark.parametrize("period", ["24h", "7d", "30d", "90d", "month", "last-month"])
def test_every_preset_is_a_page_with_a_comparison_and_without(
    see: Callable[..., Any], calls: None, period: str, compare: str
) -> None:
    assert 'id="usage-ranking"' in text_of(see("owner", "ranking", f"period={period}&compare={compare}"))


@pytest.mark.parametrize(
    "query",
    [
        "period=x",
        "mode=x",
        "member=otto@example.org",
        "token=tok_x",
        "from=2026-02-01T00:00&to=2026-01-01T00:00",
        "from=0001-01-01T00:00&to=0001-01-02T00:00",
        "from=9999-01-01T00:00&to=9999-12-31T23:59",
        "granularity=second",
    ],
)
def test_nonsense_is_told_in_the_page(see: Callable[..., Any], calls: None, query: str) -> None:
    response = see("owner", "ranking", query)
    assert response.status_code in {200, 422}
    assert 'role="alert"' in response.content.decode()


def test_a_team_without_calls_has_its_members_at_zero(see: Callable[..., Any], cast: Cast) -> None:
    assert {calls for _name, calls in ranked(see("owner", "ranking"))} <= {0}
    text_of(see("owner", "ranking"))


def test_a_swap_gets_the_part_and_a_way_back_the_whole(see: Callable[..., Any], calls: None) -> None:
    part = see("owner", "ranking", **HTMX)
    assert text_of(part).lstrip().startswith('<div id="usage-ranking"')
    assert "HX-Request" in part["Vary"]
    restored = see("owner", "ranking", **HTMX, **{"HX-History-Restore-Request": "true"})
    assert "<html" in text_of(restored)
