"""The activity of a team, and of an account: what happened, in words and as rows to export."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.csvs import csv_lines
from teams.models import Activity, Team, User

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE = 50
MOST_EXPORTED = 100_000
# The field of a row with the address of the calls that its numbers count.
CALLS_PATH = "calls_path"

# What each kind is called in the filter of a team's activity, by the noun before the dot. Rows about accounts
# (`user.…`) belong to no team.
NOUNS: dict[str, "StrOrPromise"] = {
    "team": gettext_lazy("Team"),
    "member": gettext_lazy("Members"),
    "invitation": gettext_lazy("Invitations"),
    "transfer": gettext_lazy("Ownership"),
    "token": gettext_lazy("Tokens"),
    "gateway_key": gettext_lazy("Gateway keys"),
    "quota": gettext_lazy("Quotas"),
    "alert": gettext_lazy("Alerts"),
    "webhook": gettext_lazy("Webhooks"),
    "episode": gettext_lazy("Unusual episodes"),
    "view": gettext_lazy("Saved views"),
}
SENTENCES: dict[str, "StrOrPromise"] = {
    "team.created": gettext_lazy("%(actor)s created the team"),
    "team.changed": gettext_lazy("%(actor)s changed the settings"),
    "team.deleted": gettext_lazy("%(actor)s deleted the team"),
    "team.restored": gettext_lazy("%(actor)s restored the team"),
    "team.purged": gettext_lazy("%(actor)s erased the deleted team %(subject)s"),
    "member.added": gettext_lazy("%(actor)s added %(person)s"),
    "member.role_changed": gettext_lazy("%(actor)s changed the role of %(person)s"),
    "member.removed": gettext_lazy("%(actor)s removed %(person)s"),
    "member.left": gettext_lazy("%(person)s left"),
    "invitation.sent": gettext_lazy("%(actor)s invited %(subject)s"),
    "invitation.resent": gettext_lazy("%(actor)s renewed the invitation %(subject)s"),
    "invitation.link_created": gettext_lazy("%(actor)s made the invitation link %(subject)s"),
    "invitation.revoked": gettext_lazy("%(actor)s revoked the invitation %(subject)s"),
    "invitation.accepted": gettext_lazy("%(person)s joined by the invitation %(subject)s"),
    "invitation.declined": gettext_lazy("The invitation %(subject)s was declined"),
    "transfer.offered": gettext_lazy("%(actor)s offered the team to %(person)s"),
    "transfer.accepted": gettext_lazy("%(person)s took the team over"),
    "transfer.declined": gettext_lazy("%(person)s declined the team"),
    "transfer.cancelled": gettext_lazy("%(actor)s cancelled the offer to %(person)s"),
    "transfer.lapsed": gettext_lazy("The offer to %(person)s lapsed"),
    "transfer.by_staff": gettext_lazy("%(actor)s, site staff, made %(person)s the owner"),
    "token.created": gettext_lazy("%(actor)s made the token %(subject)s of %(person)s"),
    "token.disabled": gettext_lazy("%(actor)s disabled the token %(subject)s of %(person)s"),
    "token.enabled": gettext_lazy("%(actor)s enabled the token %(subject)s of %(person)s"),
    "token.revoked": gettext_lazy("%(actor)s revoked the token %(subject)s of %(person)s"),
    "token.rotated": gettext_lazy("%(actor)s gave the token %(subject)s a new secret"),
    "token.renamed": gettext_lazy("%(actor)s renamed the token %(subject)s"),
    "quota.changed": gettext_lazy("%(actor)s changed the quota of %(subject)s"),
    "gateway_key.created": gettext_lazy("%(actor)s made the gateway key %(subject)s"),
    "gateway_key.disabled": gettext_lazy("%(actor)s disabled the gateway key %(subject)s"),
    "gateway_key.enabled": gettext_lazy("%(actor)s enabled the gateway key %(subject)s"),
    "gateway_key.revoked": gettext_lazy("%(actor)s revoked the gateway key %(subject)s"),
    "gateway_key.rotated": gettext_lazy("%(actor)s gave the gateway key %(subject)s a new secret"),
    "gateway_key.renamed": gettext_lazy("%(actor)s renamed the gateway key %(subject)s"),
    "alert.mail_changed": gettext_lazy("%(actor)s changed which mails about usage they get"),
    "alert.thresholds_changed": gettext_lazy("%(actor)s changed at which shares of a quota somebody is told"),
    "webhook.created": gettext_lazy("%(actor)s made the webhook %(subject)s"),
    "webhook.changed": gettext_lazy("%(actor)s changed the webhook %(subject)s"),
    "webhook.rotated": gettext_lazy("%(actor)s gave the webhook %(subject)s a new secret"),
    "webhook.deleted": gettext_lazy("%(actor)s deleted the webhook %(subject)s"),
    "webhook.tested": gettext_lazy("%(actor)s tested the webhook %(subject)s"),
    "webhook.resent": gettext_lazy("%(actor)s sent a message to the webhook %(subject)s again"),
    "webhook.stopped": gettext_lazy("%(actor)s switched the webhook %(subject)s off, which kept failing"),
    "episode.expected": gettext_lazy("%(actor)s marked as expected: %(subject)s"),
    "episode.unmarked": gettext_lazy("%(actor)s no longer expects: %(subject)s"),
    "view.shared": gettext_lazy("%(actor)s shared the view %(subject)s of the logs"),
    "view.deleted": gettext_lazy("%(actor)s deleted the shared view %(subject)s of the logs"),
    "price.created": gettext_lazy("%(actor)s set the site's price of %(subject)s"),
    "price.deleted": gettext_lazy("%(actor)s took a price of %(subject)s back"),
    "user.created": gettext_lazy("%(actor)s made the account %(subject)s"),
    "user.renamed": gettext_lazy("%(actor)s changed the name"),
    "user.deactivated": gettext_lazy("%(actor)s deactivated the account"),
    "user.reactivated": gettext_lazy("%(actor)s reactivated the account"),
    "user.address_added": gettext_lazy("%(actor)s added the address %(subject)s"),
    "user.address_removed": gettext_lazy("%(actor)s removed the address %(subject)s"),
    "user.address_changed": gettext_lazy("%(actor)s made %(subject)s the primary address"),
    "user.address_confirmed": gettext_lazy("%(actor)s confirmed the address %(subject)s"),
    "user.password_set": gettext_lazy("%(actor)s set a password"),
    "user.password_changed": gettext_lazy("%(actor)s changed the password"),
    "user.password_reset": gettext_lazy("%(actor)s set a new password by a link"),
    "user.password_link": gettext_lazy("%(actor)s made a link to set a new password"),
    "user.second_factor_added": gettext_lazy("%(actor)s added to two-factor sign-in: %(subject)s"),
    "user.second_factor_removed": gettext_lazy("%(actor)s removed from two-factor sign-in: %(subject)s"),
    "user.second_factors_removed": gettext_lazy("%(actor)s removed all second factors"),
    "user.passkey_renamed": gettext_lazy("%(actor)s renamed the passkey %(subject)s"),
    "user.account_connected": gettext_lazy("%(actor)s connected an account at %(subject)s"),
    "user.account_disconnected": gettext_lazy("%(actor)s disconnected the account at %(subject)s"),
    "user.made_staff": gettext_lazy("%(actor)s made %(person)s support staff"),
    "user.staff_ended": gettext_lazy("%(actor)s took the staff rights of %(person)s back"),
}


@dataclass(frozen=True)
class ActivityQuery:
    """Which rows are asked for: by or on a person, of a noun, in a half-open range of time."""

    team: Team
    person: User | None = None
    noun: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Change:
    """One field before and after, as text; "" where there was nothing."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class ActivityLine:
    """A row as people read it."""

    row: Activity

    @property
    def words(self) -> str:
        """A kind that has no sentence is shown as it is called."""
        row = self.row
        words = {
            "actor": row.actor.label if row.actor else _("The site"),
            "person": row.person.label if row.person else row.subject,
            "subject": row.subject,
        }
        return (
            str(SENTENCES.get(row.kind, "%(actor)s: " + row.kind.replace("%", "%%") + " %(subject)s")) % words
        )

    @property
    def changes(self) -> list[Change]:
        """What stood before and after, field by field."""
        before, after = self.row.before, self.row.after
        return [
            Change(name.replace("_", " "), _text(before.get(name)), _text(after.get(name)))
            for name in dict.fromkeys([*before, *after])
            if name != CALLS_PATH
        ]

    @property
    def calls_path(self) -> str:
        """The address of the calls that its numbers count; "" for none."""
        return str(self.row.after.get(CALLS_PATH) or self.row.before.get(CALLS_PATH) or "")


