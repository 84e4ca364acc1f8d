"""Actions on teams: create, update, delete, restore, purge."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from teams.access import Permission
from teams.actions.checks import require_permission, require_site
from teams.actions.locks import lock_team, lock_teams, lock_users
from teams.actions.transfers import cancel_offers, check_typed
from teams.actions.users import unique_slug
from teams.activity import SITE, Actor, record_activity
from teams.errors import ActionError, ConflictError, NotAllowedError
from teams.models import Invitation, Membership, Role, Team, TeamQuerySet, User
from teams.signals import team_purged, time_zone_changed

RESTORABLE_FOR = timedelta(days=30)


@transaction.atomic
def create_team(
    *, by: Actor, owner: User, name: str, description: str = "", time_zone: str = "", slug: str = ""
) -> Team:
    """Creates a team with its owner as the first member. Users can only create teams that they own.

    Raises ValidationError with the invalid field, NotAllowedError, ActionError.
    """
    if not by.is_site and by.user != owner:
        raise NotAllowedError(_("You can only create teams that you own yourself."))
    if not lock_users([owner.pk])[owner.pk].is_active:
        raise ActionError(_("%(person)s is deactivated.") % {"person": owner.label})
    team = Team(
        name=name.strip(),
        slug=slug or unique_slug(name),
        description=description.strip(),
        time_zone=time_zone or settings.TIME_ZONE,
        owner=owner,
    )
    _check_fields(team)
    team.save()
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    after = {"name": team.name, "time_zone": team.time_zone}
    record_activity(by=by, team=team, kind="team.created", person=owner, subject=team.name, after=after)
    return team


@transaction.atomic
def update_team(*, by: Actor, team: Team, name: str, description: str, time_zone: str) -> Team:
    """Changes the name, description and time zone; does nothing if they are the same.

    A new time zone changes the days of the team: receivers of `time_zone_changed` rebucket its statistics
    in the same transaction. Raises ValidationError with the invalid field, NotAllowedError.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.EDIT_TEAM)
    wanted = {"name": name.strip(), "description": description.strip(), "time_zone": time_zone}
    before = {field: getattr(team, field) for field, value in wanted.items() if getattr(team, field) != value}
    if not before:
        return team
    for field in before:
        setattr(team, field, wanted[field])
    _check_fields(team)
    team.save(update_fields=list(before))
    if "time_zone" in before:
        time_zone_changed.send(sender=Team, team=team, before=before["time_zone"])
    after = {field: wanted[field] for field in before}
    record_activity(by=by, team=team, kind="team.changed", subject=team.name, before=before, after=after)
    return team


@transaction.atomic
def delete_team(*, by: Actor, team: Team, typed_name: str, now: datetime) -> None:
    """Deletes a team: its keys stop working, invitations are revoked, an offer is cancelled. Staff can restore it.

    Raises NotAllowedError (also for a personal space), and ActionError if `typed_name` is not the team's name.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.OWN_TEAM)
    check_typed(typed_name, team.name)
    team.deleted_at = now
    team.save(update_fields=["deleted_at"])
    unanswered = Invitation.objects.unanswered().filter(team=team)
    after: dict[str, Any] = {"invitations_revoked": unanswered.update(revoked_at=now)}
    cancelled = cancel_offers(team, team.owner, now)
    if cancelled:
        after["transfer_cancelled"] = cancelled[0]
    record_activity(by=by, team=team, kind="team.deleted", subject=team.name, after=after)


@transaction.atomic
def restore_team(*, by: Actor, team: Team, now: datetime) -> Team:
    """Restores a team that was deleted within 30 days. Its keys work again; invitations stay revoked.

    Raises NotAllowedError unless the actor is site staff, and ConflictError if the team cannot be restored.
    """
    require_site(by)
    locked = lock_teams([team.pk]).get(team.pk)
    if locked is None or (locked.deleted_at and locked.deleted_at <= now - RESTORABLE_FOR):
        raise ConflictError(_("This team was deleted more than 30 days ago and cannot be restored."))
    if locked.deleted_at is None:
        raise ConflictError(_("This team is not deleted."))
    if not lock_users([locked.owner_id])[locked.owner_id].is_active:
        message = _("%(person)s, who owns this team, is deactivated. Reactivate them first.")
        raise ActionError(message % {"person": locked.owner.label})
    before = {"deleted_at": locked.deleted_at.isoformat()}
    locked.deleted_at = None
    locked.save(update_fields=["deleted_at"])
    record_activity(by=by, team=locked, kind="team.restored", subject=locked.name, before=before)
    return locked


def purge_teams(*, now: datetime) -> int:
    """Erases teams that were deleted more than 30 days ago, with their records, and returns how many."""
    due = Team.objects.deleted_by(now - RESTORABLE_FOR)
    return sum(_purge(team_id, due) for team_id in list(due.values_list("pk", flat=True)))


@transaction.atomic
def _purge(team_id: int, due: TeamQuerySet) -> int:
    lock_teams([team_id])
    team: Team | None = due.filter(pk=team_id).first()
    if team is None:  # restored meanwhile
        return 0
    team_purged.send(sender=Team, team_id=team_id)
    before = {"slug": team.slug, "owner": team.owner.email}
    record_activity(by=SITE, team=None, kind="team.purged", person=team.owner, subject=team.name, before=before)
    team.delete()
    return 1


def _check_fields(team: Team) -> None:
    if not team.name:
        raise ValidationError({"name": _("Enter a name for the team.")})
    team.full_clean()
