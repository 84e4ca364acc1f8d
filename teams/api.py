"""Base of the endpoints of the HTTP API: authentication, allowed methods, and errors as in OpenAI's API."""

import base64
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import unquote

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import TooManyFieldsSent
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from teams.credentials import RefusedKeyError, find_credential
from teams.models import GatewayKey, Token

logger = logging.getLogger(__name__)
P = ParamSpec("P")
Credential = Token | GatewayKey

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class ApiError(Exception):
    """An error with which an endpoint answers a request.

    `status` is the HTTP status, `code` the word that identifies the error in the body, and `param` the field it
    is about. `headers` are added to the response, `extra` to the error object in the body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param
        self.headers, self.extra = headers or {}, extra


def error_json(error: ApiError) -> dict[str, Any]:
    """Returns an error as the JSON body of a response, in the format of OpenAI's API."""
    kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    if error.code == "insufficient_quota":
        kind = error.code
    body = {"message": str(error), "type": kind, "code": error.code, "param": error.param, **error.extra}
    return {"error": body}


def error_response(error: ApiError) -> JsonResponse:
    """Returns an error as a JSON response, in the format of OpenAI's API."""
    return JsonResponse(error_json(error), status=error.status, headers=error.headers)


def unavailable() -> ApiError:
    """Returns the error for a database that cannot store anything now (503).

    The sender may repeat the request.
    """
    message = _("The database is busy or unavailable; nothing was stored. Try again.")
    return ApiError(503, "unavailable", message, headers={"Retry-After": "5"})


def credential_of(request: HttpRequest) -> Credential:
    """Returns the token or gateway key that a request sends.

    Raises ApiError with status 401 if the request sends no key, or one that is unknown or no longer works.
    """
    secret = _secret_of(request.headers.get("Authorization", ""))
    if not secret:
        message = _("Send a key in the header `Authorization: Bearer cb_live_…`.")
        raise ApiError(401, "missing_key", message, headers={"WWW-Authenticate": "Bearer"})
    try:
        return find_credential(secret, timezone.now())
    except RefusedKeyError as error:
        raise ApiError(401, "invalid_token", str(error), headers={"WWW-Authenticate": "Bearer"}) from error


def _secret_of(header: str) -> str:
    """Returns the secret in an `Authorization` header, or "" if there is none.

    The secret is the key in `Bearer <key>` or the password in `Basic <base64 of user:password>`. Basic is for
    senders that know keys only as a pair of public and secret part. The header may be percent-encoded
    ("Bearer%20…"), because exporters that read headers from the environment leave it so.
    """
    if "%" in header:
        header = unquote(header)
    scheme, _space, value = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        name_and_password = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError:  # of b64decode or decode
        return ""
    return name_and_password.partition(":")[2].strip()


def endpoint(
    *methods: str,
    on_refusal: Callable[[Credential, ApiError], None] | None = None,
) -> Callable[
    [Callable[Concatenate[HttpRequest, Credential, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Returns the decorator of an endpoint. It checks the method and the key, and answers errors as JSON.

    `methods` are allowed, and HEAD if GET is. The view gets the request and the credential: the token or
    gateway key. `on_refusal` is called with the credential and each ApiError that a request with a known key is
    answered, even if the key no longer works. CSRF protection is not needed, because browsers never send the
    header with the key by themselves.
    """

    allowed = [one for method in methods for one in (["GET", "HEAD"] if method == "GET" else [method])]

    def decorate(
        view: Callable[Concatenate[HttpRequest, Credential, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @csrf_exempt
        @login_not_required
        @functools.wraps(view)
        def answer(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            credential: Credential | None = None
            try:
                if request.method not in allowed:
                    raise _method_not_allowed(allowed)
                credential = credential_of(request)
                return view(request, credential, *args, **kwargs)
            except ApiError as error:
                key = credential or _refused_key(error)
                if key is not None and on_refusal is not None:
                    on_refusal(key, error)
                return error_response(error)
            except TooManyFieldsSent:
                message = _("The URL has too many parameters.")
                return error_response(ApiError(400, "invalid_request", message))
            except OperationalError:
                logger.exception("The database refused %s", request.path)
                return error_response(unavailable())

        return cast("Callable[Concatenate[HttpRequest, P], HttpResponseBase]", answer)

    return decorate


def _refused_key(error: ApiError) -> Credential | None:
    """Returns the token or gateway key that was refused with `error`; None if it is about something else."""
    return error.__cause__.credential if isinstance(error.__cause__, RefusedKeyError) else None


def _method_not_allowed(methods: Sequence[str]) -> ApiError:
    message = _("This endpoint only allows %(methods)s.") % {"methods": " or ".join(methods)}
    return ApiError(405, "method_not_allowed", message, headers={"Allow": ", ".join(methods)})


@csrf_exempt
@login_not_required
def not_found(request: HttpRequest) -> HttpResponse:
    """Answers 404 as JSON for URLs below the API that do not exist."""
    return error_response(
        ApiError(404, "not_found", _("This endpoint does not exist. See /api/v1/openapi.json."))
    )
