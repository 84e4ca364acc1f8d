"""Builds GET /api/v1/openapi.json: the HTTP API in OpenAPI 3.1, for people and client generators."""

from typing import Any

from logs.formats import CALLBOARD, FORMATS
from logs.formats.callboard import call_schema
from logs.search.filters import call_parameters
from usage.rollups.models import Outcome
from usage.rollups.query import Dimension
from usage.statistics.single_calls import MOST_CALLS, MOST_ROWS

Schema = dict[str, Any]

_TIME = {"type": "string", "format": "date-time"}
_COUNT = {"type": "integer", "minimum": 0}
_USD = {
    "type": "string",
    "pattern": r"^\d+\.\d{2,9}$",
    "description": "US dollars, exact",
    "examples": ["0.00045"],
}
_NAME = {"type": "string", "maxLength": 64}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: dict[str, Schema], required: list[str] | None = None, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required or [], **more}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": _json(schema)}


def _query(name: str, description: str, **schema: Any) -> Schema:
    return {
        "name": name,
        "in": "query",
        "description": description,
        "schema": {"type": "string", **schema},
    }


_ERRORS = {
    "400": {"$ref": "#/components/responses/Error"},
    "401": {"$ref": "#/components/responses/Error"},
    "403": {"$ref": "#/components/responses/Error"},
    "429": {"$ref": "#/components/responses/Error"},
    "503": {"$ref": "#/components/responses/Error"},
}
# The fields by which a price is looked up, in addition to the model.
_PRICED_BY: Schema = {
    "provider": _NAME,
    "response_model": {
        "type": "string",
        "maxLength": 256,
        "description": "the model that answered, by which the call is priced",
    },
    "service_tier": {"enum": ["default", "flex", "priority", "batch"]},
}
_REPORTED = _object(
    {
        "accepted": _COUNT,
        "duplicates": _COUNT,
        "ignored": {**_COUNT, "description": "records about no call to a model; absent without any"},
        "rejected": {
            "type": "array",
            "items": _object(
                {
                    "index": _COUNT,
                    "request_id": {"type": ["string", "null"]},
                    "code": {"type": "string"},
                    "param": {"type": ["string", "null"]},
                    "message": {"type": "string"},
                }
            ),
        },
    },
    ["accepted", "duplicates", "rejected"],
)
_ERROR = _object(
    {
        "error": _object(
            {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "code": {"type": "string"},
                "param": {"type": ["string", "null"]},
            },
            ["message", "type", "code", "param"],
            additionalProperties=True,
        )
    },
    ["error"],
)
_LEVEL = _object(
    {
        "level": {"enum": ["token", "member", "team", "owner"]},
        "limit_usd": _or_null(_USD),
        "used_usd": _USD,
        "reserved_usd": _USD,
        "available_usd": _or_null(_USD),
        "period": {"enum": ["none", "day", "week", "month"]},
        "resets_at": _or_null(_TIME),
    }
)
_CONTEXT = _object(
    {
        "kind": {"enum": ["token", "gateway_key"]},
        "mode": {"enum": ["live", "test"]},
        "team": _object(
            {"slug": {"type": "string"}, "name": {"type": "string"}, "personal": {"type": "boolean"}}
        ),
        "member": _or_null(_object({"email": {"type": "string"}, "role": {"type": "string"}})),
        "token": _or_null(
            _object({"id": {"type": "string", "description": "tok_…"}, "name": {"type": "string"}})
        ),
        "quota": {"type": "array", "items": _ref("QuotaLevel")},
    }
)
_WANTED = _object(
    {
        "model": {"type": "string"},
        **_PRICED_BY,
        "input_tokens": _COUNT,
        "max_output_tokens": _COUNT,
        "amount_usd": {"type": ["string", "number"]},
        "request_id": {"type": "string", "maxLength": 128},
        "ttl_seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 600},
        "token": {"type": "string"},
        "team": {"type": "string"},
        "member": {"type": "string"},
    }
)
_RESERVATION = _object(
    {
        "id": {"type": "string"},
        "amount_usd": _USD,
        "expires_at": _TIME,
        "context": _ref("Context"),
        "available_usd": _or_null(_USD),
    }
)
_MILLISECONDS = _object({name: {"type": ["number", "null"]} for name in ("avg", "p50", "p95", "p99")})
_COUNTED = (
    "calls",
    "succeeded",
    "client_errors",
    "throttled",
    "server_errors",
    "input_tokens",
    "output_tokens",
)
_FIGURES: Schema = {
    **dict.fromkeys((*_COUNTED, "cached_tokens"), _COUNT),
    "success_rate": {"type": ["number", "null"], "description": "0 to 1; null without calls"},
    "cost_usd": _USD,
    "latency_ms": _MILLISECONDS,
}
_NAMES: dict[str, Schema] = {dimension.value: {"type": ["string", "null"]} for dimension in Dimension}
_USAGE = _object(
    {"rows": {"type": "array", "items": _object({**_NAMES, **_FIGURES})}, "totals": _object(_FIGURES)}
)
_EPISODE = _object(
    {
        "id": {"type": "string"},
        "kind": {"enum": ["calls", "tokens", "cost", "errors", "latency", "member"]},
        "kinds": {"type": "array", "items": {"type": "string"}, "description": "of the same incident"},
        "from": _TIME,
        "to": _TIME,
        "score": {"type": "number", "description": "1 is an alarm"},
        "importance": {"type": "number"},
        "member": {"type": ["string", "null"], "description": "public id, of the kind member"},
        "sentence": {"type": "string"},
        "drivers": {
            "type": "array",
            "items": _object(
                {
                    "dimension": {"enum": ["member", "token", "model", "outcome"]},
                    "key": {"type": "string"},
                    "name": {"type": "string"},
                    "share": {"type": "number", "description": "of the whole excess, 0 to 1"},
                }
            ),
        },
        "spread_over": {"type": "array", "items": {"type": "string"}},
        "url": {"type": "string", "description": "the calls of the episode"},
        "expected": _or_null(_object({"reason": {"type": "string"}, "marked_at": _TIME})),
    }
)
_UNUSUAL = _object(
    {
        "from": _TIME,
        "to": _TIME,
        "time_zone": {"type": "string"},
        "learning_until": _or_null(_TIME),
        "episodes": {"type": "array", "items": _ref("Episode")},
    }
)
_FILTERS = [
    _query("from", "start of the range; a time with an offset, or a date of the team's calendar"),
    _query("to", "end of the range, not included"),
    _query("team", "slug; needed with a site's gateway key"),
    _query("member", "address or public id; repeatable"),
    _query("model", "the whole name, which may have commas; repeatable"),
    _query("token", "public id, or none for calls without one; repeatable"),
    _query("mode", "live or test", enum=["live", "test"]),
]


