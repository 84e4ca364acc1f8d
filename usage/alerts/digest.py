"""The weekly digest: a mail about a team's last week, to owners and administrators who subscribed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from config.formatting import milliseconds, money, percent, plain
from teams.access import access_of
from teams.models import Membership, Mode, Team, Token, team_is_alive
from usage.alerts.outbox import queue_mail
from usage.anomalies.models import UsageMail
from usage.anomalies.shown import ShownAnomalies, anomalies_in
from usage.parameters.names import people_of, people_with
from usage.quotas.availability import Subject, levels_of, member_levels, payer_of, token_levels
from usage.quotas.levels import LevelState
from usage.quotas.models import Level
from usage.rollups.query import Dimension, Granularity, UsageQuery
from usage.rollups.weeks import Week, week_of
from usage.statistics.drill_down import CallsBehind
from usage.statistics.overview import Overview, overview, ranking
from usage.statistics.rows import Row, member_rows

# The hour of Monday, on the team's clock, from which last week's digest may be sent: not at night.
MONDAY_HOUR = 8
EVENT = "usage.digest"
TOP = 5
NEAR = 0.8  # a quota is listed if at least this part of its limit is used
MOST_LIMITS = 10


@dataclass(frozen=True)
class NearLimit:
    """A quota of which at least 80 % are used; `name` says whose quota it is."""

    name: str
    state: LevelState


@dataclass(frozen=True)
class DigestLine:
    """One figure of the digest as text: this week, the week before, and the change; "" if unknown.

    `href` and `href_before` are the drill-down links of the two figures, without the site's address.
    """

    label: str
    week: str
    before: str
    change: str
    href: str = ""
    href_before: str = ""


@dataclass(frozen=True)
class Digest:
    """The figures of one team's week in live mode, compared with the week before."""

    team: Team
    monday: date
    overview: Overview
    members: list[Row]
    anomalies: ShownAnomalies
    limits: list[NearLimit]

    @property
    def site(self) -> str:
        return settings.BASE_URL

    @property
    def url(self) -> str:
        """The address of the team's overview page for that week."""
        within = self.overview.query.range
        start, end = (
            at.astimezone(self.team.zone).strftime("%Y-%m-%dT%H:%M") for at in (within.start, within.end)
        )
        return f"{settings.BASE_URL}/t/{self.team.slug}/?from={start}&to={end}"

    @property
    def settings_url(self) -> str:
        return f"{settings.BASE_URL}/t/{self.team.slug}/alerts/"

    @property
    def subject(self) -> str:
        words = {"team": self.team.name, "day": date_format(self.monday, "j M")}
        return _("%(team)s, week of %(day)s") % words

    @property
    def lines(self) -> list[DigestLine]:
        """The totals as lines; the text and the HTML version of the mail show the same."""
        week, before, changes = self.overview.total, self.overview.figures_before, self.overview.changes
        assert changes is not None  # make_digest always compares with the week before
        return [
            self._line(_("Calls"), plain(week.calls), plain(before.calls), _change(changes.calls)),
            self._line(
                _("Success rate"),
                percent(week.success_rate),
                percent(before.success_rate),
                _change(changes.success, _("points")),
                outcome="failed",
            ),
            self._line(
                _("Latency, p95"),
                milliseconds(week.latency.p95),
                milliseconds(before.latency.p95),
                _change(changes.p95),
                sort="latency",
            ),
            self._line(
                _("Tokens"), plain(week.tokens), plain(before.tokens), _change(changes.tokens), sort="tokens"
            ),
            self._line(
                _("Cost"), money(week.cost_nanos), money(before.cost_nanos), _change(changes.cost), sort="cost"
            ),
        ]

    def _line(self, label: str, week: str | None, before: str | None, change: str, **which: Any) -> DigestLine:
        """Returns a line whose two figures link to the calls of their week, narrowed by the filters `which`."""
        now, then = self._behind.to(**which), self._behind.to(self.overview.query.previous, **which)
        return DigestLine(label, week or "", before or "", change, now if week else "", then if before else "")

    @cached_property
    def _behind(self) -> CallsBehind:
        """The builder of drill-down links to the week's calls."""
        return CallsBehind.of_query(self.overview.query)

    @property
    def ranking(self) -> list[tuple[Row, str, str]]:
        """The members with most calls, each with the change of their calls and a link to them."""
        return [(row, _change(row.ranked.change), self._behind.to(member=row.key)) for row in self.members]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to report: the team had no calls in that week nor in the week before."""
        return self.overview.is_empty and not (self.overview.before and self.overview.before.calls)


def _change(ratio: float | None, unit: str = "%") -> str:
    """Formats a change as `+23.8%` or, with the unit "points", as `−1.2 points`; "" if it is unknown."""
    if ratio is None:
        return ""
    amount = plain(100 * ratio, 1)
    sign = "+" if ratio > 0 else ""
    return f"{sign}{amount}{unit}" if unit == "%" else f"{sign}{amount} {unit}"


def make_digest(team: Team, week: Week, now: datetime) -> Digest:
    """Reads all data of a digest: totals, ranking, anomalies, and quotas that are near their limit now."""
    previous = Week(week.before, week.zone)
    query = UsageQuery(
        team=team, mode=Mode.LIVE, range=week.range, previous=previous.range, granularity=Granularity.DAY
    )
    ranked = ranking(query, Dimension.MEMBER)
    anomalies = anomalies_in(query, sees_team=True, now=now)
    top = ranked[:TOP]
    return Digest(
        team=team,
        monday=week.monday,
        overview=overview(query),
        members=member_rows(top, people_with(team, [row.key for row in top]), anomalies),
        anomalies=anomalies,
        limits=near_limits(team, now),
    )


def near_limits(team: Team, now: datetime) -> list[NearLimit]:
    """Returns the quotas of which at least 80 % are used, those with the largest used part first.

    They are those of the team, its owner, its members and its live tokens; at most MOST_LIMITS are returned.
    """
    people = {pk: one for pk, one in people_of(team).items() if not one.is_former}
    active = Token.objects.unrevoked().filter(team=team, mode=Mode.LIVE).select_related("user")
    tokens = {token.pk: f"{token.name} ({token.user.label})" for token in active}
    of_team = levels_of(Subject(team, payer_of(team), Mode.LIVE), now)
    of_members = member_levels(team, Mode.LIVE, list(people), now) if people else {}
    of_tokens = token_levels(team, Mode.LIVE, list(tokens), now) if tokens else {}
    found = [
        *(NearLimit(_level_name(state), state) for state in of_team),
        *(NearLimit(people[pk].label, state) for pk, state in of_members.items()),
        *(NearLimit(tokens[pk], state) for pk, state in of_tokens.items()),
    ]
    near = [one for one in found if (one.state.used_share or 0.0) >= NEAR]
    return sorted(near, key=lambda one: -(one.state.used_share or 0.0))[:MOST_LIMITS]


def _level_name(state: LevelState) -> str:
    return _("The team") if state.level is Level.TEAM else _("The owner’s balance")


# --- Sending ------------------------------------------------------------------------------------


def send_digests(*, now: datetime, teams: Iterable[Team] | None = None) -> int:
    """Queues last week's digest for every subscriber who has not got it yet; returns the number of mails.

    Meant to run every hour or day: no digest is queued twice. Without a mail server nothing is queued; this is
    made up for when one is configured.
    """
    if not settings.HAS_MAIL:
        return 0
    wanted = UsageMail.objects.filter(team_is_alive("membership__team"), wants_digest=True)
    if teams is not None:
        wanted = wanted.filter(membership__team__in=list(teams))
    by_team: dict[Team, list[UsageMail]] = {}
    for one in wanted.select_related("membership__team", "membership__user").order_by("membership__team"):
        by_team.setdefault(one.membership.team, []).append(one)
    return sum(_send_team(team, mails, now) for team, mails in by_team.items())


def _send_team(team: Team, mails: Iterable[UsageMail], now: datetime) -> int:
    this_week = week_of(now, team.zone)
    local = now.astimezone(team.zone)
    if local.weekday() == 0 and local.hour < MONDAY_HOUR:
        return 0
    week = Week(this_week.before, team.zone)
    due = [one for one in mails if one.digest_week is None or one.digest_week < week.monday]
    due = [one for one in due if _may_see(one.membership)]
    if not due:
        return 0
    digest = make_digest(team, week, now)
    return sum(_send_one(digest, one, week.monday, now) for one in due)


def _may_see(membership: Membership) -> bool:
    """Whether the subscriber may still see the team's usage, as an active owner or administrator."""
    access = access_of(membership.user, membership.team)
    return access is not None and access.sees_team


@transaction.atomic
def _send_one(digest: Digest, to: UsageMail, monday: date, now: datetime) -> int:
    """Queues the digest for one subscriber; returns the number of queued mails, 0 or 1.

    It first records in the same transaction that the subscriber got this week's digest. Only one of several
    processes can do that, so nobody gets it twice.
    """
    free = UsageMail.objects.filter(Q(digest_week=None) | Q(digest_week__lt=monday), pk=to.pk)
    if not free.update(digest_week=monday) or digest.is_empty:
        return 0
    context = {"digest": digest, "site": settings.BASE_URL}
    text, html = (render_to_string(f"usage/alerts/mail/digest.{kind}", context) for kind in ("txt", "html"))
    queue_mail(digest.team, EVENT, to.membership.user.email, digest.subject, text, html, now)
    return 1
