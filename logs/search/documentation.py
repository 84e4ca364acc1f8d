"""Writes the documentation page about the filters of the logs, from their declarations."""

from pathlib import Path

from django.conf import settings
from django.utils.translation import override

from logs.search.filter_types import CallFilter
from logs.search.filters import CallFilterSet

PAGE = Path(settings.BASE_DIR) / "docs" / "filters.md"
_HEAD = """# Filters of the logs

The parameters of `/t/<team>/logs/` and of `GET /api/v1/calls`. `python manage.py write_docs` writes this page from the
declarations in `logs/search/filters.py`. Conditions of a filter without an index are checked call by call.

| filter | parameter | value | index |
|---|---|---|---|
"""


def page_of_filters() -> str:
    """Returns the page as Markdown, in English."""
    with override("en"):
        return _HEAD + "".join(_row(one) for one in CallFilterSet.base_filters.values())


def _row(one: CallFilter) -> str:
    names = ", ".join(f"`{parameter.name}`" for parameter in one.parameters())
    values = "; ".join(parameter.about for parameter in one.parameters())
    indexes = ", ".join(f"`{index}`" for index in sorted(one.indexes)) or "–"
    return f"| {one.label} | {names} | {values} | {indexes} |\n"
