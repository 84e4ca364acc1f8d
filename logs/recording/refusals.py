"""Builds the HTTP error for a request whose records were all rejected."""

from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from teams.api import ApiError

# The codes of rejections because of the caller, each with its HTTP status; the last one present is used.
_IDENTITY: Final = {"invalid_token": 401, "out_of_scope": 403}


def refusal_of(answer: dict[str, Any]) -> ApiError | None:
    """Returns the HTTP error for a batch whose records were all rejected; None for any other batch.

    Senders log HTTP errors, but nobody reads a list of rejected records in a 200 response. `answer` is the dict
    that answers `POST /api/v1/calls`. The status is 401 or 403 if every record was rejected because of its
    caller, otherwise 400. `param` is that of the first record.
    """
    rejected: list[dict[str, Any]] = answer["rejected"]
    if not rejected or answer["accepted"] or answer["duplicates"]:
        return None
    code = _common_code([one["code"] for one in rejected])
    status = _IDENTITY.get(code, 400)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return ApiError(status, code, _sentence(rejected), param=rejected[0]["param"], headers=headers)


def _common_code(codes: Sequence[str]) -> str:
    """Returns the error code for a batch: the common code of all records, or "invalid_request".

    Different codes that all concern the caller give one of these.
    """
    found = set(codes)
    if found <= _IDENTITY.keys():
        return next(code for code in reversed(_IDENTITY) if code in found)
    return found.pop() if len(found) == 1 else "invalid_request"


def _sentence(rejected: Sequence[dict[str, Any]]) -> str:
    first = str(rejected[0]["message"])
    if len(rejected) == 1:
        return _("The record was rejected: %(reason)s") % {"reason": first}
    return _("All %(count)d records were rejected. The first: %(reason)s") % {
        "count": len(rejected),
        "reason": first,
    }
