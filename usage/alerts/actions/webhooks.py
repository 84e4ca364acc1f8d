"""Actions on a team's webhooks: create, change, rotate the secret, delete, test, resend messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from teams.access import Permission
from teams.actions.checks import require_permission
from teams.actions.keys import clean_name
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError, ConflictError
from teams.mails import link
from teams.models import Team
from usage.alerts.addresses import AddressError, endpoints_of, read_address
from usage.alerts.models import TEST_EVENT, Event, Message, MessageState, Webhook
from usage.alerts.outbox import Alert, queue_for_webhooks, take
from usage.alerts.signing import new_nonce, secret_of

MOST_WEBHOOKS = 20
# Limited, because each test makes this server connect to an address that a user entered.
TESTS_A_MINUTE = 6


@dataclass(frozen=True)
class WebhookValues:
    """The values to store when a webhook is created or changed."""

    name: str
    url: str
    events: tuple[Event, ...]
    is_active: bool = True


def create_webhook(*, by: Actor, team: Team, wanted: WebhookValues) -> tuple[Webhook, str]:
    """Creates a webhook; returns it with its secret, which is shown only this once.

    Raises NotAllowedError, and ActionError for an invalid name, address or choice of events, or if the team has
    too many webhooks.
    """
    origin = check_url(wanted.url)
    with transaction.atomic():
        team = _locked_team(by, team)
        if Webhook.objects.filter(team=team).count() >= MOST_WEBHOOKS:
            raise ActionError(_("A team has at most %d webhooks. Delete one first.") % MOST_WEBHOOKS)
        webhook = Webhook(team=team, nonce=new_nonce(), created_by=by.user)
        _set(webhook, wanted)
        webhook.save()
        _record(by, webhook, "webhook.created", {}, {**_told(webhook), "address": origin})
    return webhook, secret_of(webhook)


def change_webhook(*, by: Actor, webhook: Webhook, wanted: WebhookValues) -> Webhook:
    """Changes a webhook's name, address, events, and whether it is active; returns the changed webhook.

    Raises NotAllowedError, ActionError for invalid values, and ConflictError if the webhook was deleted.
    """
    # Not checked otherwise, so that a webhook whose host no longer exists can be renamed and switched off.
    if wanted.url != webhook.url or (wanted.is_active and not webhook.is_active):
        check_url(wanted.url)
    with transaction.atomic():
        webhook = _locked(by, webhook)
        before, url_before, was_active = _told(webhook), webhook.url, webhook.is_active
        _set(webhook, wanted)
        if webhook.is_active and not was_active:
            webhook.failing_since, webhook.stopped_because = None, ""
        after = _told(webhook)
        if (before, url_before) == (after, webhook.url):
            return webhook
        webhook.save()
        if url_before != webhook.url and before["address"] == after["address"]:
            after["address"] += " " + _("(different path)")
        _record(by, webhook, "webhook.changed", *_differences(before, after))
    return webhook


@transaction.atomic
def rotate_webhook(*, by: Actor, webhook: Webhook) -> tuple[Webhook, str]:
    """Gives the webhook a new secret; returns both. Messages are no longer signed with the old one.

    Raises NotAllowedError, and ConflictError if the webhook was deleted.
    """
    webhook = _locked(by, webhook)
    webhook.nonce = new_nonce()
    webhook.save(update_fields=["nonce"])
    _record(by, webhook, "webhook.rotated", {}, {})
    return webhook, secret_of(webhook)


@transaction.atomic
def delete_webhook(*, by: Actor, webhook: Webhook) -> None:
    """Deletes the webhook with its messages, including those that wait to be sent.

    Raises NotAllowedError, and ConflictError if the webhook was deleted already.
    """
    webhook = _locked(by, webhook)
    _record(by, webhook, "webhook.deleted", _told(webhook), {})
    webhook.delete()


@transaction.atomic
def queue_test(*, by: Actor, webhook: Webhook, now: datetime) -> Message:
    """Queues a test message that only the caller will send, with `usage.alerts.outbox.attempt`.

    The caller must do that after the commit. Raises NotAllowedError, ActionError after too many tests within a
    minute, and ConflictError if the webhook was deleted.
    """
    webhook = _locked(by, webhook)
    recent = Message.objects.filter(
        team=webhook.team, event=TEST_EVENT, created_at__gt=now - timedelta(minutes=1)
    )
    if recent.count() >= TESTS_A_MINUTE:
        raise ActionError(_("At most %d tests per minute. Try again in a minute.") % TESTS_A_MINUTE)
    words = {"team": webhook.team.name}
    alert = Alert(
        event=TEST_EVENT,
        summary=_("Test"),
        text=_("This is a test of %(team)s’s alerts.") % words,
        url=link(f"/t/{webhook.team.slug}/alerts/"),
    )
    (message,) = queue_for_webhooks(webhook.team, alert, [webhook], now)
    _record(by, webhook, "webhook.tested", {}, {})
    return take(message, now)


@transaction.atomic
def queue_again(*, by: Actor, message: Message, now: datetime) -> Message:
    """Queues a webhook's message again with the same id; only the caller will send it, as in `queue_test`.

    Raises NotAllowedError, and ConflictError if the message still waits to be sent or its webhook is off.
    """
    assert message.webhook is not None
    webhook = _locked(by, message.webhook)
    message = Message.objects.select_related("team", "webhook").get(pk=message.pk)
    if message.state == MessageState.PENDING:
        raise ConflictError(_("This message is already queued and will be retried automatically."))
    if not webhook.is_active:
        raise ConflictError(_("“%(name)s” is off. Turn it on first.") % {"name": webhook.name})
    message.state, message.attempts = MessageState.PENDING, 0
    message.save(update_fields=["state", "attempts"])
    _record(by, webhook, "webhook.resent", {}, {"message": message.public_id})
    return take(message, now)


def check_url(url: str) -> str:
    """Checks the address of a webhook; returns its origin (without path and query), which may be shown.

    Raises ActionError for an address to which alerts may not be sent. It resolves the host name, so it must run
    before any lock is taken. Every delivery checks the address again; this check tells users about a mistake
    early.
    """
    try:
        target = read_address(url)
        endpoints_of(target)
    except AddressError as error:
        raise ActionError(str(error), field="url") from error
    return target.origin


def _set(webhook: Webhook, wanted: WebhookValues) -> None:
    webhook.name, webhook.url = clean_name(wanted.name), wanted.url
    webhook.events = _checked(wanted.events)
    webhook.is_active = wanted.is_active


def _checked(events: Iterable[Event]) -> list[str]:
    chosen = set(events)
    if not chosen:
        raise ActionError(_("Select at least one."), field="events")
    return [event.value for event in Event if event in chosen]


def _locked_team(by: Actor, team: Team) -> Team:
    team = lock_team(team)
    require_permission(by, team, Permission.EDIT_TEAM)
    return team


def _locked(by: Actor, webhook: Webhook) -> Webhook:
    """Locks the webhook's team and returns the webhook's current row.

    Raises NotAllowedError, and ConflictError if the webhook was deleted.
    """
    team = _locked_team(by, webhook.team)
    fresh = Webhook.objects.filter(pk=webhook.pk).first()
    if fresh is None:
        raise ConflictError(_("This webhook was deleted."))
    fresh.team = team
    return fresh


def _told(webhook: Webhook) -> dict[str, Any]:
    """Returns a webhook's values for the activity log.

    Path and query of its address are left out, because they may be secret.
    """
    return {
        "name": webhook.name,
        "address": read_address(webhook.url).origin,
        "events": ", ".join(webhook.events),
        "state": "active" if webhook.is_active else "off",
    }


def _differences(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _record(by: Actor, webhook: Webhook, kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    record_activity(
        by=by,
        team=webhook.team,
        kind=kind,
        subject=webhook.name,
        before=before,
        after={"id": webhook.public_id, **after},
    )
