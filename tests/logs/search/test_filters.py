"""A filter of the logs is one declaration: form, chips, menu, query, OpenAPI and docs are made from it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Index as ModelIndex
from django.test import Client
from django.urls import reverse

from logs.models import Call
from logs.search.choices import count_newest
from logs.search.documentation import PAGE, page_of_filters
from logs.search.filter_types import ManyFilter
from logs.search.filters import CallFilterSet
from logs.search.query import IN_ROLLUPS, Index
from tests.conftest import Cast


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[ManyFilter]:
    """One more filter, by one declaration: calls of some programs, which no index serves."""
    one = ManyFilter("user_agent", label="Program", about="the program that called", choices=count_newest)
    one.name = "agent"  # what the class of the filters does for those that stand in it
    monkeypatch.setitem(CallFilterSet.base_filters, "agent", one)
    CallFilterSet.get_form_class.cache_clear()
    yield one
    CallFilterSet.get_form_class.cache_clear()


@pytest.fixture
def calls(record: Any, now: datetime) -> list[Any]:
    return [record("owner", name, user_agent=name) for name in ("curl", "python", "curl-again")]


@pytest.mark.usefixtures("declared", "calls")
class TestOneDeclaration:
    def page(self, cast: Cast, client_of: Any, name: str = "list", *args: Any, **asked: Any) -> Any:
        return client_of("owner").get(reverse(f"logs:{name}", args=[cast.team.slug, *args]), asked)

    def test_finds_the_calls_that_it_asks_for(self, cast: Cast, client_of: Callable[..., Client]) -> None:
        found = self.page(cast, client_of, agent=["curl", "python"]).context["page"].calls
        assert {row.call.request_id for row in found} <= {"curl", "python"}
        assert len(found) == 2

    def test_has_a_chip_with_its_value_and_the_way_without_it(
        self, cast: Cast, client_of: Callable[..., Client]
    ) -> None:
        chips = self.page(cast, client_of, agent="curl").context["chips"]
        (chip,) = [one for one in chips.shown if one.name == "agent"]
        assert (chip.label, chip.value, chip.remove) == ("Program", "curl", "?")
        assert "agent" in {one.name for one in self.page(cast, client_of).context["chips"].more}

    def test_has_a_menu_of_the_values_that_occur(self, cast: Cast, client_of: Callable[..., Client]) -> None:
        found = self.page(cast, client_of, "choices", "agent").context["found"]
        assert {one.value for one in found.choices} == {"curl", "python", "curl-again"}

    def test_is_a_parameter_of_the_api(
        self, cast: Cast, client_of: Callable[..., Client], client: Client, db: None
    ) -> None:
        parameters = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/calls"]["get"]["parameters"]
        described = {one["name"]: one["description"] for one in parameters}
        assert described["agent"] == "the program that called; repeatable"

    def test_stands_in_the_docs(self) -> None:
        assert "| Program | `agent` | the program that called; repeatable | – |" in page_of_filters()

    def test_belongs_to_what_a_cursor_was_made_for(self, cast: Cast, client_of: Callable[..., Client]) -> None:
        fingerprints = {
            self.page(cast, client_of, agent=name).context["form"].fingerprint for name in ("curl", "python")
        }
        assert len(fingerprints) == 2


def test_the_docs_are_those_of_the_declarations() -> None:
    assert PAGE.read_text() == page_of_filters(), "run: python manage.py write_docs"


def test_the_command_writes_the_docs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("logs.management.commands.write_docs.PAGE", tmp_path / "filters.md")
    call_command("write_docs", verbosity=0)
    assert (tmp_path / "filters.md").read_text() == page_of_filters()


def test_every_parameter_of_the_form_but_those_of_time_and_place_is_described(
    cast: Cast, now: datetime
) -> None:
    from django.http import QueryDict

    from teams.access import Access

    filters = CallFilterSet(QueryDict(), access=Access(cast.team, cast.owner, "owner"), now=now)
    described = {parameter.name for one in filters.filters.values() for parameter in one.parameters()}
    others = {"from", "to", "period", "mode", "granularity", "compare", "sort", "cursor", "live"}
    assert set(filters.form.fields) == described | others


@pytest.mark.parametrize("index", [one for one in Index if one is not Index.BY_TAG])
def test_an_index_that_filters_name_exists_and_holds_their_columns(index: Any) -> None:
    """A filter that named an index without its column would be taken for settled there."""
    of_calls = [*Call._meta.indexes, *Call._meta.constraints]
    (found,) = [one for one in of_calls if one.name == index]
    text = f"{found.fields} {getattr(found, 'condition', '')} {getattr(found, 'expressions', '')}"
    columns = {"latency_key": "latency_ms", "tokens_key": "input_tokens", "unpriced": "priced_by"}
    named = [one.field_name for one in CallFilterSet.base_filters.values() if index in one.indexes]
    named += [lookup.removesuffix("__in") for lookup, indexes in IN_ROLLUPS.items() if index in indexes]
    assert named
    for name in named:
        assert columns.get(name, name) in text, f"{index} does not hold {name}"
    assert isinstance(found, ModelIndex) or index is Index.BY_REQUEST
