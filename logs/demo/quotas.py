"""Sets the demo's quotas. Their limits are computed from the present use, so that some are nearly used up or
exceeded.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Sum

from logs.demo.incidents import RUNAWAY_APP, RUNAWAY_PERSON
from logs.demo.people import OWNER, RESEARCH, SPEECH
from teams.models import Membership, Mode, Team, Token
from usage.prices.money import NANOS
from usage.quotas.models import Level, Period, Quota, QuotaUse
from usage.rollups.buckets import day_of


@dataclass(frozen=True)
class QuotaPlan:
    """A quota to set: its limit is chosen so that the share `used` of it is used.

    It is a token's quota if `person` and `app` are set, a member's if only `person` is, otherwise the team's.
    """

    team: str
    used: float
    person: str = ""
    app: str = ""


_PLANS = (
    QuotaPlan(RESEARCH.slug, 0.66),
    QuotaPlan(RESEARCH.slug, 1.09, person="chidi.eze@example.org"),
    QuotaPlan(RESEARCH.slug, 0.93, person="leo.brandt@example.org"),
    QuotaPlan(RESEARCH.slug, 0.88, person="tariq.mansour@example.org"),
    QuotaPlan(RESEARCH.slug, 0.45, person="aiko.tanabe@example.org"),
    QuotaPlan(RESEARCH.slug, 0.21, person="noor.haddad@example.org"),
    QuotaPlan(RESEARCH.slug, 1.3, person=RUNAWAY_PERSON, app=RUNAWAY_APP),
    QuotaPlan(SPEECH.slug, 0.91),
    QuotaPlan(SPEECH.slug, 0.55, person="ethan.kowalczyk@example.org"),
    QuotaPlan(SPEECH.slug, 1.15, person="rosa.jimenez@example.org"),
)
_OWNERS_BALANCE_USED = 0.74


def set_demo_quotas(*, now: datetime) -> None:
    """Sets the demo's quotas, and the balance of the largest team's owner, by the use so far."""
    for plan in _PLANS:
        team = Team.objects.select_related("owner").get(slug=plan.team)
        level, subject_id, target = _target(plan, team)
        _set(team, level, subject_id, plan.used, now, **target)
    balance = Team.objects.get(owner__email=OWNER.email, is_personal=True)
    _set(balance, Level.OWNER, 0, _OWNERS_BALANCE_USED, now)


def _target(plan: QuotaPlan, team: Team) -> tuple[Level, int, dict[str, Membership | Token]]:
    """Returns the quota level of a plan, the subject's id in `QuotaUse`, and the foreign key to set in `Quota`."""
    if plan.app:
        token = Token.objects.get(team=team, user__email=plan.person, name=plan.app)
        return Level.TOKEN, token.pk, {"token": token}
    if plan.person:
        membership = Membership.objects.get(team=team, user__email=plan.person)
        return Level.MEMBER, membership.user_id, {"membership": membership}
    return Level.TEAM, 0, {}


def _set(
    team: Team, level: Level, subject_id: int, share: float, now: datetime, **target: Membership | Token
) -> None:
    period, first_day = _running_period(day_of(now, team.zone))
    use = QuotaUse.objects.filter(team_id=team.pk, mode=Mode.LIVE, level=level, subject_id=subject_id)
    if first_day:
        use = use.filter(day__gte=first_day)
    used = use.aggregate(used=Sum("used_nanos"))["used"] or 0
    Quota.objects.create(
        team=team,
        limit_nanos=_handy(used / share),
        period=period,
        changed_at=now,
        changed_by=team.owner,
        **target,
    )


def _running_period(today: date) -> tuple[Period, date | None]:
    """Returns the longest quota period that began at least three days ago, so that it has some use, and its
    first day.
    """
    if today.day > 3:
        return Period.MONTH, today.replace(day=1)
    if today.weekday() >= 3:
        return Period.WEEK, today - timedelta(days=today.weekday())
    return Period.NONE, None


def _handy(nanos: float) -> int:
    """Returns a round limit in nano-dollars, as a person would set it: two significant digits, at least a
    dollar.
    """
    usd = max(1.0, nanos / NANOS)
    return int(float(f"{usd:.1e}") * NANOS)
