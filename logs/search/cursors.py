"""Writes and reads cursors: signed, opaque texts in URLs, each a position in a list. A cursor is only valid for
the filters it was made for.
"""

from uuid import UUID

from django.core import signing

from logs.search.query import Position, Sort

_signer = signing.Signer(salt="callboard.logs.cursor")


class CursorError(Exception):
    """Raised if a cursor was not signed by this site, or (`is_foreign`) if it was made for other filters."""

    def __init__(self, *, is_foreign: bool) -> None:
        super().__init__()
        self.is_foreign = is_foreign


def write_cursor(place: Position | None, fingerprint: str) -> str:
    """Returns the cursor of a position, or "" for None. `fingerprint` identifies the filters."""
    if place is None:
        return ""
    *values, call_id = place.key
    return _signer.sign_object([fingerprint, int(place.back), *values, call_id.hex])


def read_cursor(text: str, fingerprint: str, sort: Sort) -> Position:
    """Returns the position that a cursor stands for. Raises CursorError."""
    try:
        found = _signer.unsign_object(text)
    except (signing.BadSignature, ValueError, UnicodeError) as error:
        raise CursorError(is_foreign=False) from error
    made_for, back, *values, call_id = found
    if made_for != fingerprint or len(values) + 1 != len(sort.keys):
        raise CursorError(is_foreign=True)
    return Position((*values, UUID(hex=call_id)), back=bool(back))
