"""The levels of a subject, read under the locks that whoever grants by them must hold.

The team is locked and, because its owner's balance is asked too, the personal space that pays: all
reservations that any level could count twice wait for each other here. Settling and rolling back need the
team's lock alone: they only move what one statement reads at one moment.

All of it is SQL in one trip, because everybody else waits meanwhile: said with the ORM, it took three times
as long under the locks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from teams.credentials import Refusal, RefusedKeyError, refusal_of, tokens_with_standing
from usage.bulk import Statement, run_together
from usage.levels import LevelState, adapted_time, levels_statement, read_levels
from usage.quotas import Subject


class TeamChangedError(Exception):
    """The team or its payer is another, or in another zone, than when it was read. Read it again."""


def lock_levels(subject: Subject, now: datetime) -> list[LevelState]:
    """Locks team and payer in the order of their ids, as `lock_teams` does, and reads the levels.

    Asks again whether token and member may still call: they may have been stopped since the request came in.
    Raises RefusedKeyError for these and for a deleted team, TeamChangedError.
    """
    asked = subject.keys()
    teams, standing, levels = run_together(
        [_locking(subject), _standing(subject, now), levels_statement(asked, subject.zones, now)]
    )
    _check_teams(subject, teams)
    if not standing or (subject.token_id and standing[0][0] is None):
        raise RefusedKeyError(_reason(subject, now))
    return read_levels(asked, levels, subject.zones, now)


def _locking(subject: Subject) -> Statement:
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    text = f"SELECT {', '.join(_TEAM)} FROM teams_team WHERE id IN (%s, %s) ORDER BY id{lock}"  # noqa: S608
    return text, [subject.team.pk, subject.payer.pk]


_TEAM = ("id", "owner_id", "time_zone", "is_personal", "deleted_at")


def _check_teams(subject: Subject, rows: Sequence[Sequence[Any]]) -> None:
    """Whether the teams are still as the levels were asked for."""
    found = {row[0]: row for row in rows}
    team = found.get(subject.team.pk)
    if team is None or team[4]:
        raise RefusedKeyError(Refusal.DELETED)
    for known in (subject.team, subject.payer):
        row = found.get(known.pk)
        if row is None or tuple(row[1:4]) != (known.owner_id, known.time_zone, known.is_personal):
            raise TeamChangedError


def _standing(subject: Subject, now: datetime) -> Statement:
    """One row for a member who may call: their token if it works, else null."""
    parameters = [subject.token_id, adapted_time(now), subject.team.pk, subject.member_id]
    return _STANDING, parameters


_STANDING = """
SELECT teams_token.id
FROM teams_membership
JOIN teams_user ON teams_user.id = teams_membership.user_id AND teams_user.is_active
LEFT JOIN teams_token ON teams_token.id = %s
  AND teams_token.team_id = teams_membership.team_id AND teams_token.user_id = teams_membership.user_id
  AND disabled_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)
WHERE teams_membership.team_id = %s AND teams_membership.user_id = %s
"""


def _reason(subject: Subject, now: datetime) -> Refusal:
    token = tokens_with_standing().filter(pk=subject.token_id).first()
    return (token and refusal_of(token, now)) or Refusal.LEFT
