"""Locks a team and its payer, and reads their quota levels, to grant reservations.

The payer (the personal space of the team's owner) is locked because the owner's balance is a level too. So two
transactions can never grant the same quota twice. Settling and rolling back only need the lock of the team,
because they only move amounts that are read by one SQL statement.

All statements are sent in one round trip, because other requests wait for the locks meanwhile. With the ORM,
the locks were held three times as long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from teams.credentials import Refusal, RefusedKeyError, refusal_of, tokens_with_role
from usage.quotas.availability import Subject
from usage.quotas.levels import LevelKey, LevelState, adapted_time, levels_statement, read_levels
from usage.rollups.bulk import Statement, run_together


class TeamChangedError(Exception):
    """The team or its payer changed its owner or time zone after it was read. The caller must read it again."""


@dataclass(frozen=True)
class Locked:
    """What was read under the locks: the state of all quota levels, and which subjects may not make calls, and
    why.
    """

    levels: dict[LevelKey, LevelState]
    refused: dict[Subject, Refusal]


def lock_levels(subjects: Sequence[Subject], now: datetime) -> Locked:
    """Locks the team and the payer, which must be the same for all subjects, and reads all their quota levels.

    Also checks that the tokens and members may still make calls, because that can have changed since the
    request arrived. Raises RefusedKeyError for a deleted team, and TeamChangedError.
    """
    first, asked = subjects[0], list(dict.fromkeys(key for subject in subjects for key in subject.level_keys()))
    teams, standing, levels = run_together(
        [_locking(first), _standing(subjects, now), levels_statement(asked, first.zones, now)]
    )
    _check_teams(first, teams)
    may_call = {(user_id, token_id or 0) for user_id, token_id in standing}
    members = {user_id for user_id, _token_id in standing}
    refused = {
        subject: _reason(subject, now)
        for subject in dict.fromkeys(subjects)
        if subject.member_id not in members
        or (subject.token_id and (subject.member_id, subject.token_id) not in may_call)
    }
    states = read_levels(asked, levels, first.zones, now)
    return Locked(dict(zip(asked, states, strict=True)), refused)


def _locking(subject: Subject) -> Statement:
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    text = f"SELECT {', '.join(_TEAM)} FROM teams_team WHERE id IN (%s, %s) ORDER BY id{lock}"  # noqa: S608
    return text, [subject.team.pk, subject.payer.pk]


_TEAM = ("id", "owner_id", "time_zone", "is_personal", "deleted_at")


def _check_teams(subject: Subject, rows: Sequence[Sequence[Any]]) -> None:
    """Raises TeamChangedError if the team or payer changed since it was read.

    Raises RefusedKeyError for a deleted team.
    """
    found = {row[0]: row for row in rows}
    team = found.get(subject.team.pk)
    if team is None or team[4]:
        raise RefusedKeyError(Refusal.DELETED)
    for known in (subject.team, subject.payer):
        row = found.get(known.pk)
        if row is None or tuple(row[1:4]) != (known.owner_id, known.time_zone, known.is_personal):
            raise TeamChangedError


def _standing(subjects: Sequence[Subject], now: datetime) -> Statement:
    """Returns the SQL statement that selects the members among the subjects who may make calls.

    There is a row (user id, token id) for each of the member's tokens that is among the subjects and valid, or
    one with null if there is none.
    """
    members = sorted({subject.member_id for subject in subjects})
    tokens = sorted(
        {subject.token_id for subject in subjects}
    )  # 0 stands for no token, and no token has the id 0
    text = _STANDING.replace("{tokens}", ", ".join(["%s"] * len(tokens)))
    text = text.replace("{members}", ", ".join(["%s"] * len(members)))
    return text, [*tokens, adapted_time(now), subjects[0].team.pk, *members]


_STANDING = """
SELECT teams_membership.user_id, teams_token.id
FROM teams_membership
JOIN teams_user ON teams_user.id = teams_membership.user_id AND teams_user.is_active
LEFT JOIN teams_token ON teams_token.id IN ({tokens})
  AND teams_token.team_id = teams_membership.team_id AND teams_token.user_id = teams_membership.user_id
  AND disabled_at IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)
WHERE teams_membership.team_id = %s AND teams_membership.user_id IN ({members})
"""


def _reason(subject: Subject, now: datetime) -> Refusal:
    token = tokens_with_role().filter(pk=subject.token_id).first()
    return (token and refusal_of(token, now)) or Refusal.LEFT
