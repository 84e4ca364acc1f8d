"""Where single calls were deleted: all figures of a page are of the same calls, and it says what is left out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from logs.formats.reported import ReportedCall
from logs.integrity.retention import delete_old_calls
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.anomalies.conftest import NOW, at_noon, tokens  # noqa: F401
from tests.usage.conftest import text_of

KEPT = "Single calls before 6 Nov 2026 are no longer stored"  # 14 days before NOW, in Berlin
DAYS = "from=2026-10-26T00:00&to=2026-10-29T00:00"  # 72 hours, all of them gone
ODD = "from=2026-10-26T10:17&to=2026-10-28T12:43"


@pytest.fixture
def calls(cast: Cast, at_noon: None, tokens: dict[str, Token]) -> None:  # noqa: F811
    """A call of Mia's and one of Olivia's in every hour of 30 days, of two models."""
    for name in ("member", "owner"):
        reported = [
            ReportedCall(
                request_id=f"{name}{number}",
                started_at=datetime(2026, 11, 20, 12, 20, tzinfo=UTC) - timedelta(hours=number),
                model="gpt-4o" if number % 3 else "gpt-4o-mini",
                latency_ms=100,
            )
            for number in range(30 * 24)
        ]
        record_calls(reported, by=Caller(token=tokens[name]), now=NOW)


@pytest.fixture
def delete(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Deletes the calls of more than so many days ago."""
    monkeypatch.setattr("logs.integrity.retention.sleep", lambda _seconds: None)

    def delete_old(days: int = 14) -> None:
        settings.CALL_RETENTION_DAYS = days
        delete_old_calls(now=NOW)

    return delete_old


@pytest.fixture
def filters(cast: Cast, tokens: dict[str, Token]) -> list[str]:  # noqa: F811
    mia = f"member={cast.member.public_id}"
    return ["", mia, "model=gpt-4o", f"token={tokens['member'].public_id}", f"{mia}&model=gpt-4o"]


def sums_of(answer: Any) -> set[int]:
    """How many calls the totals, the chart and the models have, each in all."""
    points, models = ([one["calls"] for one in answer[name]] for name in ("points", "models"))
    return {answer["totals"]["calls"], sum(points), sum(models)}


def saved(see: Any, name: str, page: str, query: str) -> Any:
    if page == "me-export":
        query += "&team=harbour-research"  # its clock
    return see(name, page, f"{query}&format=json").json()


def test_in_contexts_on_several_clocks_days_are_each_ones_own(
    calls: None, delete: Callable[..., None], see: Callable[..., Any]
) -> None:
    delete()
    assert sums_of(see("member", "me-export", f"{DAYS}&format=json").json()) == {48}
    assert KEPT in text_of(see("member", "me", DAYS))


@pytest.mark.parametrize("page", ["overview-export", "me-export"])
def test_whole_days_are_exact_by_whatever_filters(
    calls: None, delete: Callable[..., None], filters: list[str], see: Callable[..., Any], page: str
) -> None:
    name = "member" if page == "me-export" else "owner"
    asked = [f"{DAYS}&{one}" for one in filters if page == "overview-export" or "member=" not in one]
    before = [sums_of(saved(see, name, page, one)) for one in asked]
    delete()
    for one, was in zip(asked, before, strict=True):
        assert sums_of(saved(see, name, page, one)) == was, one


@pytest.mark.parametrize("page", ["overview-export", "me-export"])
@pytest.mark.parametrize("asked", [ODD, DAYS, "period=7d", "period=24h", "period=90d", "period=month"])
@pytest.mark.parametrize("days", [14, 3])
def test_nothing_contradicts_itself_on_a_page(
    calls: None,
    delete: Callable[..., None],
    filters: list[str],
    see: Callable[..., Any],
    page: str,
    asked: str,
    days: int,
) -> None:
    delete(days)
    name = "member" if page == "me-export" else "owner"
    for one in filters:
        if page == "overview-export" or "member=" not in one:
            assert len(sums_of(saved(see, name, page, f"{asked}&{one}"))) == 1, one


