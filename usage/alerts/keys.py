"""Alerts about keys (API tokens and gateway keys) that used to work and whose records are all rejected now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from teams.mails import Mail, link, moment
from teams.models import GatewayKey, Mode, Team, Token, User, team_is_alive
from usage.alerts.models import Event
from usage.alerts.outbox import Alert, queue_for_webhooks, queue_mails, webhooks_for
from usage.reporting.counting import Key, hour_of
from usage.reporting.models import KeyAlert, KeyHour, KeyKind, KeyRejection
from usage.rollups.bulk import insert_new

# How long a key must have been failing before an alert is sent.
PATIENCE: Final = timedelta(minutes=15)
# No alert is sent about a key whose last failure is older: it is not in use, or the jobs were not running.
_NEWS: Final = timedelta(hours=2)


@dataclass(frozen=True)
class FailingKey:
    """A key whose records have all been rejected since `since`, but were accepted until `worked_at`."""

    key: Key
    kind: KeyKind
    worked_at: datetime
    since: datetime
    reason: str  # the message of the newest rejection; "" if none is stored

    @property
    def name(self) -> str:
        """The key in words, for example “the token laptop in Harbour Research”."""
        words = {"name": self.key.name, "team": self.key.team.name if self.key.team else ""}
        if isinstance(self.key, Token):
            return _("the token %(name)s in %(team)s") % words
        if self.key.team:
            return _("the gateway key %(name)s of %(team)s") % words
        return _("the gateway key %(name)s of the site") % words

    @property
    def url(self) -> str:
        """The address of the page that shows why the key's records are rejected."""
        if self.key.team is None:
            return link(reverse("admin:teams_gatewaykey_change", args=[self.key.pk]))
        page = "usage:token" if self.kind is KeyKind.TOKEN else "usage:gateway-key"
        return link(reverse(page, args=[self.key.team.slug, self.key.public_id]))


def alert_failing_keys(*, now: datetime) -> int:
    """Queues an alert about each key that stopped working; returns the number of keys.

    The alert goes to the team's owner by mail and to the team's webhooks; for a key of the whole site, to the
    site's staff by mail. Tokens in test mode are ignored. Messages are only queued;
    `usage.alerts.outbox.send_due` sends them. Meant to run every minute or so; parallel runs send one alert.
    """
    return sum(_alert(one, now) for one in failing_keys(now))


def failing_keys(now: datetime) -> list[FailingKey]:
    """Returns the keys that have been failing for at least 15 minutes and about which no alert was sent yet."""
    recent = KeyHour.objects.filter(hour__gte=hour_of(now - _NEWS), failed_at__gt=now - _NEWS)
    candidates = set(recent.values_list("key_kind", "key_id"))
    found: list[FailingKey] = []
    for kind in KeyKind:
        keys = _keys(kind, [key_id for of_kind, key_id in candidates if of_kind == kind])
        hours: dict[int, list[KeyHour]] = {key.pk: [] for key in keys}
        for row in KeyHour.objects.filter(key_kind=kind, key_id__in=hours).order_by("hour"):
            hours[row.key_id].append(row)
        found += [one for key in keys if (one := _failing(key, kind, hours[key.pk], now))]
    return found


def _keys(kind: KeyKind, ids: Sequence[int]) -> list[Key]:
    if not ids:
        return []
    wanted = Q(team=None) | team_is_alive()
    if kind is KeyKind.TOKEN:
        tokens = Token.objects.filter(wanted, pk__in=ids, mode=Mode.LIVE)
        return [*tokens.select_related("team__owner").order_by("pk")]
    return [*GatewayKey.objects.filter(wanted, pk__in=ids).select_related("team__owner").order_by("pk")]


def _failing(key: Key, kind: KeyKind, hours: Sequence[KeyHour], now: datetime) -> FailingKey | None:
    worked_at = max((row.worked_at for row in hours if row.worked_at), default=None)
    if worked_at is None:
        return None
    after = [row for row in hours if row.hour >= hour_of(worked_at)]
    since = min((row.failing_since for row in after if row.failing_since), default=now)
    if since > now - PATIENCE or _is_sent(key, kind, worked_at):
        return None
    newest = KeyRejection.objects.filter(key_kind=kind, key_id=key.pk).order_by("-id").first()
    return FailingKey(key, kind, worked_at, since, newest.message if newest else "")


