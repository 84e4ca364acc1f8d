"""Receivers, and webhooks and wishes of the fixed cast."""

from collections.abc import Callable, Iterator

import pytest

from teams.activity import Actor
from tests.usage.alerts.receivers import Receiver, receiving
from tests.usage.conftest import NOW
from usage.alerts.actions.subscriptions import Wishes, set_usage_mail
from usage.alerts.actions.webhooks import Wanted, create_webhook
from usage.alerts.models import Event, Webhook


@pytest.fixture(autouse=True)
def reachable(settings) -> None:
    """Receivers are on this machine, and mail goes to the test's outbox."""
    settings.WEBHOOKS_MAY_BE_PRIVATE = True
    settings.HAS_MAIL = True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as one:
        yield one


@pytest.fixture
def hook(cast) -> Callable[..., Webhook]:
    """`hook(url)`: a webhook of the team at that address, told of everything."""

    def make(url: str, events=tuple(Event), team=None, by=None, name: str = "chat") -> Webhook:
        actor = Actor(by or cast.owner)
        return create_webhook(by=actor, team=team or cast.team, wanted=Wanted(name, url, events))[0]

    return make


@pytest.fixture
def subscribe(cast) -> Callable[..., None]:
    """`subscribe("owner", quotas=True)`"""

    def want(name: str, team=None, **wishes: bool) -> None:
        set_usage_mail(by=Actor(cast.user(name)), team=team or cast.team, wishes=Wishes(**wishes), now=NOW)

    return want
