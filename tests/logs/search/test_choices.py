"""What filters can be set to: only what occurs in the period, with counts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("now")


@pytest.fixture
def choices(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`choices("owner", "model", q="gpt")`: the labels and counts offered."""

    def get(who: Any, filter_name: Any, **asked: Any) -> Any:
        response = client_of(who).get(reverse("logs:choices", args=[cast.team.slug, filter_name]), asked)
        if response.status_code != 200:
            return response.status_code
        return {one.label: one.calls for one in response.context["found"].choices}

    return get


def test_members_models_and_tokens_come_with_their_calls(record: Any, choices: Callable[..., Any]) -> None:
    record("owner", "a")
    record("member", "b")
    record("member", "c", model="other")
    assert choices("owner", "member") == {"Mia": 2, "Olivia": 1}
    assert choices("owner", "model") == {"gpt-4o-mini": 2, "other": 1}
    assert choices("owner", "token") == {"laptop": 1} or len(choices("owner", "token")) == 1


def test_what_is_chosen_stays_so_while_something_else_is_searched_for(
    cast: Cast, record: Any, client_of: Callable[..., Client]
) -> None:
    record("owner", "a")
    record("member", "b")
    address, (mia, olivia) = reverse("logs:choices", args=[cast.team.slug, "member"]), (cast.member, cast.owner)

    def page(**asked: Any) -> str:
        return client_of("owner").get(address, {"q": "oliv"} | asked).content.decode()

    kept = f'<input type="hidden" name="member" value="{mia.public_id}">'
    for asked in ({"member": mia.public_id}, {"chosen": mia.public_id}):
        assert kept in page(**asked)
        assert f'value="{olivia.public_id}"><span>' in page(**asked)
    assert kept not in page(chosen=mia.public_id, picked="1")
    assert f'value="{mia.public_id}" checked' in page(chosen=mia.public_id, q="mia")


@pytest.mark.parametrize(("place", "path"), [("overview", ""), ("ranking", "ranking/"), ("nonsense", "logs/")])
def test_the_choice_leads_back_to_the_page_it_was_opened_on(
    cast: Cast, record: Any, client_of: Callable[..., Client], place: str, path: str
) -> None:
    record("member", "a")
    address = reverse("logs:choices", args=[cast.team.slug, "member"])
    # A ranking's columns are others than those that the logs are sorted by, and stay for the way back.
    asked = {"for": place, "period": "30d", "sort": "p95" if place == "ranking" else ""}
    page = client_of("owner").get(address, asked).content.decode()
    assert f'action="/t/{cast.team.slug}/{path}"' in page
    assert 'name="for"' not in page.partition('id="pick-member"')[2]
    assert place != "ranking" or '<input type="hidden" name="sort" value="p95">' in page


def test_what_is_outside_the_period_is_no_choice(record: Any, choices: Callable[..., Any]) -> None:
    record("owner", "a", minutes=3 * 24 * 60, model="old", provider="old")
    record("owner", "b", model="new", provider="new")
    for name in ("model", "provider"):
        assert choices("owner", name, period="24h") == {"new": 1}


def test_a_filter_narrows_the_choices_of_the_others_but_not_its_own(
    record: Any, choices: Callable[..., Any]
) -> None:
    record("owner", "a", model="one", status=429)
    record("owner", "b", model="two")
    assert choices("owner", "outcome", model="one") == {"Throttled": 1}
    assert choices("owner", "model", model="one") == {"one": 1, "two": 1}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("status", {"status": 418}),
        ("provider", {"provider": "azure"}),
        ("endpoint", {"endpoint": "chat"}),
        ("channel", {"channel": "east"}),
        ("error_type", {"status": 500, "error_type": "overloaded"}),
        ("tag", {"tags": ["nightly", "b"]}),
    ],
)
def test_the_others_come_from_the_newest_calls(
    record: Any, choices: Callable[..., Any], name: str, fields: Any
) -> None:
    record("owner", "a")
    record("owner", "b", **fields)
    values = fields.get(name) or fields["tags"]
    assert choices("owner", name) == dict.fromkeys(
        map(str, values) if isinstance(values, list) else [str(values)], 1
    )


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest call is counted where no rollup knows, nor an index of all values."""
    monkeypatch.setattr("logs.search.choices.SAMPLE", 1)
    monkeypatch.setattr("logs.search.choices.SAMPLE_FAILED", 1)


@pytest.fixture
def many_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are too many tags to count each."""
    monkeypatch.setattr("logs.search.choices.MOST_TAGS", 1)


@pytest.mark.parametrize("name", ["provider", "endpoint", "channel"])
def test_a_rare_route_is_offered_too(
    record: Any, choices: Callable[..., Any], small_sample: None, name: str
) -> None:
    record("owner", "rare", minutes=60, **{name: "rare"})
    record("owner", "often", **{name: "often"})
    assert choices("owner", name) == {"often": 1, "rare": 1}


def test_a_rare_tag_is_offered_and_searched_for_too(
    record: Any, choices: Callable[..., Any], small_sample: None
) -> None:
    for minutes, tags in [(60, ["rare", "Übung"]), (2, ["often"]), (1, ["often", "a"])]:
        record("owner", f"r{minutes}", minutes=minutes, tags=tags)
    record("owner", "older", minutes=60 * 24 * 40, tags=["older"])
    assert choices("owner", "tag") == {"often": 2, "rare": 1, "Übung": 1, "a": 1}
    assert choices("owner", "tag", q="ra") == {"rare": 1}
    assert choices("owner", "tag", mode="test") == {}


@pytest.mark.parametrize(("name", "value"), [("tag", "Rare"), ("error_type", "Rare"), ("status", "418")])
def test_what_is_typed_in_full_is_found_behind_the_newest_calls_too(
    record: Any, choices: Callable[..., Any], small_sample: None, many_tags: None, name: str, value: str
) -> None:
    fields: dict[str, Any] = {"status": 418, "error_type": "Rare", "tags": ["Rare"]}
    record("owner", "rare", minutes=60, **fields)
    record("owner", "newest", status=500, tags=["often"], error_type="often")
    assert value not in choices("owner", name)
    assert choices("owner", name, q=value) == {value: 1}
    assert choices("owner", name, q=value, period="24h", model="other") == {}
    assert choices("member", name, q=value) == {}
    for text in ("x" * 200, "²", "\x00", "%"):
        assert choices("owner", name, q=text) == {}


def test_a_member_chooses_among_their_own_calls_and_never_sees_other_members(
    record: Any, choices: Callable[..., Any]
) -> None:
    record(
        "owner", "a", model="secret-model", provider="secret", tags=["secret"], status=500, error_type="secret"
    )
    record("member", "b", model="own-model", provider="own")
    assert choices("member", "member") == 404
    assert choices("member", "model") == {"own-model": 1}
    assert choices("member", "provider") == {"own": 1}
    assert choices("member", "outcome") == {"Succeeded": 1}
    assert choices("member", "token") == {"laptop": 1}
    assert choices("member", "tag") == choices("member", "error_type") == choices("member", "status") == {}


def test_a_search_finds_names_and_addresses(record: Any, choices: Callable[..., Any]) -> None:
    record("owner", "a")
    record("member", "b")
    assert choices("owner", "member", q="MIA@") == {"Mia": 1}
    assert choices("owner", "member", q="%") == {}


def test_there_is_no_other_filter_to_choose(choices: Callable[..., Any]) -> None:
    assert choices("owner", "metadata") == 404
    assert choices("outsider", "model") == 404
