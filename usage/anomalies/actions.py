"""Actions that mark anomalies as expected, with a reason, and remove such marks."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from teams.access import Permission
from teams.actions.checks import require_permission
from teams.actions.locks import lock_team
from teams.activity import Actor, record_activity
from teams.activity_texts import CALLS_PATH
from teams.errors import ActionError, ConflictError
from teams.models import Mode, Team
from usage.anomalies.episodes import Episode, hours_link
from usage.anomalies.models import ExpectedEpisode
from usage.anomalies.shown import expected_in, mark_of
from usage.rollups.query import Range

LONGEST_REASON = 200


@transaction.atomic
def mark_expected(
    *, by: Actor, team: Team, mode: Mode, episode: Episode, reason: str, now: datetime
) -> ExpectedEpisode:
    """Marks an episode as expected, which stops notifications about it.

    Returns the mark, or the existing one if the episode is already marked. Raises NotAllowedError unless the
    actor is an owner or administrator, and ActionError for an invalid reason.
    """
    team = lock_team(team)
    require_permission(by, team, Permission.EDIT_TEAM)
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        message = _("Enter the reason in at most %d characters.") % LONGEST_REASON
        raise ActionError(message, field="reason")
    known = mark_of(episode, expected_in([team], mode, Range(episode.whole.start, episode.whole.end)))
    if known:
        return known
    mark = ExpectedEpisode.objects.create(
        team=team,
        mode=mode,
        kind=episode.kind.value,
        member_id=episode.member_id or None,
        starts_at=episode.whole.start,
        ends_at=episode.whole.end,
        sentence=episode.sentence[:300],
        calls_path=hours_link(team, mode, episode),
        reason=reason,
        marked_by=by.user,
        marked_at=now,
    )
    record_activity(
        by=by, team=team, kind="episode.expected", person=mark.member, subject=mark.sentence, after=_told(mark)
    )
    return mark


@transaction.atomic
def unmark_expected(*, by: Actor, mark: ExpectedEpisode) -> None:
    """Removes the mark that an episode is expected.

    Raises NotAllowedError, and ConflictError if the mark was removed already.
    """
    team = lock_team(mark.team)
    require_permission(by, team, Permission.EDIT_TEAM)
    deleted, _by_table = ExpectedEpisode.objects.filter(pk=mark.pk).delete()
    if not deleted:
        raise ConflictError(_("The mark was already removed."))
    record_activity(
        by=by, team=team, kind="episode.unmarked", person=mark.member, subject=mark.sentence, before=_told(mark)
    )


def _told(mark: ExpectedEpisode) -> dict[str, Any]:
    return {
        "reason": mark.reason,
        "kind": mark.kind,
        "starts_at": mark.starts_at.isoformat(),
        "ends_at": mark.ends_at.isoformat(),
        CALLS_PATH: mark.calls_path,
    }
