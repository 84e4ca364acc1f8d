"""The ranking in any order, of members, tokens and models, searched and paged; the files of the pages."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from teams.actions.members import add_member
from teams.actions.users import create_user
from teams.activity import SITE
from tests.conftest import Cast
from tests.usage.conftest import text_of


def names(response: Any) -> list[str]:
    return [row.name for row in response.context["page"].shown]


@pytest.fixture
def read(see: Callable[..., Any]) -> Callable[..., list[dict[str, str]]]:
    """`read("ranking-export", "by=model")`: the rows of the CSV file."""

    def rows(page: str, query: str = "", name: str = "owner") -> list[dict[str, str]]:
        text = text_of(see(name, page, f"{query}&format=csv"))
        return list(csv.DictReader(io.StringIO(text)))

    return rows


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("sort=calls", ["Mia", "Adam", "Fay"]),
        ("sort=cost&order=desc", ["Adam", "Mia"]),
        ("sort=tokens", ["Mia", "Adam", "Fay"]),
        ("sort=share", ["Mia", "Adam", "Fay"]),
        ("sort=name", ["Adam", "Fay", "Mia", "Olivia"]),
        ("sort=name&order=desc", ["Olivia", "Mia", "Fay", "Adam"]),
        ("sort=p95&order=desc", ["Mia", "Adam", "Fay", "Olivia"]),  # without latency comes last
        ("sort=success&order=asc", ["Mia", "Adam", "Fay", "Olivia"]),
        ("sort=role", ["Olivia", "Adam", "Mia", "Fay"]),  # owner, administrator, member, a former one
        ("sort=role&order=desc", ["Fay", "Mia", "Adam", "Olivia"]),
    ],
)
def test_any_column_sorts(see: Callable[..., Any], calls: None, query: str, first: list[str]) -> None:
    assert names(see("owner", "ranking", query))[: len(first)] == first


@pytest.mark.parametrize("sort", ["change", "quota", "unusual"])
def test_columns_that_know_little_keep_everybody(see: Callable[..., Any], calls: None, sort: str) -> None:
    assert set(names(see("owner", "ranking", f"sort={sort}"))) == {"Mia", "Adam", "Fay", "Olivia"}


@pytest.mark.parametrize(
    "query", ["sort=password", "by=team", "order=up", "page=0", "page=x", "q=" + "x" * 101]
)
def test_nonsense_is_told_in_the_page(see: Callable[..., Any], calls: None, query: str) -> None:
    assert 'role="alert"' in text_of(see("owner", "ranking", query))


@pytest.mark.parametrize(("text", "found"), [("MIA", ["Mia"]), ("adam@", ["Adam"]), ("nobody", [])])
def test_a_member_is_found_by_name_or_address(
    see: Callable[..., Any], calls: None, text: str, found: list[str] | list[Any]
) -> None:
    assert names(see("owner", "ranking", f"q={text}")) == found


def test_a_found_member_keeps_their_rank(see: Callable[..., Any], calls: None) -> None:
    (row,) = see("owner", "ranking", "q=adam").context["page"].shown
    assert row.ranked.rank == 2


def test_a_sorted_column_is_sorted_the_other_way_by_its_head(see: Callable[..., Any], calls: None) -> None:
    orders = [("sort=role", "order=desc"), ("sort=cost", "order=asc"), ("sort=cost&order=asc", "order=desc")]
    for query, other in orders:
        page = text_of(see("owner", "ranking", query))
        (head,) = re.findall(r'<th scope="col"[^>]*aria-sort="\w+">\s*<a href="([^"]+)"', page)
        assert other in head, query


def test_by_token_and_by_model(see: Callable[..., Any], calls: None) -> None:
    assert names(see("owner", "ranking", "by=model")) == ["gpt-4o-mini", "gpt-4o", "house-model"]
    response = see("owner", "ranking", "by=token")
    assert next((row.name, row.detail) for row in response.context["page"].shown) == ("laptop", "Mia")


def test_many_members_come_in_pages(see: Callable[..., Any], cast: Cast) -> None:
    for n in range(60):
        add_member(by=SITE, team=cast.team, user=create_user(email=f"n{n}@example.org", name=f"Nobody {n:02}"))
    first = see("owner", "ranking", "sort=name")
    assert len(names(first)) == 25
    assert "Page 1 of 3" in text_of(first)
    second, third = (see("owner", "ranking", f"sort=name&page={page}") for page in (2, 3))
    assert len({*names(first), *names(second), *names(third)}) == 63
    assert names(see("owner", "ranking", "sort=name&page=99")) == names(third)


def test_the_file_of_the_ranking_has_every_line_as_it_is_sorted(
    read: Callable[..., list[dict[str, str]]], calls: None
) -> None:
    rows = read("ranking-export", "sort=name")
    assert [row["name"] for row in rows] == ["Adam", "Fay", "Mia", "Olivia"]
    mia = rows[2]
    assert (mia["member"], mia["role"], mia["calls"], mia["rank"]) == ("mia@example.org", "member", "3", "3")
    assert rows[1]["role"] == "former"
    assert "Total" not in str(rows)


def test_the_files_have_what_the_pages_show(
    see: Callable[..., Any], read: Callable[..., list[dict[str, str]]], calls: None
) -> None:
    shown = see("owner", "overview", "period=24h").context["page"].overview
    rows = read("overview-export", "period=24h")
    assert [int(row["calls"]) for row in rows] == [point.figures.calls for point in shown.points]
    answer = see("owner", "overview-export", "period=24h&format=json").json()
    assert answer["totals"]["calls"] == shown.total.calls == sum(one["calls"] for one in answer["points"])
    assert next(one["model"] for one in answer["models"]) == "gpt-4o-mini"
    assert answer["previous"]["totals"]["calls"] == shown.before.calls


def test_a_member_gets_the_file_of_their_own_part_and_none_of_the_ranking(
    see: Callable[..., Any], read: Callable[..., list[dict[str, str]]], calls: None
) -> None:
    assert sum(int(row["calls"]) for row in read("overview-export", name="member")) == 3
    assert see("member", "ranking-export", "format=csv").status_code == 403
    assert see("outsider", "overview-export", "format=csv").status_code == 404


@pytest.mark.parametrize("query", ["format=xlsx", "", "format=csv&period=ever"])
def test_a_file_that_cannot_be_made_says_why(see: Callable[..., Any], calls: None, query: str) -> None:
    assert see("owner", "overview-export", query).status_code == 400
    assert see("owner", "ranking-export", query).status_code == 400


def test_ranking_by_model_as_json(see: Callable[..., Any], calls: None) -> None:
    answer = see("owner", "ranking-export", "by=model&format=json").json()
    assert [row["model"] for row in answer["rows"]] == ["gpt-4o-mini", "gpt-4o", "house-model"]
    assert "quota_used_usd" not in answer["rows"][0]
