"""Assigns trace spans that are not calls to the teams whose calls are in the same trace.

Such a span may be the parent of one report of a call and the child of another. Without it, the two reports
could not be recognised as layers of the same call.
"""

from collections.abc import Iterable, Sequence

from logs.formats.identity import OtherSpan
from logs.models import CallLayer
from logs.recording.callers import Caller
from logs.recording.known import MOST_AT_ONCE
from logs.recording.layers import Link
from logs.recording.loose_links import loose_links
from teams.models import Mode, Team

Space = tuple[int, int]  # (team id, mode)


def links_by_space(
    spans: Sequence[OtherSpan], traces: Iterable[tuple[Space, str]], by: Caller
) -> dict[Space, list[Link]]:
    """Returns the spans of traces that contain a call, by the (team id, mode) of that call.

    `traces` are the trace ids of the calls that came in the same request. The trace of another span is looked
    up among the stored reports of the teams that this key may report for. If it has no call yet, the span is
    kept in memory (`logs.recording.loose_links`).
    """
    spaces: dict[str, set[Space]] = {}
    found: dict[Space, list[Link]] = {}
    for (team_id, mode), trace_id in traces:
        if trace_id and (team_id, mode) not in spaces.setdefault(trace_id, set()):
            spaces[trace_id].add((team_id, mode))
            found.setdefault((team_id, mode), []).extend(loose_links.recall((team_id, 0), trace_id))
    if not spans:
        return found
    teams = _teams(spans, by)
    elsewhere = {span.trace_id for span in spans if span.trace_id not in spaces}
    for space, trace_id in _known(elsewhere, set(teams.values()), by):
        spaces.setdefault(trace_id, set()).add(space)
    loose: dict[int, list[Link]] = {}
    for span in spans:
        link = Link(span.trace_id, span.span_id, span.parent_id)
        for space in spaces.get(span.trace_id, ()):
            found.setdefault(space, []).append(link)
        if span.trace_id not in spaces:
            loose.setdefault(by.team_id or teams.get(span.team, 0), []).append(link)
    for team_id, links in loose.items():
        loose_links.remember(team_id, links)
    return found


def _teams(spans: Sequence[OtherSpan], by: Caller) -> dict[str, int]:
    """Returns the ids of the teams that the spans name, by slug; for a key of one team, that team under ""."""
    if by.team_id is not None:
        return {"": by.team_id}
    slugs = {span.team for span in spans if span.team}
    return dict(Team.objects.filter(slug__in=slugs).values_list("slug", "pk")) if slugs else {}


def _known(traces: set[str], team_ids: set[int], by: Caller) -> Iterable[tuple[Space, str]]:
    modes = [by.token.mode] if by.token else list(Mode)
    ordered = sorted(traces)
    for start in range(0, len(ordered) if team_ids else 0, MOST_AT_ONCE):
        layers = CallLayer.objects.filter(
            team_id__in=team_ids, mode__in=modes, trace_id__in=ordered[start : start + MOST_AT_ONCE]
        )
        for team_id, mode, trace_id in layers.values_list("team_id", "mode", "trace_id").distinct():
            yield (team_id, mode), trace_id
