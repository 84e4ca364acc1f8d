"""Loads the demo into the database with the same code that creates real teams and records real calls."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.management import call_command
from django.db import transaction
from django.utils.translation import gettext as _

from config.progress import progress_bar
from logs.demo.catalogue import EMBEDDING, EMBEDDING_PRICED_DAYS, EMBEDDING_USD
from logs.demo.generate import DAYS, SEED, Life, live
from logs.demo.people import ADMINISTRATOR, MEMBER, OWNER, TEAMS, TeamPlan, everybody, home_zone
from logs.demo.quotas import set_demo_quotas
from logs.demo.sources import Source, make_sources
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.actions.members import add_member
from teams.actions.teams import create_team
from teams.actions.tokens import create_token
from teams.actions.users import create_user
from teams.activity import SITE, Actor, record_activity
from teams.errors import ActionError
from teams.models import Activity, GatewayKey, Membership, Team, Token, User
from usage.prices.models import Price

PASSWORD = "callboard-demo"  # noqa: S105  # no secret: the demo prints it
SIGN_INS = {"owner": OWNER.email, "administrator": ADMINISTRATOR.email, "member": MEMBER.email}
_LOADED = "demo.loaded"


@dataclass(frozen=True)
class Stage:
    """The rows that exist before the first call: teams, a token for each source, and the gateway key that
    reports calls.
    """

    teams: Mapping[str, Team]
    tokens: Mapping[int, Token]  # by the number of the source
    gateway_key: GatewayKey


def loaded_at() -> datetime | None:
    """Returns when the demo was loaded into this database; None if it never was, or if the load was
    interrupted.
    """
    return Activity.objects.filter(kind=_LOADED).values_list("at", flat=True).first()


def load_demo(*, now: datetime, days: int = DAYS, scale: float = 1.0) -> int:
    """Loads the demo up to `now` and returns its number of calls. What an interrupted load left is deleted
    first.

    Raises ActionError in a database with other users, whose data must not be touched.
    """
    clear_demo()
    sources = make_sources(SEED)
    stage = _set_stage(sources, now=now, days=days)
    life = live(sources, now=now, days=days, scale=scale)
    _record(life, stage, now=now)
    with transaction.atomic():
        _let_go(now)
        _use_tokens(life, stage)
        set_demo_quotas(now=now)
        _at(now, record_activity(by=SITE, team=None, kind=_LOADED, after={"calls": life.total}))
    return life.total


def clear_demo() -> None:
    """Deletes everything from a database whose only users are the demo's. Raises ActionError if there are
    others.
    """
    others = User.objects.exclude(email__in=everybody())
    if others.exists():
        raise ActionError(
            _(
                "This database has users other than the demo's, such as %(email)s. The demo is never loaded "
                "into a database in use: set DATABASE_URL (or CALLBOARD_VAR_DIR) to another one."
            )
            % {"email": others.order_by("pk")[0].email}
        )
    if User.objects.exists():
        call_command("flush", interactive=False, verbosity=0)


@transaction.atomic
def _set_stage(sources: Iterable[Source], *, now: datetime, days: int) -> Stage:
    users = {email: _create_person(email, name) for email, name in everybody().items()}
    teams = {plan.slug: _create_team(plan, users) for plan in TEAMS}
    personal = {team.owner_id: team for team in Team.objects.filter(is_personal=True)}
    tokens = {}
    for source in sources:
        user = users[source.email]
        team = teams[source.team] if source.team else personal[user.pk]
        tokens[source.number], _secret = create_token(
            by=SITE, team=team, user=user, name=source.app.name, mode=source.app.mode
        )
    gateway_key, _secret = create_gateway_key(by=SITE, team=None, name="LiteLLM proxy")
    priced_since = now - timedelta(days=EMBEDDING_PRICED_DAYS)
    Price.objects.create(model=EMBEDDING, valid_from=priced_since, input_usd=EMBEDDING_USD, output_usd=0)
    _backdate(now, days)
    return Stage(teams, tokens, gateway_key)


def _create_person(email: str, name: str) -> User:
    """Creates a person with their personal space. Only the three people in SIGN_INS can sign in."""
    password = PASSWORD if email in SIGN_INS.values() else None
    user = create_user(email=email, password=password, name=name, verified=True)
    user.owned_teams.update(time_zone=home_zone(email))
    return user


def _create_team(plan: TeamPlan, users: Mapping[str, User]) -> Team:
    owner, *others = plan.people
    team = create_team(
        by=SITE,
        owner=users[owner.email],
        name=plan.name,
        description=plan.description,
        time_zone=plan.time_zone,
        slug=plan.slug,
    )
    for person in others:
        add_member(by=SITE, team=team, user=users[person.email], role=person.role)
    return team


def _backdate(now: datetime, days: int) -> None:
    """Moves the creation times of users, teams, tokens and memberships to before the first call; those of
    members who joined a team later, to the day they joined.
    """
    before = now - timedelta(days=days + 5)
    User.objects.update(joined_at=before)
    for model in (Team, Token, GatewayKey):
        model._default_manager.update(created_at=before)
    Membership.objects.update(joined_at=before)
    Activity.objects.update(at=before)
    for plan in TEAMS:
        for person in plan.people:
            if person.joined_days_ago is not None:
                at = now - timedelta(days=person.joined_days_ago)
                theirs = {"team__slug": plan.slug, "user__email": person.email}
                Membership.objects.filter(**theirs).update(joined_at=at)
                Token.objects.filter(**theirs).update(created_at=at)
                Activity.objects.filter(team__slug=plan.slug, person__email=person.email).update(at=at)


def _record(life: Life, stage: Stage, *, now: datetime) -> None:
    """Records all calls as if a gateway had reported them."""
    by = Caller(gateway_key=stage.gateway_key)
    advance = progress_bar(_("Loading the demo's calls"), life.total)
    for batch in life.batches(_namer(stage)):
        rejected = record_calls(batch, by=by, now=now).rejected
        if rejected:
            raise AssertionError(f"The demo made a call that is refused: {rejected[0].error}")
        advance(len(batch))


def _namer(stage: Stage) -> Callable[[Source], str]:
    return lambda source: stage.tokens[source.number].public_id


def _let_go(now: datetime) -> None:
    """Removes the members who left: their calls stay, their tokens are revoked as of the day they left."""
    for plan in TEAMS:
        for person in plan.people:
            if person.left_days_ago is None:
                continue
            theirs = {"team__slug": plan.slug, "user__email": person.email}
            at = now - timedelta(days=person.left_days_ago)
            Token.objects.filter(**theirs).update(revoked_at=at)
            membership = Membership.objects.select_related("team", "user").get(**theirs)
            membership.delete()
            activity = record_activity(
                by=Actor(membership.user),
                team=membership.team,
                kind="member.left",
                person=membership.user,
                subject=person.email,
                before={"role": membership.role},
            )
            _at(at, activity)


def _at(at: datetime, activity: Activity) -> None:
    """Sets the time of an activity, which was recorded just now, to the time at which it is supposed to have
    happened.
    """
    activity.at = at
    activity.save(update_fields=["at"])


def _use_tokens(life: Life, stage: Stage) -> None:
    """Sets when each token was last used, as recording its calls would have."""
    used = []
    for sampled in (sampled for context in life.contexts for sampled in context if len(sampled)):
        token = stage.tokens[sampled.source.number]
        token.last_used_at = life.start + timedelta(seconds=float(sampled.at[-1]))
        used.append(token)
    Token.objects.bulk_update(used, ["last_used_at"])
