"""The API endpoints for quota: make a reservation, roll it back, and show a key's context and quota."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from teams.api import ApiError, Credential, endpoint
from teams.credentials import RefusedKeyError
from teams.errors import ActionError
from teams.models import GatewayKey, Mode, Team, Token
from usage.prices.money import usd_string
from usage.quotas.actions.granting import Granted, Wanted
from usage.quotas.actions.reservations import InsufficientQuotaError, reserve_quota, roll_back_reservation
from usage.quotas.api_contexts import Context, context_of, context_of_token
from usage.quotas.api_forms import read_reservation
from usage.quotas.availability import Subject, levels_of, payer_of
from usage.quotas.levels import LevelState
from usage.quotas.models import Reservation


@endpoint("POST")
def make_reservation(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Handles POST /api/v1/reservations: reserves quota for a call."""
    now = timezone.now()
    asked = read_reservation(request)
    context = context_of(credential, asked.named, now)
    _check_model(context.token, asked.names.model)
    wanted = asked.wanted(context.team, now)
    granted = _reserve(context, wanted, now)
    return JsonResponse(_granted_json(granted, context, wanted, now), status=201)


def _check_model(token: Token | None, model: str) -> None:
    """Raises ApiError if the token is limited to certain models, and the model is none of them or not named."""
    if token is None or not token.models or model in token.models:
        return
    if not model:
        message = _("This token may only call certain models. Send the model.")
        raise ApiError(400, "invalid_request", message, param="model")
    message = _("This token may not call %(model)s.") % {"model": model}
    raise ApiError(403, "out_of_scope", message, param="model")


def _reserve(context: Context, wanted: Wanted, now: datetime) -> Granted:
    token_id = context.token.pk if context.token else None
    try:
        return reserve_quota(
            team=context.team, mode=context.mode, user=context.user, token_id=token_id, wanted=wanted, now=now
        )
    except InsufficientQuotaError as error:
        raise _insufficient(error) from error
    except RefusedKeyError as error:
        raise ApiError(401, "invalid_token", str(error)) from error
    except ActionError as error:
        raise ApiError(400, "invalid_request", str(error), param=error.field) from error


def _insufficient(error: InsufficientQuotaError) -> ApiError:
    return ApiError(429, "insufficient_quota", str(error), **_level_json(error.state))


@endpoint("DELETE")
def end_reservation(request: HttpRequest, credential: Credential, reservation_id: str) -> HttpResponse:
    """Handles DELETE /api/v1/reservations/{id}: rolls back a reservation. One that has ended stays unchanged."""
    reservation = Reservation.objects.filter(_in_scope(credential), pk=reservation_id).first()
    if reservation is None:
        raise ApiError(404, "not_found", _("No such reservation."))
    roll_back_reservation(reservation=reservation, now=timezone.now())
    return HttpResponse(status=204)


def _in_scope(credential: Credential) -> Q:
    """Returns the filter for the reservations that a key may roll back.

    A token may roll back those of its holder in its team and mode, a gateway key those of its team or, if it is
    for the whole site, all.
    """
    if isinstance(credential, Token):
        return Q(team=credential.team_id, mode=credential.mode, member=credential.user_id)
    return Q(team=credential.team_id) if credential.team_id else Q()


@endpoint("GET")
def show_context(request: HttpRequest, credential: Credential) -> HttpResponse:
    """Handles GET /api/v1/me: returns the team, mode, member and token of the key, and its quota levels."""
    now = timezone.now()
    if isinstance(credential, GatewayKey):
        return JsonResponse(_gateway_json(credential, now))
    context = context_of_token(credential)
    subject = Subject(context.team, payer_of(context.team), context.mode, context.user.pk, credential.pk)
    return JsonResponse(_context_json(context, levels_of(subject, now)))


# --- The JSON of the answers --------------------------------------------------------------------


def _granted_json(granted: Granted, context: Context, wanted: Wanted, now: datetime) -> dict[str, Any]:
    reservation = granted.reservation
    available = [state.available_nanos for state in granted.levels if state.available_nanos is not None]
    return {
        "id": reservation.pk,
        "amount_usd": usd_string(reservation.amount_nanos),
        "expires_at": _time(reservation.expires_at),
        "state": reservation.state(now),
        "unpriced": wanted.is_unpriced,
        "context": _context_json(context, granted.levels),
        "available_usd": _usd(min(available, default=None)),
    }


def _context_json(context: Context, levels: list[LevelState]) -> dict[str, Any]:
    return {
        "kind": "token" if context.token else "member",
        "mode": context.mode.word,
        "team": _team_json(context.team),
        "member": {"email": context.user.email, "role": context.role},
        "token": {"id": context.token.public_id, "name": context.token.name} if context.token else None,
        "quota": [_level_json(state) for state in levels],
    }


def _gateway_json(key: GatewayKey, now: datetime) -> dict[str, Any]:
    """Returns the answer for a gateway key.

    Such a key acts for many members, in both modes. So the answer has only the quota levels of the team and its
    owner's balance, in live mode; none for a key of the whole site.
    """
    team = key.team
    levels = levels_of(Subject(team, payer_of(team), Mode.LIVE), now) if team else []
    return {
        "kind": "gateway_key",
        "mode": None,
        "team": _team_json(team) if team else None,
        "member": None,
        "token": None,
        "quota": [_level_json(state) for state in levels],
    }


def _team_json(team: Team) -> dict[str, Any]:
    return {"slug": team.slug, "name": team.name, "personal": team.is_personal}


def _level_json(state: LevelState) -> dict[str, Any]:
    return {
        "level": state.level.name.lower(),
        "limit_usd": _usd(state.limit_nanos),
        "used_usd": usd_string(state.used_nanos),
        "reserved_usd": usd_string(state.reserved_nanos),
        "available_usd": _usd(state.available_nanos),
        "period": state.period.value,
        "resets_at": _time(state.resets_at) if state.resets_at else None,
    }


def _usd(nanos: int | None) -> str | None:
    return None if nanos is None else usd_string(nanos)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
