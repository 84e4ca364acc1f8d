"""What the local provider answers: the bodies and streams of each of its endpoints, and the tokens they tell."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

Event = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Usage:
    """Tokens; `input` includes the cached ones."""

    input: int = 0
    output: int = 0
    cached: int = 0
    written: int = 0
    reasoning: int = 0

    def untold(self) -> "Usage":
        """What is left to whoever counts words by themselves: nobody but the provider knows of the rest."""
        return replace(self, cached=0, written=0, reasoning=0)


@dataclass(frozen=True)
class Chat:
    """POST /v1/chat/completions."""

    number: int
    model: str
    input_tokens: int

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens, output=10, cached=4, reasoning=2)

    def _usage(self) -> dict[str, Any]:
        used = self.usage
        return {
            "prompt_tokens": used.input,
            "completion_tokens": used.output,
            "total_tokens": used.input + used.output,
            "prompt_tokens_details": {"cached_tokens": used.cached},
            "completion_tokens_details": {"reasoning_tokens": used.reasoning},
        }

    def _base(self, kind: str) -> dict[str, Any]:
        own = {"id": f"chatcmpl-{self.number}", "object": kind, "created": int(time.time())}
        return own | {"model": self.model, "service_tier": "default"}

    def whole(self, words: Sequence[str]) -> dict[str, Any]:
        message = {"role": "assistant", "content": " ".join(words)}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        return self._base("chat.completion") | {"choices": choices, "usage": self._usage()}

    def tells_usage(self, sent: dict[str, Any]) -> bool:
        return bool((sent.get("stream_options") or {}).get("include_usage"))

    def events(self, words: Sequence[str], tells_usage: bool) -> Iterator[Event]:
        base = self._base("chat.completion.chunk")
        for index, word in enumerate(words):
            delta = {"role": "assistant", "content": word if index == 0 else f" {word}"}
            yield "", base | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield "", base | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        if tells_usage:
            yield "", base | {"choices": [], "usage": self._usage()}


@dataclass(frozen=True)
class Embeddings:
    """POST /v1/embeddings."""

    number: int
    model: str
    input_tokens: int

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens)

    def whole(self, _words: Sequence[str]) -> dict[str, Any]:
        vector = {"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}
        usage = {"prompt_tokens": self.input_tokens, "total_tokens": self.input_tokens}
        return {"object": "list", "data": [vector], "model": self.model, "usage": usage}


@dataclass(frozen=True)
class Responses:
    """POST /v1/responses."""

    number: int
    model: str
    input_tokens: int

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens, output=10, cached=4, reasoning=2)

    def whole(self, words: Sequence[str]) -> dict[str, Any]:
        used = self.usage
        text = {"type": "output_text", "text": " ".join(words), "annotations": []}
        message = {"type": "message", "id": f"msg_{self.number}", "role": "assistant"}
        usage = {
            "input_tokens": used.input,
            "input_tokens_details": {"cached_tokens": used.cached},
            "output_tokens": used.output,
            "output_tokens_details": {"reasoning_tokens": used.reasoning},
            "total_tokens": used.input + used.output,
        }
        output = [message | {"status": "completed", "content": [text]}]
        return self._base("completed") | {"output": output, "usage": usage}

    def _base(self, status: str) -> dict[str, Any]:
        own = {"id": f"resp_{self.number}", "object": "response", "created_at": int(time.time())}
        plain = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "output": []}
        return own | plain | {"model": self.model, "status": status, "usage": None}

    def tells_usage(self, _sent: dict[str, Any]) -> bool:
        return True

    def events(self, words: Sequence[str], _tells_usage: bool) -> Iterator[Event]:
        begun: dict[str, Any] = {
            "type": "response.created",
            "sequence_number": 0,
            "response": self._base("in_progress"),
        }
        yield begun["type"], begun
        where: dict[str, Any] = {"item_id": f"msg_{self.number}", "output_index": 0, "content_index": 0}
        for index, word in enumerate(words, start=1):
            kind = "response.output_text.delta"
            yield kind, {"type": kind, "sequence_number": index, "delta": f"{word} ", **where}
        kind = "response.completed"
        yield kind, {"type": kind, "sequence_number": len(words) + 1, "response": self.whole(words)}


@dataclass(frozen=True)
class Messages:
    """POST /v1/messages, as Anthropic answers it: its input tokens leave the cached ones out."""

    number: int
    model: str
    input_tokens: int

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens + 30, output=10, cached=20, written=10)

    def _usage(self, output: int) -> dict[str, Any]:
        used = self.usage
        return {
            "input_tokens": used.input - used.cached - used.written,
            "cache_read_input_tokens": used.cached,
            "cache_creation_input_tokens": used.written,
            "output_tokens": output,
        }

    def _message(self) -> dict[str, Any]:
        own = {"id": f"msg_{self.number:02d}", "type": "message", "role": "assistant", "model": self.model}
        return own | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": self._usage(1)}

    def whole(self, words: Sequence[str]) -> dict[str, Any]:
        content = [{"type": "text", "text": " ".join(words)}]
        told = {"content": content, "stop_reason": "end_turn", "usage": self._usage(self.usage.output)}
        return self._message() | told

    def tells_usage(self, _sent: dict[str, Any]) -> bool:
        return True

    def events(self, words: Sequence[str], _tells_usage: bool) -> Iterator[Event]:
        block = {"type": "text", "text": ""}
        yield from _named({"type": "message_start", "message": self._message()})
        yield from _named({"type": "content_block_start", "index": 0, "content_block": block})
        for word in words:
            delta = {"type": "text_delta", "text": f"{word} "}
            yield from _named({"type": "content_block_delta", "index": 0, "delta": delta})
        yield from _named({"type": "content_block_stop", "index": 0})
        end = {"stop_reason": "end_turn", "stop_sequence": None}
        usage = {"output_tokens": self.usage.output}
        yield from _named({"type": "message_delta", "delta": end, "usage": usage})
        yield from _named({"type": "message_stop"})


def _named(event: dict[str, Any]) -> Iterator[Event]:
    yield event["type"], event


ANSWERS: dict[str, Any] = {
    "/chat/completions": Chat,
    "/embeddings": Embeddings,
    "/responses": Responses,
    "/messages": Messages,
}

_OPENAI_ERRORS = {
    400: (
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 8 tokens.",
    ),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached."),
    500: ("server_error", None, "The server had an error."),
}
_ANTHROPIC_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    429: "rate_limit_error",
    500: "api_error",
}


def error_body(path: str, status: int) -> dict[str, Any]:
    kind, code, message = _OPENAI_ERRORS[status]
    if path.endswith("/messages"):
        return {"type": "error", "error": {"type": _ANTHROPIC_ERRORS[status], "message": message}}
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
