"""Which spans are calls to a model: one rule for all dialects."""

from typing import Any

import pytest

from logs.formats.dialects import asks_a_model, is_call

USAGE: dict[str, Any] = {
    "gen_ai.request.model": "gpt-5",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5,
}


@pytest.mark.parametrize(
    "attributes",
    [
        USAGE,
        {"gen_ai.request.model": "gpt-5"},
        {"gen_ai.response.model": "gpt-5"},
        {**USAGE, "gen_ai.operation.name": "chat", "gen_ai.agent.name": "planner"},
        {**USAGE, "openinference.span.kind": "LLM"},
        {**USAGE, "langsmith.span.kind": "llm"},
        {**USAGE, "gen_ai.span.kind": "LLM"},
        {**USAGE, "traceloop.span.kind": "unknown"},
        {"llm.model_name": "gpt-5", "openinference.span.kind": "LLM"},
        {"embedding.model_name": "text-embedding-3-small", "openinference.span.kind": "EMBEDDING"},
        {"langfuse.observation.model.name": "gpt-5", "langfuse.observation.type": "generation"},
        {"langfuse.observation.model.name": "gpt-5", "langfuse.observation.type": "embedding"},
        {**USAGE, "gen_ai.request.model": "", "gen_ai.operation.name": "chat"},
        {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": '{"input": 1}'},
        {"litellm.model_group": "", "gen_ai.request.model": "gpt-5"},
    ],
)
def test_one_question_to_a_model_is_a_call(attributes: dict[str, Any] | dict[str, str]) -> None:
    assert is_call(attributes)


@pytest.mark.parametrize(
    "mark",
    [
        *(
            {"gen_ai.operation.name": name}
            for name in ("agent_step", "invoke_agent", "create_agent", "execute_tool")
        ),
        *(
            {"gen_ai.operation.name": name}
            for name in ("invoke_workflow", "plan", "retrieval", "aget_responses")
        ),
        *({"llm.request.type": name} for name in ("alist_input_items", "adelete_responses", "call_mcp_tool")),
        *({"traceloop.span.kind": kind} for kind in ("agent", "workflow", "task", "tool")),
        *({"openinference.span.kind": kind} for kind in ("AGENT", "CHAIN", "TOOL", "RETRIEVER", "RERANKER")),
        *(
            {"openinference.span.kind": kind}
            for kind in ("GUARDRAIL", "EVALUATOR", "PROMPT", "UNKNOWN", "chain")
        ),
        *(
            {"langfuse.observation.type": kind}
            for kind in ("span", "event", "agent", "tool", "chain", "retriever")
        ),
        *({"langsmith.span.kind": kind} for kind in ("chain", "tool", "retriever")),
        *({"gen_ai.span.kind": kind} for kind in ("AGENT", "TOOL", "STEP", "ENTRY")),
        {"gen_ai.agent.name": "planner"},
    ],
    ids=str,
)
def test_agents_chains_tools_and_workflows_are_none_even_with_a_model_and_tokens(mark: dict[str, str]) -> None:
    assert not is_call({**USAGE, **mark})


@pytest.mark.parametrize(
    "name", ["anthropic.messages.count_tokens", "anthropic.beta.sessions.create", "messages.count_tokens"]
)
def test_spans_of_anthropics_sdk_that_only_name_a_model_are_none(name: str) -> None:
    assert not is_call({"gen_ai.request.model": "claude-haiku-4-5"}, name)
    assert is_call({"gen_ai.request.model": "claude-haiku-4-5"}, "anthropic.messages.create")


def test_names_that_people_give_their_spans_decide_nothing() -> None:
    assert is_call(USAGE, "agent step: list files with a tool")
    assert is_call(USAGE, "nightly.count_tokens")


@pytest.mark.parametrize(
    "attributes",
    [{}, {"http.request.method": "POST"}, {"gen_ai.request.model": ""}, {"gen_ai.operation.name": "chat"},
     {"gen_ai.usage.input_tokens": 7}, {"openinference.span.kind": "LLM"}],
    ids=str,
)  # fmt: skip
def test_without_a_model_a_span_must_say_that_it_is_a_call_and_what_it_used(
    attributes: dict[str, Any] | dict[str, str] | dict[str, int],
) -> None:
    assert not is_call(attributes)


@pytest.mark.parametrize(
    "operation",
    ["acompletion", "completion", "chat", "text_completion", "agenerate_content", "embeddings", "aembedding",
     "anthropic_messages", "aresponses", "acompact_responses", "asearch", "arerank", "_arealtime", "aspeech",
     "aimage_generation", "acreate_video", "pass_through_endpoint", "allm_passthrough_route", "", None, 7],
)  # fmt: skip
def test_operations_that_ask_a_model(operation: str | int | None) -> None:
    assert asks_a_model(operation)


@pytest.mark.parametrize(
    "operation",
    ["get_responses", "aget_responses", "adelete_responses", "acancel_responses", "alist_input_items", "acreate_file",
     "afile_content", "aretrieve_batch", "acreate_batch", "acreate_thread", "list_mcp_tools", "acreate_container",
     "avector_store_create", "aretrieve_fine_tuning_job", "agent_step", "Invoke_Agent"],
)  # fmt: skip
def test_operations_that_retrieve_or_manage(operation: str) -> None:
    assert not asks_a_model(operation)
