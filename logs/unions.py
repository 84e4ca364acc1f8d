"""Several branches of calls in one statement: the first of all, how many, their sums.

Django's own union takes no ordered or limited parts on SQLite.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, QuerySet

Key = tuple[Any, ...]
Branches = Sequence[QuerySet[Any, Any]]


def keys_of(
    branches: Branches,
    columns: Sequence[str],
    *,
    descends: bool,
    limit: int,
    offset: int = 0,
    in_order: bool = True,
) -> list[Key]:
    """The first keys of all branches together: `columns`, of which the last is the id.

    `in_order`: each branch is walked in this order until there are enough; else all of it is found and sorted.
    """
    way = "DESC" if descends else "ASC"
    order = ", ".join(f"c{n} {way}" for n in range(len(columns)))
    if in_order:
        branches = [_first(branch, columns, descends, offset + limit) for branch in branches]
    outer = f"SELECT * FROM u ORDER BY {order} LIMIT {limit} OFFSET {offset}"
    return [(*row[:-1], _uuid(row[-1])) for row in _select(outer, branches, columns, fenced=not in_order)]


def count_up_to(branches: Branches, order: Sequence[str], most: int) -> int:
    """How many calls the branches have, counted no further than `most`, along the index of that order."""
    limited = [_first(branch, order, True, most) for branch in branches]
    rows = _select(f"SELECT count(*) FROM (SELECT 1 FROM u LIMIT {most}) n", limited, ["id"])
    return int(rows[0][0]) if rows else 0


def sums_of(branches: Branches, columns: Sequence[str]) -> list[int]:
    """The number of calls, and the sums of integer columns."""
    sums = ", ".join(f"COALESCE(sum(c{n}), 0)" for n in range(len(columns)))
    rows = _select(f"SELECT count(*), {sums} FROM u", branches, columns)
    return [int(value) for value in rows[0]] if rows else [0] * (len(columns) + 1)


def _first(
    branch: QuerySet[Any, Any], columns: Sequence[str], descends: bool, limit: int
) -> QuerySet[Any, Any]:
    """The first calls of a branch. The order in each branch is what makes PostgreSQL walk the index."""
    order = [F(name).desc() if descends else F(name).asc() for name in columns]
    return branch.order_by(*order)[:limit]


def _select(
    outer: str, branches: Branches, columns: Sequence[str], *, fenced: bool = False
) -> list[tuple[Any, ...]]:
    """Runs `outer` over `u(c0, c1, …)`, the columns of all branches; [] when no branch can have calls."""
    fence = "" if not fenced else "OFFSET 0" if connection.vendor == "postgresql" else "LIMIT -1"
    parts: list[str] = []
    parameters: list[Any] = []
    for branch in branches:
        try:
            sql, values = branch.values_list(*columns).query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT * FROM ({sql} {fence}) b")
        parameters += values
    if not parts:
        return []
    names = ", ".join(f"c{n}" for n in range(len(columns)))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH u({names}) AS ({' UNION ALL '.join(parts)}) {outer}", parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _uuid(value: Any) -> UUID:
    """SQLite answers ids as text, as it keeps them."""
    return value if isinstance(value, UUID) else UUID(hex=value)
