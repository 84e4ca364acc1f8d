"""Receivers, and webhooks and wishes of the fixed cast."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from teams.activity import Actor
from teams.models import Team
from tests.conftest import Cast
from tests.usage.alerts.receivers import Receiver, receiving
from tests.usage.conftest import NOW
from usage.alerts.actions.subscriptions import Subscriptions, set_subscriptions
from usage.alerts.actions.webhooks import WebhookValues, create_webhook
from usage.alerts.models import Event, Webhook


@pytest.fixture(autouse=True)
def reachable(settings: Settings) -> None:
    """Receivers are on this machine, and mail goes to the test's outbox."""
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    settings.HAS_MAIL = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as one:
        yield one


@pytest.fixture
def hook(cast: Cast) -> Callable[..., Webhook]:
    """`hook(url)`: a webhook of the team at that address, told of everything."""

    def make(
        url: str, events: Any = tuple(Event), team: Team | None = None, by: Any = None, name: str = "chat"
    ) -> Webhook:
        actor = Actor(by or cast.owner)
        return create_webhook(by=actor, team=team or cast.team, wanted=WebhookValues(name, url, events))[0]

    return make


@pytest.fixture
def subscribe(cast: Cast) -> Callable[..., None]:
    """`subscribe("owner", quotas=True)`"""

    def want(name: str, team: Team | None = None, **wishes: bool) -> None:
        set_subscriptions(
            by=Actor(cast.user(name)), team=team or cast.team, wishes=Subscriptions(**wishes), now=NOW
        )

    return want
