"""Builds the activity of a team or an account, as the pages and the CSV export show it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from config.csv_export import csv_lines
from teams.activity_texts import CALLS_PATH, SENTENCES
from teams.models import Activity, Team, User

PAGE = 50
MOST_EXPORTED = 100_000


@dataclass(frozen=True)
class Change:
    """The values of one field before and after a change, as text; "" where the field had no value."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class ActivityLine:
    """A row of the activity, with the texts that the page shows."""

    row: Activity

    @property
    def words(self) -> str:
        """The sentence that describes the row, or `Activity.kind` if no sentence is defined for it."""
        row = self.row
        words = {
            "actor": row.actor.label if row.actor else _("The site"),
            "person": row.person.label if row.person else row.subject,
            "subject": row.subject,
        }
        unknown = "%(actor)s: " + row.kind.replace("%", "%%") + " %(subject)s"
        return str(SENTENCES.get(row.kind, unknown)) % words

    @property
    def changes(self) -> list[Change]:
        """The fields that were changed, with their values before and after."""
        before, after = self.row.before, self.row.after
        return [
            Change(name.replace("_", " "), _text(before.get(name)), _text(after.get(name)))
            for name in dict.fromkeys([*before, *after])
            if name != CALLS_PATH
        ]

    @property
    def calls_path(self) -> str:
        """The URL path of the page with the calls that the row is about, or "" if there is none."""
        return str(self.row.after.get(CALLS_PATH) or self.row.before.get(CALLS_PATH) or "")


@dataclass(frozen=True)
class ActivityPage:
    """One page of the activity, newest first.

    The next page has rows with ids below `older`; None on the last page.
    """

    lines: list[ActivityLine]
    older: int | None


def activity_page(rows: QuerySet[Activity], before: int | None = None) -> ActivityPage:
    """Returns one page of the rows, newest first.

    If `before` is given, the page has only rows with lower ids.
    """
    found = rows.select_related("actor", "person").order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    shown = list(found[: PAGE + 1])
    lines = [ActivityLine(row) for row in shown[:PAGE]]
    return ActivityPage(lines, shown[PAGE - 1].pk if len(shown) > PAGE else None)


def team_activity(team: Team, kind: str) -> QuerySet[Activity]:
    """Returns the rows of a team about one kind of thing, such as `quota`.

    The kind of thing is the part of `Activity.kind` before the dot.
    """
    return Activity.objects.filter(team=team, kind__startswith=f"{kind}.")


def account_activity(user: User) -> QuerySet[Activity]:
    """Returns the rows about changes of an account by its user or by site staff. They belong to no team."""
    return Activity.objects.filter(team=None, person=user)


def activity_csv(rows: QuerySet[Activity]) -> Iterator[str]:
    """Returns the lines of a CSV file with the newest rows, at most MOST_EXPORTED, with times in UTC."""
    header = ["at", "actor", "kind", "person", "subject", "before", "after", "address"]
    newest = rows.select_related("actor", "person").order_by("-pk")[:MOST_EXPORTED]
    return csv_lines(header, (_cells(row) for row in newest.iterator(chunk_size=2000)))


def _cells(row: Activity) -> list[str]:
    return [
        row.at.isoformat(),
        row.actor.email if row.actor else "",
        row.kind,
        row.person.email if row.person else "",
        row.subject,
        json.dumps(row.before, ensure_ascii=False),
        json.dumps(row.after, ensure_ascii=False),
        row.ip or "",
    ]


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