_SINGLE_CALL_FILTERS = [
    _query("tag", "calls with any of these tags; repeatable"),
    _query("channel", "repeatable"),
    _query("provider", "repeatable"),
    _query("outcome", "repeatable", enum=[outcome.word for outcome in Outcome]),
]


def _reports() -> Schema:
    """Returns the OpenAPI paths to which calls are reported.

    OTLP is left out, because OpenTelemetry documents it.
    """
    return {
        f"/{form.path}": {
            "post": {
                "summary": form.summary,
                "requestBody": {
                    "required": True,
                    "content": {kind: {"schema": schema} for kind, schema in form.bodies.items()},
                },
                "responses": {"200": _answer("Each record's fate", _ref("Received")), **_ERRORS},
            }
        }
        for form in FORMATS.values()
        if form.path.startswith("api/v1/")
    }


def _paths() -> Schema:
    reports = _reports()
    reports[f"/{CALLBOARD.path}"]["get"] = {
        "summary": "Read the logs, newest first; JSON, NDJSON or CSV by Accept",
        "description": (
            "Takes every filter of the logs page by the same name. While `next` is not null there may be more, "
            "even after a page without calls. Beside NDJSON and CSV it is in the header Callboard-Next."
        ),
        "parameters": [
            *(one for one in _FILTERS if one["name"] in {"from", "to", "team", "mode"}),
            *(_query(one.name, one.about, **one.schema) for one in call_parameters()),
            _query(
                "sort", "the order", enum=["newest", "oldest", "latency", "tokens", "cost"], default="newest"
            ),
            _query("cursor", "the `next` of the page before"),
            _query("limit", "calls on a page, at most 1,000", default="100"),
        ],
        "responses": {"200": {"description": "A page of calls"}, **_ERRORS},
    }
    return {
        **reports,
        "/api/v1/me": {
            "get": {
                "summary": "The context of this key",
                "responses": {"200": _answer("The context", _ref("Context")), **_ERRORS},
            }
        },
        "/api/v1/usage": {
            "get": {
                "summary": "Statistics; JSON, or CSV by Accept",
                "description": (
                    "By tag, channel, provider and outcome single calls are counted: of the time for which they are "
                    f"kept, and {MOST_CALLS:,} at most, which the other filters leave; with {MOST_ROWS:,} rows at "
                    "most. A call with several tags is in the row of each, and once in the totals. Rows have these "
                    "four only if they are divided by them."
                ),
                "parameters": [
                    *_FILTERS,
                    *_SINGLE_CALL_FILTERS,
                    _query("group_by", f"any of {', '.join(Dimension)}, with commas", default="time"),
                    _query("granularity", "step of time", enum=["hour", "day", "week", "month"]),
                ],
                "responses": {"200": _answer("Rows and their total apart", _ref("Usage")), **_ERRORS},
            }
        },
        "/api/v1/unusual": {
            "get": {
                "summary": "Unusual episodes, most important first",
                "parameters": [one for one in _FILTERS if one["name"] not in {"model", "token"}],
                "responses": {"200": _answer("Episodes with what drove them", _ref("Unusual")), **_ERRORS},
            }
        },
        "/api/v1/reservations": {
            "post": {
                "summary": "Reserve quota before a call",
                "requestBody": {"required": True, "content": _json(_ref("Wanted"))},
                "responses": {"201": _answer("Reserved", _ref("Reservation")), **_ERRORS},
            }
        },
        "/api/v1/reservations/{id}": {
            "delete": {
                "summary": "Roll a reservation back",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": "Rolled back, also the second time"}, **_ERRORS},
            }
        },
    }


def document(base_url: str) -> Schema:
    """Returns the complete OpenAPI document; `base_url` is the URL of this site."""
    schemas = {
        "Call": call_schema(),
        "Received": _REPORTED,
        "Error": _ERROR,
        "QuotaLevel": _LEVEL,
        "Context": _CONTEXT,
        "Wanted": _WANTED,
        "Reservation": _RESERVATION,
        "Usage": _USAGE,
        "Episode": _EPISODE,
        "Unusual": _UNUSUAL,
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Callboard",
            "version": "1",
            "description": "Report finished calls, reserve quota, read usage. Money is exact decimal strings.",
        },
        "servers": [{"url": base_url}],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "schemas": schemas,
            "responses": {"Error": _answer("An error in OpenAI's shape", _ref("Error"))},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }
