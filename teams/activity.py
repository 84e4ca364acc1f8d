"""Defines who acts (`Actor`), and writes the activity, which is the audit log: one row for each change.

An action writes its row in the transaction of the change.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from config.addresses import client_address
from teams.models import Activity, Team, User


@dataclass(frozen=True)
class Actor:
    """Who performs an action, and from which IP address.

    If `user` is None, the site itself acts, such as a command. Only the Django admin sets `as_staff`. On all
    other pages staff have only the rights of their role in a team.
    """

    user: User | None = None
    ip: str | None = None
    as_staff: bool = False

    @property
    def is_site(self) -> bool:
        """Whether the actor is a command or site staff in the Django admin.

        Their rights do not depend on a role.
        """
        return self.user is None or (self.as_staff and self.user.is_staff and self.user.is_active)


SITE = Actor()


def actor_of(request: HttpRequest) -> Actor:
    """Returns the signed-in user of a request as an actor, with the IP address."""
    assert isinstance(request.user, User)
    return Actor(request.user, client_address(request))


def record_activity(
    *,
    by: Actor,
    team: Team | None,
    kind: str,
    person: User | None = None,
    subject: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> Activity:
    """Writes and returns the activity row of an action. `kind` is `noun.verb`, such as `member.removed`.

    `person` is the user who was changed, and `subject` the name of what was changed. `before` and `after` are
    the old and new values by field.
    """
    return Activity.objects.create(
        team=team,
        actor=by.user,
        kind=kind,
        person=person,
        subject=subject[:254],
        before=before or {},
        after=after or {},
        ip=by.ip,
    )
