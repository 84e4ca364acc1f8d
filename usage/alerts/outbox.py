"""The outbox: messages are stored in the transaction that decides to send them, sent afterwards, and retried.

A message is sent at least once. It is sent twice only if the program dies between sending it and recording
that. Any number of senders may run at once: each claims a message by moving its `due_at`, which only one of
them can do.
"""

import json
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils.translation import gettext as _

from teams.activity import SITE, record_activity
from teams.mails import Mail, render_mail, send_message
from teams.models import Team, team_is_alive
from usage.alerts.models import TEST_EVENT, Event, Message, MessageState, Webhook
from usage.alerts.posting import TOTAL_SECONDS, Answer, post
from usage.alerts.signing import headers_of

USER_AGENT = "Callboard"
# The delay after each failed attempt; if the attempt after the last delay fails, the message is given up.
BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
# A webhook whose attempts all failed for this long is switched off.
PERSISTENT = timedelta(days=3)
_GONE = 410
# For how long a sender claims a message: longer than any attempt takes, so a sender that has not finished by
# then has died. The surplus is for resolving the host name, before the time-out of the request begins.
_TAKEN_FOR = timedelta(seconds=TOTAL_SECONDS + 110)
# The longest run; remaining messages wait for the next one. All signatures have the time when the run began.
_RUN_SECONDS = 60


@dataclass(frozen=True)
class Alert:
    """The content of an alert: `text` for people, `data` for programs; `url` is the page with details."""

    event: str
    summary: str
    text: str
    url: str
    data: Mapping[str, Any] = field(default_factory=dict)


def queue_for_webhooks(team: Team, alert: Alert, webhooks: Iterable[Webhook], now: datetime) -> list[Message]:
    """Queues a message with this alert for each webhook; returns the messages."""
    body = {
        "type": alert.event,
        "timestamp": now.isoformat(),
        "team": team.slug,
        "text": f"{_harmless(alert.text)}\n{alert.url}",
        "url": alert.url,
        "data": dict(alert.data),
    }
    text = json.dumps(body, ensure_ascii=False)
    return Message.objects.bulk_create(
        _message(team, alert.event, alert.summary, text, now, webhook=webhook) for webhook in webhooks
    )


def queue_mails(team: Team, event: str, mails: Iterable[Mail], now: datetime) -> None:
    """Queues each mail; does nothing if no mail server is configured (the page of alerts says so)."""
    for mail in mails if settings.HAS_MAIL else ():
        queue_mail(team, event, mail.to, mail.subject, *render_mail(mail), now, url=mail.url)


def queue_mail(
    team: Team, event: str, to: str, subject: str, text: str, html: str, now: datetime, *, url: str = ""
) -> None:
    """Queues one mail as text and HTML. `url` is the page that it is about, for the list of messages."""
    body = json.dumps({"subject": subject, "text": text, "html": html, "url": url}, ensure_ascii=False)
    _message(team, event, subject, body, now, to=to).save()


def _message(team: Team, event: str, summary: str, body: str, now: datetime, **to: Any) -> Message:
    return Message(team=team, event=event, summary=summary[:300], body=body, created_at=now, due_at=now, **to)


def webhooks_for(event: Event, teams: Collection[int] | None = None) -> dict[int, list[Webhook]]:
    """Returns the active webhooks that subscribe to an event, by team id.

    `teams` are team ids; None means all teams.
    """
    found = Webhook.objects.filter(team_is_alive(), is_active=True).order_by("pk")
    if teams is not None:
        found = found.filter(team__in=teams)
    by_team: dict[int, list[Webhook]] = {}
    for webhook in found.select_related("team"):
        if event.value in webhook.events:
            by_team.setdefault(webhook.team_id, []).append(webhook)
    return by_team


