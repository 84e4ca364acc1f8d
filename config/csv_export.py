"""CSV export that spreadsheets can open safely."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# Spreadsheets execute a cell that begins with one of these as a formula; a leading apostrophe makes it text.
# Full-width signs are treated like the others by East Asian versions.
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


class _Line:
    """A file-like object whose `write` returns the text, so that `csv.writer` returns each line."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Returns header and rows as lines of CSV, for streaming; None is an empty cell."""
    writer = csv.writer(_Line())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


def safe_cell(value: Any) -> Any:
    """Returns the value; text that a spreadsheet would execute as a formula gets a leading apostrophe."""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value
