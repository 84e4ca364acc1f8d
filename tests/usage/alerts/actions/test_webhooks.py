"""Webhooks are made, changed, given a new secret, deleted and tried by owner and administrators only."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Activity
from tests.conftest import Cast
from tests.usage.conftest import NOW
from usage.alerts.actions import webhooks
from usage.alerts.actions.webhooks import (
    MOST_WEBHOOKS,
    TESTS_A_MINUTE,
    WebhookValues,
    change_webhook,
    create_webhook,
    delete_webhook,
    queue_again,
    queue_test,
    rotate_webhook,
)
from usage.alerts.models import Event, Message, Webhook
from usage.alerts.signing import secret_of

WANTED = WebhookValues("chat", "http://127.0.0.1:9/T0P-S3CRET", (Event.QUOTA,))


@pytest.fixture(autouse=True)
def reachable(settings: Settings) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = True


@pytest.fixture
def webhook(cast: Cast, act: Callable[..., Any]) -> Webhook:
    return create_webhook(by=act("owner"), team=cast.team, wanted=WANTED)[0]


def last() -> Activity:
    return Activity.objects.latest("pk")


@pytest.mark.parametrize("who", ["owner", "administrator"])
def test_owner_and_administrator_make_one_and_see_its_secret(
    cast: Cast, act: Callable[..., Any], who: str
) -> None:
    webhook, secret = create_webhook(by=act(who), team=cast.team, wanted=WANTED)
    assert secret == secret_of(webhook)
    assert (last().kind, last().actor, last().subject) == ("webhook.created", cast.user(who), "chat")


@pytest.mark.parametrize("who", ["member", "former", "outsider"])
def test_nobody_else_may_do_anything_with_one(
    cast: Cast, act: Callable[..., Any], webhook: Webhook, who: str
) -> None:
    message = Message.objects.create(
        team=cast.team, webhook=webhook, state="failed", body="{}", created_at=NOW, due_at=NOW
    )
    rows = Activity.objects.count()
    attempts: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (create_webhook, {"team": cast.team, "wanted": WANTED}),
        (change_webhook, {"webhook": webhook, "wanted": WANTED}),
        (rotate_webhook, {"webhook": webhook}),
        (delete_webhook, {"webhook": webhook}),
        (queue_test, {"webhook": webhook, "now": NOW}),
        (queue_again, {"message": message, "now": NOW}),
    ]
    for action, arguments in attempts:
        with pytest.raises(NotAllowedError):
            action(by=act(who), **arguments)
    assert (Webhook.objects.count(), Message.objects.count(), Activity.objects.count()) == (1, 1, rows)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"url": "ftp://hooks.example/"}, "url"),
        ({"url": "http://me:secret@127.0.0.1/"}, "url"),
        ({"name": "  "}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"events": ()}, "events"),
    ],
)
def test_what_will_not_do_is_refused_at_its_field(
    cast: Cast, act: Callable[..., Any], changed: dict[str, str] | dict[str, tuple[Any, ...]], field: str
) -> None:
    with pytest.raises(ActionError) as error:
        create_webhook(by=act("owner"), team=cast.team, wanted=replace(WANTED, **changed))
    assert error.value.field == field
    assert not Webhook.objects.exists()


def test_an_address_of_the_own_network_is_refused_unless_allowed(
    cast: Cast, act: Callable[..., Any], settings: Settings
) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    with pytest.raises(ActionError, match="CALLBOARD_WEBHOOKS_MAY_BE_PRIVATE"):
        create_webhook(by=act("owner"), team=cast.team, wanted=WANTED)


def test_a_team_has_so_many_at_most(
    cast: Cast, act: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_WEBHOOKS == 20
    monkeypatch.setattr(webhooks, "MOST_WEBHOOKS", 1)
    create_webhook(by=act("owner"), team=cast.team, wanted=WANTED)
    with pytest.raises(ActionError, match="at most 1"):
        create_webhook(by=act("owner"), team=cast.team, wanted=WANTED)


def test_a_change_is_told_without_the_secret_part_of_the_address(
    act: Callable[..., Any], webhook: Webhook
) -> None:
    change_webhook(
        by=act("administrator"), webhook=webhook, wanted=replace(WANTED, url="http://127.0.0.1:9/N3W")
    )
    row = last()
    assert row.kind == "webhook.changed"
    assert row.after["address"] == "http://127.0.0.1:9 (different path)"
    assert "N3W" not in str(row.after)
    webhook.refresh_from_db()
    assert webhook.url.endswith("/N3W")


def test_the_same_again_writes_no_row(act: Callable[..., Any], webhook: Webhook) -> None:
    rows = Activity.objects.count()
    change_webhook(by=act("owner"), webhook=webhook, wanted=WANTED)
    assert Activity.objects.count() == rows


def test_one_that_was_switched_off_starts_afresh(act: Callable[..., Any], webhook: Webhook) -> None:
    Webhook.objects.update(is_active=False, failing_since=NOW, stopped_because="It failed.")
    changed = change_webhook(by=act("owner"), webhook=webhook, wanted=WANTED)
    assert (changed.is_active, changed.failing_since, changed.stopped_because) == (True, None, "")


def test_one_whose_host_is_gone_can_be_switched_off(
    act: Callable[..., Any], webhook: Webhook, settings: Settings
) -> None:
    settings.WEBHOOKS_MAY_BE_PRIVATE = False
    assert not change_webhook(
        by=act("owner"), webhook=webhook, wanted=replace(WANTED, is_active=False)
    ).is_active


def test_a_new_secret_is_another_one(act: Callable[..., Any], webhook: Webhook) -> None:
    before = secret_of(webhook)
    rotated, secret = rotate_webhook(by=act("owner"), webhook=webhook)
    assert secret == secret_of(rotated) != before
    assert last().kind == "webhook.rotated"


def test_deleting_takes_its_messages_along(cast: Cast, act: Callable[..., Any], webhook: Webhook) -> None:
    queue_test(by=act("owner"), webhook=webhook, now=NOW)
    delete_webhook(by=act("owner"), webhook=webhook)
    assert not Message.objects.exists()
    with pytest.raises(ConflictError, match="was deleted"):
        rotate_webhook(by=act("owner"), webhook=webhook)


def test_tests_are_limited(act: Callable[..., Any], webhook: Webhook) -> None:
    for _ in range(TESTS_A_MINUTE):
        queue_test(by=act("owner"), webhook=webhook, now=NOW)
    with pytest.raises(ActionError, match="tests per minute"):
        queue_test(by=act("owner"), webhook=webhook, now=NOW + timedelta(seconds=59))
    queue_test(by=act("owner"), webhook=webhook, now=NOW + timedelta(seconds=60))


def test_what_waits_and_what_goes_to_one_that_is_off_is_not_sent_again(
    act: Callable[..., Any], webhook: Webhook
) -> None:
    message = queue_test(by=act("owner"), webhook=webhook, now=NOW)
    with pytest.raises(ConflictError, match="already queued"):
        queue_again(by=act("owner"), message=message, now=NOW)
    Message.objects.update(state="failed")
    Webhook.objects.update(is_active=False)
    with pytest.raises(ConflictError, match="is off"):
        queue_again(by=act("owner"), message=message, now=NOW)
