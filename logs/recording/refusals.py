"""The error that a request is answered with when all of its records were rejected."""

from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from teams.api import ApiError

# The codes of rejections that are about who called, each with its HTTP status, the most telling last.
_IDENTITY: Final = {"invalid_token": 401, "out_of_scope": 403}


def refusal_of(answer: dict[str, Any]) -> ApiError | None:
    """The error of a batch of which nothing was taken; None if some was, or if it was empty.

    Senders log an error of HTTP, while a list of rejected records in an answer of 200 is read by nobody. `answer` is
    the one of API `POST /api/v1/calls`. The error has the status 401 or 403 if who called was the reason for every
    record, otherwise 400, and `param` of the first.
    """
    rejected: list[dict[str, Any]] = answer["rejected"]
    if not rejected or answer["accepted"] or answer["duplicates"]:
        return None
    code = _common_code([one["code"] for one in rejected])
    status = _IDENTITY.get(code, 400)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return ApiError(status, code, _sentence(rejected), param=rejected[0]["param"], headers=headers)


def _common_code(codes: Sequence[str]) -> str:
    """The code that stands for all: of identity only if each is."""
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
