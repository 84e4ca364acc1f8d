"""Writes CSV files that people can open in a spreadsheet safely."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# Spreadsheets execute a cell as a formula if it begins with one of these. A leading apostrophe makes it text.
# East Asian versions also do so for full-width signs.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


class _Line:
    """A file-like object whose `write` returns the text, so that `csv.writer` returns each line."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Returns the header and the rows as lines of CSV, to be streamed. None becomes an empty cell."""
    writer = csv.writer(_Line())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def safe_cell(value: Any) -> Any:
    """Returns the value of a cell, with a leading apostrophe if a spreadsheet would execute it as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value
