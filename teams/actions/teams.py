"""Teams: made, with their owner as first member."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from teams.actions.users import unique_slug
from teams.activity import Actor, record_activity
from teams.models import Membership, Role, Team, User


@transaction.atomic
def create_team(
    *, by: Actor, owner: User, name: str, description: str = "", time_zone: str = "", slug: str = ""
) -> Team:
    """Makes a team owned by `owner`. Raises ValidationError naming the field that is wrong."""
    team = Team(
        name=name.strip(),
        slug=slug or unique_slug(name),
        description=description.strip(),
        time_zone=time_zone or settings.TIME_ZONE,
        owner=owner,
    )
    if not team.name:
        raise ValidationError({"name": "A team needs a name."})
    team.full_clean()
    team.save()
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    record_activity(by=by, team=team, kind="team.created", person=owner, subject=team.name)
    return team
