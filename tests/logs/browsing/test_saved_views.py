"""Saved views: one's own, shared ones, who may delete them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from logs.browsing.actions import MOST_VIEWS, delete_view, save_view
from logs.models import SavedView
from teams.activity import Actor
from teams.errors import ActionError, NotAllowedError
from teams.models import Activity
from tests.conftest import Cast


@pytest.fixture
def save(cast: Cast) -> Callable[..., SavedView]:
    def make(name: str, view: str = "failures", query: str = "outcome=server_error", **more: Any) -> SavedView:
        return save_view(by=Actor(cast.user(name)), team=cast.team, name=view, query=query, **more)

    return make


@pytest.fixture
def offered(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., list[Any]]:
    """`offered("member")`: the names of the views on that person's page."""

    def get(name: str) -> list[Any]:
        response = client_of(name).get(reverse("logs:list", args=[cast.team.slug]))
        return [view.name for view in response.context["views"]]

    return get


def test_ones_own_views_are_ones_own_and_shared_ones_everybodys(
    save: Callable[..., SavedView], offered: Callable[..., list[Any]]
) -> None:
    save("member", "mine")
    save("owner", "private")
    save("administrator", "shared", is_shared=True)
    assert offered("member") == ["mine", "shared"]
    assert offered("owner") == ["private", "shared"]


def test_only_who_sees_the_team_can_share(save: Callable[..., SavedView]) -> None:
    with pytest.raises(NotAllowedError):
        save("member", is_shared=True)
    with pytest.raises(NotAllowedError):
        save("outsider")


def test_the_same_name_changes_the_view(save: Callable[..., SavedView]) -> None:
    save("member", query="model=a")
    save("member", query="model=b")
    assert SavedView.objects.get().query == "model=b"


def test_a_view_keeps_filters_but_no_place_in_the_list(save: Callable[..., SavedView]) -> None:
    assert save("member", query="model=a&cursor=x&live=1&q=z&period=30d").query == "model=a&period=30d"


def test_sharing_and_deleting_a_shared_view_is_activity_and_a_private_one_is_not(
    cast: Cast, save: Callable[..., SavedView]
) -> None:
    private, shared = save("member"), save("owner", is_shared=True)
    delete_view(by=Actor(cast.member), view=private)
    delete_view(by=Actor(cast.administrator), view=shared)
    kinds = Activity.objects.filter(kind__startswith="view.").order_by("pk").values_list("kind", "actor_id")
    assert list(kinds) == [("view.shared", cast.owner.pk), ("view.deleted", cast.administrator.pk)]


def test_nobody_deletes_anothers_own_view_and_a_member_no_shared_one(
    cast: Cast, save: Callable[..., SavedView]
) -> None:
    with pytest.raises(NotAllowedError):
        delete_view(by=Actor(cast.owner), view=save("member"))
    with pytest.raises(NotAllowedError):
        delete_view(by=Actor(cast.member), view=save("owner", "shared", is_shared=True))


def test_a_name_is_needed_and_there_is_an_end_to_views(save: Callable[..., SavedView]) -> None:
    with pytest.raises(ActionError):
        save("member", "  ")
    with pytest.raises(ActionError):
        save("member", query="model=" + "x" * 3000)
    for n in range(MOST_VIEWS):
        save("member", f"view {n}")
    with pytest.raises(ActionError):
        save("member", "one more")
    save("member", "view 1", query="model=b")


def test_the_form_saves_what_the_page_shows_and_leads_back_to_it(
    cast: Cast, client_of: Callable[..., Client]
) -> None:
    url = reverse("logs:view-save", args=[cast.team.slug])
    response = client_of("member").post(url, {"name": "Slow", "query": "latency_from=9000&cursor=x"})
    assert response["Location"] == reverse("logs:list", args=[cast.team.slug]) + "?latency_from=9000&cursor=x"
    assert SavedView.objects.get().query == "latency_from=9000"
    client_of("owner").post(url, {"name": "All", "query": "", "is_shared": "on"})
    assert SavedView.objects.get(name="All").is_shared
    client_of("owner").post(url, {"name": "", "query": ""})
    assert SavedView.objects.count() == 2


def test_a_view_that_one_cannot_open_is_not_found(
    cast: Cast, save: Callable[..., SavedView], client_of: Callable[..., Client]
) -> None:
    view = save("owner")
    url = reverse("logs:view-delete", args=[cast.team.slug, view.public_id])
    assert client_of("member").post(url).status_code == 404
    assert client_of("owner").post(url).status_code == 302
    assert not SavedView.objects.exists()