@dataclass(frozen=True)
class ActivityPage:
    """Lines, newest first, and the id before which the next page goes on (None: this is the last)."""

    lines: list[ActivityLine]
    older: int | None


def activity_page(query: ActivityQuery, before: int | None = None) -> ActivityPage:
    """One page of rows, those with an id below `before` if given."""
    return _page(_rows(query), before)


def account_page(user: User, before: int | None = None) -> ActivityPage:
    """One page of what was done to an account, by its user or by site staff; what it did in teams is there."""
    return _page(Activity.objects.filter(team=None, person=user), before)


def people_of(team: Team) -> Any:
    """Users who did something in the team or to whom something was done."""
    rows = Activity.objects.filter(team=team)
    return User.objects.filter(Q(pk__in=rows.values("actor")) | Q(pk__in=rows.values("person"))).order_by(
        "name", "email"
    )


def activity_csv(query: ActivityQuery) -> Iterator[str]:
    """All rows as CSV, newest first, times in UTC; at most MOST_EXPORTED."""
    header = ["at", "actor", "kind", "person", "subject", "before", "after", "address"]
    rows = _rows(query)[:MOST_EXPORTED].iterator(chunk_size=2000)
    return csv_lines(header, (_cells(row) for row in rows))


def _cells(row: Activity) -> list[str]:
    return [
        row.at.isoformat(),
        row.actor.email if row.actor else "",
        row.kind,
        row.person.email if row.person else "",
        row.subject,
        json.dumps(row.before, ensure_ascii=False),
        json.dumps(row.after, ensure_ascii=False),
        row.ip or "",
    ]


def _page(found: QuerySet[Activity], before: int | None) -> ActivityPage:
    found = found.select_related("actor", "person").order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    lines = [ActivityLine(row) for row in rows[:PAGE]]
    return ActivityPage(lines, rows[PAGE - 1].pk if len(rows) > PAGE else None)


def _rows(query: ActivityQuery) -> QuerySet[Activity]:
    rows = Activity.objects.filter(team=query.team).select_related("actor", "person").order_by("-pk")
    if query.person:
        rows = rows.filter(Q(actor=query.person) | Q(person=query.person))
    if query.noun:
        rows = rows.filter(kind__startswith=f"{query.noun}.")
    if query.start:
        rows = rows.filter(at__gte=query.start)
    return rows.filter(at__lt=query.end) if query.end else rows


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
