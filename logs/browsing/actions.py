"""Functions that save and delete views of the logs. Calls are recorded by `logs.recording.record`."""

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from logs.models import SavedView
from teams.access import Permission
from teams.actions.checks import require_permission
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Team

MOST_VIEWS = 50  # of one person in one team
# Query parameters that are not saved, because they are no filters.
_PLACES = ("cursor", "q", "live", "format")


@transaction.atomic
def save_view(*, by: Actor, team: Team, name: str, query: str, is_shared: bool = False) -> SavedView:
    """Saves filters under a name; saving under the same name again replaces them.

    A shared view requires the permission to see the whole team. Raises NotAllowedError, and ActionError if the
    name is empty, or if there are too many views or filters.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.SEE_TEAM if is_shared else Permission.SEE_OWN)
    if by.user is None:
        raise NotAllowedError(_("Only a person can save a view."))
    name = " ".join(name.split())[:80]
    if not name:
        raise ActionError(_("Enter a name for the view."), field="name")
    views = SavedView.objects.filter(team=team, user=by.user)
    if views.exclude(name=name).count() >= MOST_VIEWS:
        raise ActionError(_("You already have %d views here. Delete one first.") % MOST_VIEWS)
    kept = {"query": _filters(query), "is_shared": is_shared}
    view, _is_new = views.update_or_create(team=team, user=by.user, name=name, defaults=kept)
    if is_shared:
        record_activity(by=by, team=team, kind="view.shared", subject=view.name)
    return view


@transaction.atomic
def delete_view(*, by: Actor, view: SavedView) -> None:
    """Deletes a saved view: one's own, or a shared one if one may see the whole team.

    Raises NotAllowedError, and ConflictError if the view was already deleted.
    """
    team = lock_team(view.team)
    found = SavedView.objects.filter(pk=view.pk).first()
    if found is None:
        raise ConflictError(_("This view was already deleted."))
    is_own = found.user_id == (by.user.pk if by.user else None)
    require_permission(by, team, Permission.SEE_OWN if is_own or not found.is_shared else Permission.SEE_TEAM)
    if not is_own and not found.is_shared:
        raise NotAllowedError(_("This view belongs to somebody else."))
    if found.is_shared:
        record_activity(by=by, team=team, kind="view.deleted", subject=found.name)
    found.delete()


def _filters(query: str) -> str:
    """Returns the query string without _PLACES. Raises ActionError if it is too long."""
    asked = QueryDict(query, mutable=True)
    for name in _PLACES:
        asked.pop(name, None)
    text = asked.urlencode()
    if len(text) > 2000 or "\x00" in query:
        raise ActionError(_("Too many filters to save."))
    return text
