"""A column of a ranking is one declaration: head, cells, order, CSV and JSON are made from it."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.markup import markup
from logs.formats.reported import ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.models.keys import Token
from tests.conftest import Cast
from tests.usage.conftest import text_of
from usage.rollups.statements import Depth
from usage.statistics.columns import COLUMNS, Column


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more column, by one declaration: cached tokens."""
    column = Column(
        "cached",
        label="Cached",
        title="cached tokens",
        value=lambda row: row.figures.cached_tokens,
        cell=lambda row, links: markup('<a href="%s">%s cached</a>', links.calls, row.figures.cached_tokens),
        css="num col-4",
        depth=Depth(frozenset({"calls", "cached_tokens"})),
        export=lambda row: {"from_cache": row.figures.cached_tokens},
    )
    monkeypatch.setitem(COLUMNS, "cached", column)


@pytest.fixture
def cached(cast: Cast, token_of: Callable[..., tuple[Token, str]]) -> None:
    """Two calls of Olivia with one cached token each, one of Mia with 700."""
    now = timezone.now()
    for name, tokens in [("owner", [1, 1]), ("member", [700])]:
        reported = [
            ReportedCall(
                request_id=f"{name}-{n}",
                started_at=now - timedelta(minutes=5),
                model="gpt-4o-mini",
                input_tokens=900,
                cached_tokens=of_call,
            )
            for n, of_call in enumerate(tokens)
        ]
        record_calls(reported, by=Caller(token=token_of(name)[0]), now=now)


@pytest.mark.usefixtures("declared", "cached")
class TestOneDeclaration:
    @staticmethod
    def page(see: Any, query: str = "", name: str = "ranking") -> str:
        return text_of(see("owner", name, query))

    def test_has_a_head_that_sorts(self, see: Callable[..., Any]) -> None:
        assert re.search(r'<th scope="col" class="num col-4">\s*<a href="\?sort=cached"', self.page(see))

    def cells(self, see: Any, query: str = "") -> list[int]:
        found = re.findall(
            r'<td class="num col-4"><a href="[^"]*">(\d+) cached</a></td>', self.page(see, query)
        )
        return [int(tokens) for tokens in found]

    def test_has_a_cell_in_every_row(self, see: Callable[..., Any]) -> None:
        assert sorted(self.cells(see)) == [0, 2, 700]

    def test_sorts_the_rows_and_names_itself_in_the_title(self, see: Callable[..., Any]) -> None:
        assert self.cells(see) == [2, 700, 0]  # by calls
        assert self.cells(see, "sort=cached") == [700, 2, 0]
        assert self.cells(see, "sort=cached&order=asc") == [0, 2, 700]
        assert "Members by cached tokens" in self.page(see, "sort=cached")

    def test_stands_in_the_panel_of_the_overview(self, see: Callable[..., Any]) -> None:
        assert "700 cached" in self.page(see, name="overview")

    @pytest.mark.parametrize("by", ["member", "model", "token"])
    def test_is_exported(self, see: Callable[..., Any], by: str) -> None:
        saved = self.page(see, f"format=csv&sort=cached&by={by}", "ranking-export")
        rows = list(csv.DictReader(io.StringIO(saved)))
        assert [int(row["from_cache"]) for row in rows if int(row["calls"])] in ([700, 2], [702])
