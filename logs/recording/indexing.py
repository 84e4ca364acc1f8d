"""Maintains the tables that the search uses to find calls: tags, and the routes of a team's calls."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from logs.formats.reported import ReportedCall
from logs.models import Call, CallRoute, CallTag
from usage.rollups.bulk import insert_new

_ROUTE: Final = ("team_id", "provider", "endpoint", "channel", "stream")


def index_calls(*, team_id: int, mode: int, calls: Sequence[tuple[UUID, ReportedCall | Call]]) -> None:
    """Inserts the tags of calls, and routes that the team did not have yet.

    Must run in the transaction that stores the calls.
    """
    tags = sorted((team_id, mode, tag, id_) for id_, call in calls for tag in set(call.tags))
    routes = sorted({(team_id, call.provider, call.endpoint, call.channel, call.stream) for _id, call in calls})
    if tags:
        insert_new(CallTag, ("team_id", "mode", "tag", "id"), tags, returning="id")
    if routes:
        insert_new(CallRoute, _ROUTE, routes, returning="team_id")


def forget_tags(*, team_id: int, mode: int, calls: Sequence[Call]) -> None:
    """Deletes the tags of calls; routes stay. Must run in the transaction that changes or removes the calls."""
    tagged = [call for call in calls if call.tags]
    if tagged:
        tags = {tag for call in tagged for tag in call.tags}
        of_calls = CallTag.objects.filter(team_id=team_id, mode=mode, tag__in=tags)
        of_calls.filter(id__in=[call.id for call in tagged]).delete()
