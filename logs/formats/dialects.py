"""The dialects of OpenTelemetry traces: which attributes contain which field, and which spans are model calls.

OpenTelemetry's GenAI conventions have renamed attributes over time, and instrumentations add their own.
`ATTRIBUTES` lists for each field of a call its possible attributes, the preferred one first;
`logs.formats.genai` reads no others. To support another dialect, add its attributes to `ATTRIBUTES`, and a rule
to `is_call` if it marks model calls in its own way.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from logs.formats.usage import json_object

Attributes = Mapping[str, Any]

# LiteLLM, the conventions (new and old names), Langfuse, OpenInference.
_REQUEST_MODEL: Final = (
    "litellm.model_group",
    "gen_ai.request.model",
    "langfuse.observation.model.name",
    "llm.request.model_name",
    "llm.model_name",
    "embedding.model_name",
)
_RESPONSE_MODEL: Final = ("gen_ai.response.model", "llm.response.model_name", "llm.model_name")

ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "model": (*_REQUEST_MODEL, *_RESPONSE_MODEL),
    "parameters": ("llm.invocation_parameters",),  # OpenInference: JSON that has the model where a call failed
    "response_model": _RESPONSE_MODEL,
    "provider_model": ("litellm.provider.model",),  # LiteLLM: the deployment's model behind its provider
    "response_id": ("gen_ai.response.id",),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "operation": ("gen_ai.operation.name", "llm.request.type"),
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ),
    "cached_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",  # OpenLLMetry
        "gen_ai.usage.details.cache_read_tokens",  # pydantic-ai
        "gen_ai.usage.cache_read_tokens",
        "gen_ai.usage.input_cached_tokens",
        "gen_ai.usage.cached_tokens",
        "gen_ai.usage.input_tokens.cached",  # Sentry
        "ai.usage.cachedInputTokens",  # Vercel's AI SDK
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",  # Anthropic's SDK
        "gen_ai.usage.cache_creation_input_tokens",  # OpenLLMetry
        "gen_ai.usage.details.cache_write_tokens",  # pydantic-ai
        "gen_ai.usage.cache_write_tokens",
        "gen_ai.usage.cache_creation_tokens",
        "gen_ai.usage.input_tokens.cache_write",  # Sentry
        "llm.token_count.prompt_details.cache_write",
    ),
    "cache_write_1h_tokens": (
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.ephemeral_1h_input_tokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",  # pydantic-ai
        "gen_ai.usage.output_tokens.reasoning",  # Sentry
        "ai.usage.reasoningTokens",  # Vercel's AI SDK
        "llm.token_count.completion_details.reasoning",
        "llm.usage.reasoning_tokens",
    ),
    "input_audio_tokens": (
        "gen_ai.usage.audio.input_tokens",
        "gen_ai.usage.details.input_audio_tokens",
        "llm.token_count.prompt_details.audio",
    ),
    "output_audio_tokens": (
        "gen_ai.usage.audio.output_tokens",
        "gen_ai.usage.details.output_audio_tokens",
        "llm.token_count.completion_details.audio",
    ),
    "usage_details": ("langfuse.observation.usage_details",),  # JSON of the tokens by kind
    "usage_object": ("metadata.usage_object",),  # LiteLLM's, of its provider
    "cost_usd": (
        "gen_ai.usage.cost",
        "gen_ai.usage.total_cost",  # OpenRouter
        "gen_ai.cost.total_cost",  # LiteLLM
        "operation.cost",  # pydantic-ai
        "llm.cost.total",
    ),
    "cost_details": ("langfuse.observation.cost_details",),  # JSON of the dollars by kind
    "service_tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "anthropic.response.service_tier",
        "gen_ai.response.service_tier",
        "openai.request.service_tier",
        "gen_ai.openai.request.service_tier",
        "anthropic.request.service_tier",
        "gen_ai.request.service_tier",
    ),
    "stream": ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming"),
    "seconds_to_first_chunk": (
        "gen_ai.response.time_to_first_chunk",
        "gen_ai.client.operation.time_to_first_chunk",  # pydantic-ai
    ),
    "milliseconds_to_first_chunk": ("ai.response.msToFirstChunk",),
    "first_chunk_at": ("langfuse.observation.completion_start_time",),
    "token": ("callboard.token",),
    "gateway_token": ("metadata.user_api_key_hash", "metadata.user_api_key_alias"),  # LiteLLM
    "gateway_metadata": ("metadata.user_api_key_auth_metadata",),
    "hidden_params": ("hidden_params",),  # LiteLLM: JSON of what it knows of the deployment
    "litellm_call_id": ("litellm.call_id",),
    "team": ("callboard.team",),
    "member": (
        "callboard.member",
        "user.email",
        "user.id",
        "enduser.id",
        "metadata.user_api_key_user_email",  # LiteLLM
        "langfuse.user.id",
    ),
    "user_id": ("user.id", "enduser.id"),
    "session_id": ("session.id", "gen_ai.conversation.id", "langfuse.session.id"),
    "channel": ("server.address",),
    "ip": ("client.address",),
    "user_agent": ("user_agent.original",),
    "service": ("service.name",),
    "error_type": ("error.type", "exception.type"),
    "error_code": ("error.code",),  # LiteLLM
    "error_message": ("error.message", "exception.message", "langfuse.observation.status_message"),
    "level": ("langfuse.observation.level",),
    "http_status": ("http.response.status_code",),
}
# Attributes with the kind of a span, and the kinds that are model calls.
_IS_CALL: Final[Mapping[str, frozenset[str]]] = {
    "openinference.span.kind": frozenset({"llm", "embedding"}),
    "langfuse.observation.type": frozenset({"generation", "embedding"}),
}
# Attributes of OpenLLMetry, LangSmith and LoongSuite with a span's kind. Only the kinds below are evaluated.
_IS_NO_CALL: Final = ("traceloop.span.kind", "langsmith.span.kind", "gen_ai.span.kind")
_NO_CALL_KINDS: Final = frozenset(
    {"agent", "chain", "entry", "parser", "prompt", "reranker", "retriever", "step", "task", "tool", "workflow"}
)
# Every attribute that is read. All others, including those with message content, are ignored.
READ: Final = frozenset(
    {*(name for names in ATTRIBUTES.values() for name in names), *_IS_CALL, *_IS_NO_CALL, "gen_ai.agent.name"}
)
# OpenLLMetry's span event for a part of the answer; the first one is the time of the first token.
FIRST_CHUNK_EVENT: Final = "gen_ai.content.completion.chunk"

# Operations are made of words: "invoke_agent", "agent_step", "execute_tool", "alist_input_items". With one of
# these a span covers several calls or none. Its tokens are sums of other spans, which are counted themselves.
_NO_CALL_WORDS: Final = frozenset(
    {
        *("agent", "agents", "assistant", "assistants", "chain", "step", "task", "workflow", "goto", "handoff"),
        *("plan", "planning", "tool", "tools", "memory", "guardrail", "evaluate", "evaluation", "evaluator"),
        *("retrieval", "retriever", "ingest"),
        # Management of stored objects. Retrieving a stored response repeats the tokens of its call.
        *("get", "list", "retrieve", "delete", "cancel", "update", "upload", "count"),
        *("batch", "container", "containers", "file", "files", "job", "jobs", "sandbox", "skill", "store"),
    }
)
_CREATED: Final = frozenset({"thread", "session", "sessions"})
_LONGEST_OPERATION: Final = 64
_WORD: Final = re.compile(r"[a-z]+")
# Names of spans around Anthropic's SDK that have a model but no operation, and are not model calls.
_MANAGES: Final = re.compile(r"(?:[a-z_]+\.)+(?:count_tokens|sessions\.create)")
# Operations of the conventions that call a model. Only with one of these can a call lack the model's name.
_ASKS_A_MODEL: Final = frozenset({"chat", "text_completion", "completion", "generate_content", "embeddings"})


def first(attributes: Attributes, field: str) -> Any:
    """Returns the value of the first attribute of `field` that is set; None if none is.

    An empty string counts as not set.
    """
    return next(
        (value for name in ATTRIBUTES[field] if (value := attributes.get(name)) not in (None, "")), None
    )


def model_of(attributes: Attributes) -> Any:
    """Returns the requested model as the sender wrote it; None if no attribute contains it."""
    model = first(attributes, "model")
    if model is None and (parameters := first(attributes, "parameters")):
        return json_object(parameters).get("model")
    return model


def is_call(attributes: Attributes, span_name: str = "") -> bool:
    """Whether a span is a single call to a model, judged by its attributes (those in `READ`) and its name.

    Spans of agents, chains, tools and workflows are not calls, nor are spans that manage or count something;
    their tokens belong to the calls below them. Of the ten spans that LiteLLM creates for a call, one counts as
    the call.
    """
    operation = first(attributes, "operation")
    if not (_is_kind_of_call(attributes) and asks_a_model(operation)):
        return False
    if _MANAGES.fullmatch(span_name) and not _has_usage(attributes):
        return False
    if model_of(attributes) is not None:
        # A span that only sets up an agent also names a model (Anthropic's SDK).
        return bool(operation) or not attributes.get("gen_ai.agent.name")
    return _says_call(attributes, operation) and _has_usage(attributes)


def asks_a_model(operation: object) -> bool:
    """Whether this operation calls a model: "acompletion" does, "invoke_agent" does not.

    Unknown operations count as calls: a call that is counted by mistake can be seen, one that is left out is
    lost.
    """
    return not isinstance(operation, str) or _asks_a_model(operation[:_LONGEST_OPERATION])


@lru_cache(maxsize=1024)
def _asks_a_model(operation: str) -> bool:
    words = {part for word in _WORD.findall(operation.lower()) for part in (word, word.removeprefix("a"))}
    return not (words & _NO_CALL_WORDS or ("create" in words and words & _CREATED))


def _is_kind_of_call(attributes: Attributes) -> bool:
    """Whether no attribute with the span's kind says that it is something else than a model call."""
    for name, kinds in _IS_CALL.items():
        kind = attributes.get(name)
        if isinstance(kind, str) and kind and kind.lower() not in kinds:
            return False
    return not any(str(attributes.get(name)).lower() in _NO_CALL_KINDS for name in _IS_NO_CALL)


def _says_call(attributes: Attributes, operation: object) -> bool:
    return operation in _ASKS_A_MODEL or any(attributes.get(name) for name in _IS_CALL)


def _has_usage(attributes: Attributes) -> bool:
    fields = ("input_tokens", "output_tokens", "usage_details", "response_id")
    return any(first(attributes, field) is not None for field in fields)
