"""Actions on teams: create, update, delete, restore, and purge, which erases a deleted team."""

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
    """Creates a team and the membership of its owner, and returns the team.

    Users can only create teams that they own. Raises ValidationError with the invalid field, NotAllowedError,
    and ActionError if the owner is deactivated.
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
    """Changes the name, description and time zone of a team, and returns it.

    If they are the same, nothing changes. The time zone decides when a day of the team begins, so receivers of
    the signal `time_zone_changed` rebucket the statistics in the same transaction. Raises ValidationError with
    the invalid field, and NotAllowedError.
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
    """Deletes a team.

    Its keys stop working, its invitations are revoked, and an open offer of ownership is cancelled. Site staff
    can restore it for 30 days. `typed_name` is the name that the user typed to confirm. Raises NotAllowedError
    (also for a personal space), and ActionError if `typed_name` is not the team's name.
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
    """Restores a team that was deleted within the last 30 days.

    Its keys work again; its invitations stay revoked. Raises NotAllowedError unless site staff act,
    ConflictError if the team is not deleted or was deleted earlier, and ActionError if its owner is
    deactivated.
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
    """Erases teams that were deleted more than 30 days ago, with all their rows, and returns how many teams."""
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
