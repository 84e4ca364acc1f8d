"""The rows of a ranking: members, tokens or models with their names, figures, quotas and anomalies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from usage.anomalies.shown import Note, ShownAnomalies
from usage.parameters.names import NO_TOKEN, NamedToken, Person
from usage.quotas.availability import member_levels, token_levels
from usage.quotas.levels import LevelState
from usage.rollups.figures import Figures
from usage.rollups.query import Dimension, UsageQuery
from usage.statistics.overview import Ranked

NAMES = {
    Dimension.MEMBER: gettext_lazy("Member"),
    Dimension.TOKEN: gettext_lazy("Token"),
    Dimension.MODEL: gettext_lazy("Model"),
}
PLURALS = {
    Dimension.MEMBER: gettext_lazy("Members"),
    Dimension.TOKEN: gettext_lazy("API tokens"),
    Dimension.MODEL: gettext_lazy("Models"),
}


@dataclass(frozen=True)
class Row:
    """One row of a ranking: a member, a token or a model with its figures."""

    key: str  # the value of the filter: public id of a member or token, or name of a model
    name: str
    detail: str  # the holder of a token; "" for members and models
    ranked: Ranked
    person: Person | None = None
    by: Dimension = Dimension.MEMBER  # the filter that `key` is a value of
    quota: LevelState | None = None  # None: it was not read, or the row cannot have one
    note: Note | None = None  # the most important anomaly of this member, token or model

    @property
    def figures(self) -> Figures:
        return self.ranked.figures

    def matches(self, search: str) -> bool:
        """Whether the search text is in the row's name, the member's address or the token holder's name."""
        texts = [self.name, self.detail, self.person.email if self.person else ""]
        return any(search.casefold() in text.casefold() for text in texts)


def named_rows(
    by: Dimension,
    ranked: Iterable[Ranked],
    people: dict[int, Person],
    tokens: dict[int, NamedToken],
    anomalies: ShownAnomalies,
) -> list[Row]:
    """Returns a named row for each ranked member, token or model, in the same order.

    Each row has its most important anomaly, if there is one.
    """
    if by is Dimension.MEMBER:
        return member_rows(ranked, people, anomalies)
    notes = anomalies.about(by)
    if by is Dimension.TOKEN:
        rows = _token_rows(ranked, tokens)
    else:
        rows = [Row(row.key, row.key, "", row, by=Dimension.MODEL) for row in ranked]
    return [replace(row, note=notes[row.key]) if row.key in notes else row for row in rows]


def member_rows(ranked: Iterable[Ranked], people: dict[int, Person], anomalies: ShownAnomalies) -> list[Row]:
    """Returns a row for each ranked member, in the same order; those missing in `people` are left out."""
    notes = anomalies.about(Dimension.MEMBER)
    found = ((people[row.key], row) for row in ranked if row.key in people)
    return [
        Row(one.public_id, one.label, "", row, person=one, note=notes.get(one.public_id)) for one, row in found
    ]


def _token_rows(ranked: Iterable[Ranked], tokens: dict[int, NamedToken]) -> list[Row]:
    found = ((tokens.get(row.key), row) for row in ranked)
    return [
        Row(token.public_id, token.name, token.holder, row, by=Dimension.TOKEN)
        if token
        else Row(
            NO_TOKEN, _("Without a token"), _("reported by gateways without a token"), row, by=Dimension.TOKEN
        )
        for token, row in found
    ]


def with_quotas(query: UsageQuery, rows: Sequence[Row], by: Dimension, now: datetime) -> list[Row]:
    """Returns the rows with the quotas of current members or of tokens; at most one SQL statement.

    Models have no quotas.
    """
    if by is Dimension.MODEL:
        return list(rows)
    if by is Dimension.MEMBER:
        ids = [row.ranked.key for row in rows if row.person and not row.person.is_former]
        levels = member_levels(query.team, query.mode, ids, now) if ids else {}
    else:
        ids = [row.ranked.key for row in rows if row.ranked.key]
        levels = token_levels(query.team, query.mode, ids, now) if ids else {}
    return [replace(row, quota=levels.get(row.ranked.key)) for row in rows]
