"""GET /api/v1/unusual: the anomalies of a team, or of the caller's own calls."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from teams.api import Credential, endpoint
from usage.anomalies.episodes import Episode
from usage.anomalies.shown import Note, ShownAnomalies, anomalies_in
from usage.parameters.api import (
    RANGE_PARAMETERS,
    READER_PARAMETERS,
    members_of,
    range_of,
    reader_of,
    refuse_unknown,
    time_text,
)
from usage.rollups.query import UsageQuery

PARAMETERS: Final = (*READER_PARAMETERS, *RANGE_PARAMETERS, "member")


@endpoint("GET")
def show_anomalies(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Returns all episodes of a time range as JSON, most important first, those marked as expected last."""
    refuse_unknown(request, PARAMETERS)
    now = timezone.now()
    reader = reader_of(request, credential)
    query = UsageQuery(
        team=reader.team,
        mode=reader.mode,
        range=range_of(request, reader, now),
        members=members_of(request, reader),
    )
    shown = anomalies_in(query, sees_team=reader.only is None, now=now, most=None)
    return JsonResponse(_answer(query, shown))


def _answer(query: UsageQuery, shown: ShownAnomalies) -> dict[str, Any]:
    return {
        "from": time_text(shown.since or query.range.start),
        "to": time_text(query.range.end),
        "time_zone": query.team.time_zone,
        "learning_until": time_text(shown.learning_until) if shown.learning_until else None,
        "episodes": [note_json(note) for note in [*shown.notes, *shown.expected]],
    }


def note_json(note: Note) -> dict[str, Any]:
    """Returns an episode as the API and the exported files write it."""
    mark = note.expected
    expected = {"reason": mark.reason, "marked_at": time_text(mark.marked_at)} if mark else None
    return {**_episode(note.episode), "url": settings.BASE_URL + note.link, "expected": expected}


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "id": episode.key,
        "kind": episode.kind.value,
        "kinds": [kind.value for kind in episode.kinds],
        "from": time_text(episode.start),
        "to": time_text(episode.end),
        "score": round(episode.score, 2),
        "importance": round(episode.importance, 2),
        "member": episode.member or None,
        "sentence": episode.sentence,
        "drivers": [
            {
                "dimension": cause.dimension,
                "key": cause.key,
                "name": cause.label,
                "share": round(cause.share, 3),
            }
            for cause in episode.causes
        ],
        "spread_over": list(episode.spread),
    }
