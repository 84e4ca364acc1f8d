"""Deletes calls that are older than the site's retention. Their statistics and quota use stay."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from time import monotonic, sleep
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from logs.models import Call, CallLayer, CallTag, KeptCalls
from logs.recording.ids import first_id
from logs.recording.kept_calls import kept_since
from logs.recording.known import KEPT
from teams.actions.locks import lock_teams
from teams.models import Team
from usage.rollups.buckets import day_of, day_start

# The intended duration of one DELETE, and its number of rows: the fewest, the first, and the most.
_STEP_SECONDS: Final = 0.1
_FEWEST, _FIRST_STEP, _MOST = 50, 500, 5_000
_LONGEST_PAUSE: Final = 0.5


def delete_old_calls(*, now: datetime) -> int:
    """Deletes the calls that are older than the site's retention, team by team, in small steps; returns their
    number.

    Whole days of each team's calendar are deleted, so that the rest can still be compared with the statistics.
    """
    return sum(_delete_of(team, now) for team in Team.objects.order_by("pk"))


def _delete_of(team: Team, now: datetime) -> int:
    since = day_start(day_of(now - timedelta(days=settings.CALL_RETENTION_DAYS), team.zone), team.zone)
    old = Call.objects.filter(team_id=team.pk, id__lt=first_id(since)).order_by("id")

    def delete_first(most: int) -> int:
        ids = list(old.values_list("id", flat=True)[:most])
        return Call.objects.filter(team_id=team.pk, id__lte=ids[-1]).delete()[0] if ids else 0

    deleted = 0
    if old.exists():
        _keep_from(team, since)
        deleted = _in_steps(delete_first)
    _delete_tags(team, first_id(since))
    return deleted


def delete_old_layers(*, now: datetime) -> int:
    """Deletes `CallLayer` rows, which tell which reports are of the same call, 24 hours after they arrived;
    returns their number.
    """
    old = CallLayer.objects.filter(received_at__lt=now - KEPT).order_by("received_at")

    def delete_first(most: int) -> int:
        last = [*old.values_list("received_at", flat=True)[:most]][-1:]
        return old.order_by().filter(received_at__lte=last[0]).delete()[0] if last else 0

    return _in_steps(delete_first)


@transaction.atomic
def _keep_from(team: Team, since: datetime) -> None:
    """Records that calls from before `since` are being deleted, unless a later time is already recorded.

    This takes the team's lock. Recording holds it too, and afterwards refuses calls from before `since`, so
    that a deleted call is not stored again.
    """
    lock_teams([team.pk])
    before = kept_since(team)
    if before is None or before < since:
        KeptCalls.objects.update_or_create(team_id=team.pk, defaults={"since": since})


def _delete_tags(team: Team, since: UUID) -> None:
    """Deletes the tags of deleted calls. The calls are deleted first, so that an interruption leaves no call
    without its tags.
    """
    old = CallTag.objects.filter(team_id=team.pk, id__lt=since)
    for mode, tag in list(old.values_list("mode", "tag").distinct()):
        _in_steps(partial(_delete_first_tags, old.filter(mode=mode, tag=tag)))


def _delete_first_tags(old: QuerySet[CallTag], most: int) -> int:
    ids = list(old.order_by("id").values_list("id", flat=True)[:most])
    return old.filter(id__lte=ids[-1]).delete()[0] if ids else 0


def _in_steps(delete_first: Callable[[int], int]) -> int:
    """Calls `delete_first` with a number of rows to delete until none are left; returns how many were deleted.

    The number is adapted so that a step takes about _STEP_SECONDS. During a step, writers of the same team wait
    (on SQLite all writers), so it is followed by an equally long pause of at most _LONGEST_PAUSE seconds.
    """
    deleted, most = 0, _FIRST_STEP
    while True:
        began = monotonic()
        step = delete_first(most)
        if not step:
            return deleted
        deleted += step
        took = monotonic() - began
        sleep(min(took, _LONGEST_PAUSE))
        most = min(_MOST, max(_FEWEST, int(most * min(2.0, _STEP_SECONDS / max(took, 0.001)))))