def test_of_hours_only_whole_ones_are_counted_and_the_page_says_so(
    calls: None, delete: Callable[..., None], see: Callable[..., Any]
) -> None:
    asked = "from=2026-10-26T10:17&to=2026-10-26T12:43"
    assert KEPT not in text_of(see("owner", "overview", asked))
    delete()
    assert f"{KEPT}. Earlier times are counted and compared in whole hours" in text_of(
        see("owner", "overview", asked)
    )
    answer = saved(see, "owner", "overview-export", asked)
    assert (answer["from"], answer["to"]) == ("2026-10-26T10:00:00Z", "2026-10-26T11:00:00Z")
    assert (answer["totals"]["calls"], answer["coarse_before"], answer["previous"]) == (2, "2026-11-06", None)


def test_a_filter_by_token_is_counted_in_days(
    calls: None, delete: Callable[..., None], filters: list[str], see: Callable[..., Any]
) -> None:
    delete()
    token = filters[3]
    assert f"{KEPT}. Earlier times are counted and compared in whole days" in text_of(
        see("owner", "overview", f"{ODD}&{token}")
    )
    answer = saved(see, "owner", "overview-export", f"{ODD}&{token}&granularity=hour")
    assert (answer["granularity"], answer["totals"]["calls"]) == ("day", 24)
    assert saved(see, "owner", "ranking-export", f"{ODD}&by=token")["rows"][0]["calls"] == 24
    assert KEPT in text_of(see("owner", "ranking", f"{ODD}&by=token"))
    assert KEPT in text_of(see("owner", "top", f"{ODD}&by=token"))


@pytest.mark.parametrize("asked", ["period=24h", "from=2026-11-10T10:17&to=2026-11-12T11:00", DAYS])
def test_nothing_is_told_where_all_is_known(
    calls: None, delete: Callable[..., None], see: Callable[..., Any], asked: str
) -> None:
    delete()
    assert KEPT not in text_of(see("owner", "overview", asked))


def test_minutes_that_are_kept_are_counted(
    calls: None, delete: Callable[..., None], filters: list[str], see: Callable[..., Any]
) -> None:
    delete()
    answer = saved(see, "owner", "overview-export", f"from=2026-11-10T10:17&to=2026-11-10T12:19&{filters[3]}")
    assert (answer["granularity"], answer["totals"]["calls"], answer["coarse_before"]) == ("hour", 2, None)


@pytest.fixture
def api(client: Client, token_of: Callable[..., tuple[Token, str]]) -> Callable[..., Any]:
    secret = token_of("owner")[1]

    def get(query: str, status: int = 200) -> Any:
        answer = client.get(f"/api/v1/usage?{query}", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == status, answer.content
        return answer.json()

    return get


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ("from=2026-10-26&to=2026-10-29&granularity=hour&{token}", "granularity"),
        ("from=2026-10-26T10:00:00Z&to=2026-10-29&{token}", "from"),
        ("from=2026-10-26&to=2026-10-29T10:00:00Z&group_by=token", "to"),
        ("from=2026-10-26T10:17:00Z&to=2026-10-29", "from"),
    ],
)
def test_the_api_refuses_what_is_no_longer_known(
    calls: None,
    delete: Callable[..., None],
    filters: list[str],
    api: Callable[..., Any],
    asked: str,
    param: str,
) -> None:
    asked = asked.format(token=filters[3])
    api(asked)
    delete()
    error = api(asked, 400)["error"]
    assert (error["code"], error["param"]) == ("invalid_request", param)
    assert "Single calls before 2026-11-06 are no longer stored" in error["message"]


def test_the_api_answers_what_is_known_and_what_names_no_times(
    calls: None, delete: Callable[..., None], filters: list[str], api: Callable[..., Any]
) -> None:
    delete()
    answer = api(f"from=2026-10-26&to=2026-10-29&{filters[3]}")
    assert (answer["granularity"], answer["totals"]["calls"]) == ("day", 72)
    assert api("from=2026-10-26T10:00:00Z&to=2026-10-26T12:00:00Z&group_by=time,model")["totals"]["calls"] == 4
    assert api("")["from"] == "2026-10-21T13:00:00Z"  # not 12:30, of which only the hour is known
