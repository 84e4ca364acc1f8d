"""Fixtures: reading pages and submitting forms."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from teams.actions.invitations import InvitationRequest, create_link, invite_by_email
from teams.activity import Actor
from tests.conftest import Cast


@pytest.fixture
def page(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., str]:
    """`page("owner", "members/")`: the text of a page of the team, without tags and repeated spaces."""

    def read(who: str, path: str, status: int = 200, **query: Any) -> str:
        response = client_of(who).get(f"/t/harbour-research/{path}", query)
        assert response.status_code == status
        return text_of(response)

    return read


@pytest.fixture
def submit(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., Any]:
    """`submit("owner", "settings/leave/")`: posts to a URL of the team and follows redirects."""

    def post(who: str, path: str, **data: Any) -> Any:
        return client_of(who).post(f"/t/harbour-research/{path}", data, follow=True)

    return post


@pytest.fixture
def invited(cast: Cast) -> Callable[..., str]:
    """`invited("fay@example.org")`: the path of a new invitation of that address, or of a link for two."""

    def make(email: str = "", role: str = "member") -> str:
        by, now = Actor(cast.owner), timezone.now()
        if email:
            (one,) = invite_by_email(by=by, team=cast.team, people=[InvitationRequest(email, role)], now=now)
            link = one.link
        else:
            link = create_link(by=by, team=cast.team, role=role, now=now, max_uses=2)[1]
        return link[link.index("/invite/") :]

    return make


@pytest.fixture
def anonymous() -> Client:
    return Client()


def text_of(response: Any) -> str:
    """The text of a page: without head and tags, with single spaces."""
    body = response.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", strip_tags(body))
