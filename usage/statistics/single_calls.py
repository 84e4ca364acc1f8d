"""Limits the cost of statistics that must count single calls: those by tag, channel, provider and outcome.

No rollup has these dimensions, so every call of the range has to be read.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from django.utils.translation import gettext as _

from config.formatting import plain
from usage.rollups.figures import Figures
from usage.rollups.query import OF_SINGLE_CALLS, Dimension, UsageQuery
from usage.rollups.reader import cells
from usage.rollups.statements import CALLS

# The most single calls that one query may count, which takes one to five seconds on two cores.
MOST_CALLS: Final = 500_000
# The most rows that its result may have; tags, for example, can have very many values.
MOST_ROWS: Final = 10_000


class TooMuchError(ValueError):
    """A query would count too many calls or return too many rows.

    The message is meant for users. `param` is the query parameter that they should change.
    """

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


def check_cost(query: UsageQuery, by: Sequence[Dimension]) -> None:
    """Raises TooMuchError if too many single calls would have to be counted.

    Reads their number from the rollups first. Queries that rollups can answer always pass.
    """
    if not {*by, *query.filtered} & OF_SINGLE_CALLS:
        return
    everything = replace(query, tags=(), channels=(), providers=(), outcomes=())
    found = cells(everything, [], [query.range], depths=(CALLS, CALLS))[0].get((), Figures())
    if found.calls > MOST_CALLS:
        message = _(
            "By tag, channel, provider and outcome %(most)s calls are counted at most, and these are %(calls)s: ask "
            "for a shorter time, or for some members, models or tokens."
        )
        raise TooMuchError("from", message % {"most": plain(MOST_CALLS), "calls": plain(found.calls)})


def check_rows(by: Sequence[Dimension], rows: int) -> None:
    """Raises TooMuchError if a result that is grouped by a dimension of single calls has too many rows."""
    if rows > MOST_ROWS and {*by} & OF_SINGLE_CALLS:
        message = _("That has %(rows)s rows, and %(most)s are answered at most: divide by less.")
        raise TooMuchError("group_by", message % {"rows": plain(rows), "most": plain(MOST_ROWS)})