def _is_sent(key: Key, kind: KeyKind, worked_at: datetime) -> bool:
    return KeyAlert.objects.filter(key_kind=kind, key_id=key.pk, worked_at=worked_at).exists()


# --- Sending ------------------------------------------------------------------------------------


@transaction.atomic
def _alert(failing: FailingKey, now: datetime) -> bool:
    """Queues the messages about one key.

    Returns False if nobody can get them, or if another process has queued them.
    """
    team = failing.key.team
    webhooks = webhooks_for(Event.KEY_REJECTED, [team.pk]).get(team.pk, ()) if team else ()
    if not (settings.HAS_MAIL or webhooks) or not _claim(failing, now):
        return False
    if team is None:
        for space in _spaces_of_staff():
            queue_mails(space, Event.KEY_REJECTED, [_mail(failing, space, space.owner)], now)
        return True
    queue_for_webhooks(team, _webhook_alert(failing, team), webhooks, now)
    owners = [team.owner] if team.owner.is_active else []
    queue_mails(team, Event.KEY_REJECTED, [_mail(failing, team, owner) for owner in owners], now)
    return True


def _claim(failing: FailingKey, now: datetime) -> bool:
    """Records the alert as sent; returns False if another process has just done so.

    If that process has not committed yet, the database makes this one wait for its row.
    """
    key, sent = failing.key, {"worked_at": failing.worked_at, "sent_at": now}
    rows = KeyAlert.objects.filter(key_kind=failing.kind, key_id=key.pk)
    if rows.exclude(worked_at=failing.worked_at).update(**sent):
        return True
    row = (failing.kind.value, key.pk, key.team_id or 0, *sent.values())
    return bool(insert_new(KeyAlert, ("key_kind", "key_id", "team_id", *sent), [row], returning="key_id"))


def _spaces_of_staff() -> Iterable[Team]:
    """Returns the personal spaces of the site's staff.

    Every message belongs to a team, but a key of the whole site has none.
    """
    staff = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), is_active=True)
    return Team.objects.filter(owner__in=staff, is_personal=True).select_related("owner").order_by("pk")


def _subject(failing: FailingKey) -> str:
    return _("Everything from %(key)s is rejected") % {"key": failing.name}


def _sentences(failing: FailingKey, team: Team) -> tuple[str, ...]:
    words = {"since": moment(failing.since, team), "worked": moment(failing.worked_at, team)}
    return (
        _("Since %(since)s all that it reported was rejected; until %(worked)s it worked.") % words,
        *([_("The latest reason: %(reason)s") % {"reason": failing.reason}] if failing.reason else []),
        _("These calls are in no statistics and no quota."),
    )


def _mail(failing: FailingKey, team: Team, to: User) -> Mail:
    is_of_site = failing.key.team is None
    return Mail(
        to=to.email,
        subject=_subject(failing),
        paragraphs=_sentences(failing, team),
        action=_("See what was rejected"),
        url=failing.url,
        note=_(
            "You get this mail as site staff. It is sent only once, unless the key works again and then fails again."
        )
        if is_of_site
        else _(
            "You get this mail as the owner of the team. It is sent only once, unless the key works again and "
            "then fails again."
        ),
    )


def _webhook_alert(failing: FailingKey, team: Team) -> Alert:
    data: dict[str, Any] = {
        "kind": failing.kind.name.lower(),
        "id": failing.key.public_id,
        "name": failing.key.name,
        "since": failing.since.isoformat(),
        "worked_at": failing.worked_at.isoformat(),
        "reason": failing.reason,
    }
    text = " ".join([f"{_subject(failing)}.", *_sentences(failing, team)])
    return Alert(Event.KEY_REJECTED, _subject(failing), text, failing.url, data)