def _harmless(text: str) -> str:
    """Escapes text for Slack, where a name such as `<!channel>` would otherwise notify everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- Sending ------------------------------------------------------------------------------------


def send_due(*, now: datetime) -> int:
    """Sends the messages that are due at `now`; returns how many were delivered.

    After a failure the receiver is skipped for the rest of the run, so a receiver that hangs delays the others
    only once.
    """
    delivered, failed_webhooks, is_mail_down = 0, set[int](), False
    end = time.monotonic() + _RUN_SECONDS
    due = Message.objects.filter(state=MessageState.PENDING, due_at__lte=now).order_by("due_at", "pk")
    while time.monotonic() < end:
        left_alone = Q(webhook__in=failed_webhooks) | (Q(webhook=None) if is_mail_down else Q(pk__in=[]))
        message = due.exclude(left_alone).select_related("webhook", "team").first()
        if message is None:
            break
        if not _take(message, now):
            continue
        if attempt(message, now).state == MessageState.DELIVERED:
            delivered += 1
        elif message.webhook_id:
            failed_webhooks.add(message.webhook_id)
        else:
            is_mail_down = True
    return delivered


def _take(message: Message, now: datetime) -> bool:
    """Claims a due message for this sender; returns False if another sender has claimed it."""
    free = Message.objects.filter(pk=message.pk, state=MessageState.PENDING, due_at=message.due_at)
    if not free.update(due_at=now + _TAKEN_FOR, attempts=F("attempts") + 1, attempted_at=now):
        return False
    message.attempts += 1
    return True


def take(message: Message, now: datetime) -> Message:
    """Claims a new message for the caller's own first attempt, in the transaction that stores it.

    No other sender can see the message before the commit.
    """
    message.due_at, message.attempts, message.attempted_at = now + _TAKEN_FOR, 1, now
    message.save(update_fields=["due_at", "attempts", "attempted_at"])
    return message


def attempt(message: Message, now: datetime) -> Message:
    """Sends a claimed message once, and records the result or when to retry; returns the message."""
    answer = _post(message, message.webhook, now) if message.webhook else _mail(message)
    message.response_status, message.error, message.took_ms = answer.status, answer.error, answer.took_ms
    is_last = message.event == TEST_EVENT or message.attempts > len(BACK_OFF) or _is_off(message)
    if not answer.error:
        message.state = MessageState.DELIVERED
    elif is_last:
        message.state = MessageState.FAILED
    else:
        message.due_at = now + BACK_OFF[message.attempts - 1]
    message.save(update_fields=["state", "due_at", "response_status", "error", "took_ms"])
    if message.webhook and message.webhook.is_active and message.event != TEST_EVENT:
        _note_health(message.webhook, message, now)
    return message


def _is_off(message: Message) -> bool:
    """Whether the message's webhook was switched off meanwhile; a test message is sent nevertheless."""
    return bool(message.webhook and not message.webhook.is_active and message.event != TEST_EVENT)


def _post(message: Message, webhook: Webhook, now: datetime) -> Answer:
    if _is_off(message):
        return Answer(error=_("The webhook was switched off."))
    body = message.body.encode()
    headers = headers_of(webhook, message.public_id, int(now.timestamp()), body)
    return post(webhook.url, body, {"User-Agent": USER_AGENT, **headers})


def _mail(message: Message) -> Answer:
    started = time.monotonic()
    mail = json.loads(message.body)
    error = send_message(message.to, mail["subject"], mail["text"], mail["html"])
    return Answer(error=error, took_ms=round(1000 * (time.monotonic() - started)))


def _note_health(webhook: Webhook, message: Message, now: datetime) -> None:
    """Records since when a webhook fails, and switches it off if that has lasted three days.

    It is switched off immediately if the receiver answers 410 (gone).
    """
    rows = Webhook.objects.filter(pk=webhook.pk)
    if message.state == MessageState.DELIVERED:
        rows.exclude(failing_since=None).update(failing_since=None)
        return
    rows.filter(failing_since=None).update(failing_since=now)
    if message.response_status == _GONE:
        reason = _("The receiver answered 410 (gone).")
    elif rows.filter(failing_since__lte=now - PERSISTENT).exists():
        reason = _("Every attempt failed for %d days.") % PERSISTENT.days
    else:
        return
    if rows.filter(is_active=True).update(is_active=False, stopped_because=reason[:200]):
        record_activity(
            by=SITE,
            team=message.team,
            kind="webhook.stopped",
            subject=webhook.name,
            before={"state": "active"},
            after={"id": webhook.public_id, "state": "off", "reason": reason},
        )
