"""pydantic-ai's agents, with models of OpenAI and of Anthropic."""

import asyncio

from calls import URL, exporting
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

OPENAI = OpenAIProvider(base_url=f"{URL}/v1", api_key="sk-upstream")
ANTHROPIC = AnthropicProvider(base_url=URL, api_key="sk-upstream")


async def run() -> None:
    await Agent(OpenAIChatModel("gpt-4o-mini", provider=OPENAI)).run("please answer this")
    await Agent(OpenAIResponsesModel("gpt-4o", provider=OPENAI)).run("please answer that")
    await Agent(AnthropicModel("claude-haiku-4-5", provider=ANTHROPIC)).run("please answer this too")
    agent = Agent(OpenAIChatModel("gpt-4o-mini", provider=OPENAI))
    async with agent.run_stream("please answer in pieces") as streamed:
        await streamed.get_output()


with exporting():
    Agent.instrument_all()
    asyncio.run(run())
