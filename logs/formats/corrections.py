"""Corrects or removes invalid values of records in foreign formats, and notes that on the call.

Gateways and exporters do not resend a rejected record, so one invalid value should not lose the call. In
Callboard's own format an invalid value rejects the record, because its sender can react. A note contains the
sender's field name, the problem and the correction, but never the value, which may quote a prompt.
"""

import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from logs.formats.callboard import LABEL_CHARACTERS, LONGEST_MS, MAX_TAGS, MAX_TOKENS, MODEL_CHARACTERS, READERS
from logs.formats.readers import MAX_COST_USD, PLAIN_NUMBER, cost
from logs.formats.reported import InvalidRecordError

UNKNOWN_MODEL: Final = "unknown"
_HASH_CHARACTERS: Final = 8
_LONGEST_NUMBER: Final = 64

_PLAIN: Final = frozenset({int, float, Decimal})

Notes = list[str]


def note(field: str, problem: str, action: str) -> str:
    """Returns the text of a note about a corrected value.

    `problem` continues a sentence that begins with the field's name ("must be …"), or already begins with it.
    """
    whole = problem if problem.startswith(field) else f"{field} {problem}"
    return _("%(problem)s; %(action)s.") % {"problem": whole.rstrip("."), "action": action}


def read_number(value: object) -> Decimal | None:
    """Returns a finite number, given as a number or a string; None for anything else."""
    if isinstance(value, str):
        text = value.strip()
        return Decimal(text) if len(text) <= _LONGEST_NUMBER and PLAIN_NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def read_tokens(field: str, value: object, notes: Notes) -> int | None:
    """Returns a number of tokens; None if it is missing, not a number, negative or too large.

    A fraction is rounded. Every correction is added to `notes`.
    """
    if type(value) is int and 0 <= value <= MAX_TOKENS:
        return value
    if value is None or value == "":
        return None
    number = read_number(value)
    if number is None:
        notes.append(note(field, _("must be a whole number"), _("left out")))
    elif number < 0:
        notes.append(note(field, _("must not be negative"), _("left out")))
    elif number > MAX_TOKENS:
        notes.append(note(field, _("must be at most %d") % MAX_TOKENS, _("left out")))
    else:
        whole = round(number)
        if whole != number:
            notes.append(note(field, _("must be a whole number"), _("rounded to %d") % whole))
        return whole
    return None


def read_cost(field: str, value: object, notes: Notes) -> object:
    """Returns a cost in US dollars as it was written if it is valid in Callboard's own format; otherwise None."""
    if value is None or (type(value) in _PLAIN and 0 <= value <= MAX_COST_USD):  # type: ignore[operator]
        return value
    dollars = value.strip() if isinstance(value, str) else value
    if dollars == "":
        return None
    try:
        cost(field, dollars)
    except InvalidRecordError as error:
        notes.append(note(field, str(error), _("left out")))
        return None
    return dollars


def read_duration(field: str, value: object, notes: Notes, *, milliseconds: int = 1) -> int | None:
    """Converts a duration to whole milliseconds; None if it is missing, negative or longer than seven days.

    `milliseconds` is the length of the value's unit. `field` is named in the note about an invalid value; it
    may be the field of the time at which the duration ends.
    """
    if value is None or value == "":
        return None
    number = read_number(value)
    if number is None:
        problem = _("must be a number")
    elif number < 0:
        problem = _("must not be before the start")
    elif number > LONGEST_MS / milliseconds:
        problem = _("must be at most seven days after the start")
    else:
        return round(number * milliseconds)
    notes.append(note(field, problem, _("left out")))
    return None


def fitted(value: object, limit: int = LABEL_CHARACTERS) -> str | None:
    """Returns a string without NUL characters and invalid Unicode, cut to `limit` characters.

    None if the value is not a string, or if nothing is left.
    """
    if not isinstance(value, str):
        return None
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:limit].strip() or None


def corrected(record: Mapping[str, Any], names: Mapping[str, str]) -> tuple[dict[str, Any], Notes]:
    """Returns a copy of the record with replacements for invalid values, and the notes about them.

    Invalid are the values that `callboard` would reject. `names` maps our field names to the sender's. The id
    and the start time are not replaced, because a call cannot be recorded without them.
    """
    changed, notes = dict(record), Notes()
    for field, known in READERS.items():
        value = record.get(field, "" if field == "model" else None)
        if (value is None and field != "model") or field == "request_id":
            continue
        theirs = names.get(field, field)
        try:
            known.read(theirs, "" if value is None else value)
        except InvalidRecordError as error:
            changed[field], action = _REPLACEMENTS.get(field, _left_out)(value)
            notes.append(note(theirs, str(error), action))
    return changed, notes


def _left_out(_value: object) -> tuple[None, str]:
    return None, _("left out")


def _model(value: object) -> tuple[str, str]:
    """Returns a valid model name for an invalid one, and the words for the note.

    A missing model becomes "unknown". A long name is cut and gets a hash, so different long names stay
    different.
    """
    name = fitted(value, 1_000_000)
    if name is None:
        return UNKNOWN_MODEL, _("recorded as “%s”") % UNKNOWN_MODEL
    if len(name) <= MODEL_CHARACTERS:
        return name, _("corrected")
    kept = name[: MODEL_CHARACTERS - _HASH_CHARACTERS - 1]
    return f"{kept}#{hashlib.sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]}", _("shortened")


def _label(limit: int) -> Callable[[object], tuple[str | None, str]]:
    def cut(value: object) -> tuple[str | None, str]:
        label = fitted(value, limit)
        if label is None:
            return None, _("left out")
        return label, _("shortened") if len(str(value)) > limit else _("corrected")

    return cut


def _tags(value: object) -> tuple[list[str], str]:
    tags = [fitted(tag, LABEL_CHARACTERS) for tag in value] if isinstance(value, list) else []
    return [tag for tag in tags if tag][:MAX_TAGS], _("shortened")


_REPLACEMENTS: Final[Mapping[str, Callable[[object], tuple[Any, str]]]] = {
    "model": _model,
    "response_model": _label(256),
    "provider": _label(LABEL_CHARACTERS),
    "endpoint": _label(LABEL_CHARACTERS),
    "channel": _label(LABEL_CHARACTERS),
    "user_agent": _label(256),
    "session_id": _label(128),
    "tags": _tags,
}
