"""Defines the models of the demo, with realistic speed and output length, and the apps that use them."""

from dataclasses import dataclass, field
from decimal import Decimal

from teams.models import Mode


@dataclass(frozen=True)
class Model:
    """How a model behaves. Times are medians in ms; `spread` is the standard deviation of the logarithm of
    latency.

    `reasoning` is the share of reasoning in the output tokens. `rise` is the logarithm of the change of its
    popularity in 90 days.
    """

    name: str
    provider: str
    channels: tuple[str, ...]
    ttft_ms: float
    ms_per_token: float
    spread: float
    reasoning: float = 0.0
    rise: float = 0.0


@dataclass(frozen=True)
class App:
    """A program that uses models, with a token of its own.

    Token numbers are medians; `spread` is the standard deviation of the logarithm of the input tokens. `hours`
    names a rhythm, `weight` is its share of a member's calls, `failing` the share of calls that fail.
    """

    name: str
    hours: str
    models: tuple[tuple[str, float], ...]
    user_agent: str
    weight: float = 1.0
    endpoint: str = "chat"
    mode: Mode = Mode.LIVE
    input_tokens: float = 900
    output_tokens: float = 260
    spread: float = 0.9
    streamed: float = 0.0
    cached: float = 0.0
    failing: float = 0.012
    in_sessions: bool = False
    is_bot: bool = False
    tags: tuple[str, ...] = ()
    metadata: dict[str, tuple[str, ...]] = field(default_factory=dict)


EMBEDDING = "bge-m3"  # runs in the site's own cluster: it has no public price, so the site sets one
EMBEDDING_USD = Decimal("0.02")  # per million tokens
EMBEDDING_PRICED_DAYS = 60  # the price is valid since so many days; earlier calls are unpriced

_AZURE = ("azure-sweden", "azure-east", "openai-direct")
_ANTHROPIC = ("anthropic-direct", "bedrock-frankfurt")
_VERTEX = ("vertex-europe",)
MODELS = {
    model.name: model
    for model in (
        Model("gpt-5", "openai", _AZURE, 2100, 14, 0.45, reasoning=0.45, rise=0.6),
        Model("gpt-5-mini", "openai", _AZURE, 900, 9, 0.40, reasoning=0.30, rise=1.0),
        Model("gpt-4o-mini", "openai", _AZURE, 380, 8, 0.38, rise=-0.9),
        Model("o4-mini", "openai", ("openai-direct",), 3200, 9, 0.55, reasoning=0.6, rise=-0.6),
        Model("claude-opus-4-1", "anthropic", _ANTHROPIC, 1900, 24, 0.40),
        Model("claude-sonnet-4-5", "anthropic", _ANTHROPIC, 1300, 14, 0.38, rise=0.4),
        Model("claude-haiku-4-5", "anthropic", _ANTHROPIC, 520, 7, 0.34, rise=0.3),
        Model("gemini-2.5-pro", "google", _VERTEX, 2600, 10, 0.50, reasoning=0.5),
        Model("gemini-2.5-flash", "google", _VERTEX, 430, 5, 0.42, reasoning=0.1),
        Model("mistral-large-latest", "mistral", ("mistral-paris",), 650, 17, 0.36),
        Model(EMBEDDING, "vllm", ("cluster-2",), 45, 0, 0.50),
    )
}

EDITOR = App(
    name="editor",
    hours="office",
    models=(("claude-sonnet-4-5", 6), ("gpt-5", 3), ("claude-opus-4-1", 0.5), ("gemini-2.5-pro", 1)),
    user_agent="editor-plugin/2.11.3",
    weight=1.2,
    input_tokens=5200,
    output_tokens=420,
    streamed=0.97,
    cached=0.72,
    in_sessions=True,
)
NOTEBOOK = App(
    name="notebook",
    hours="office",
    models=(("gpt-5-mini", 4), ("gemini-2.5-flash", 3), ("o4-mini", 2), ("gpt-4o-mini", 2)),
    user_agent="OpenAI/Python 2.8.1",
    weight=1.4,
    streamed=0.15,
    cached=0.1,
    failing=0.02,
    tags=("notebook",),
)
REVIEW_BOT = App(
    name="review-bot",
    hours="office",
    models=(("claude-haiku-4-5", 5), ("gpt-4o-mini", 2)),
    user_agent="anthropic-sdk-python/0.75.0",
    weight=0.8,
    input_tokens=3800,
    output_tokens=350,
    cached=0.35,
    is_bot=True,
    tags=("ci", "review"),
    metadata={"repository": ("atlas", "beacon", "harbour-web", "tides"), "environment": ("ci",)},
)
NIGHTLY_EVAL = App(
    name="nightly-eval",
    hours="night",
    models=(("gpt-4o-mini", 4), ("gpt-5-mini", 3), ("claude-haiku-4-5", 3)),
    user_agent="python-httpx/0.28.1",
    weight=0.9,
    input_tokens=1500,
    output_tokens=180,
    spread=0.5,
    is_bot=True,
    tags=("evaluation",),
    metadata={"suite": ("berths", "manifests", "eta"), "environment": ("cron",)},
)
SEARCH_INDEX = App(
    name="search-index",
    hours="steady",
    models=((EMBEDDING, 1),),
    user_agent="indexer/0.9 (+python-httpx)",
    weight=0.6,
    endpoint="embeddings",
    input_tokens=2600,
    output_tokens=0,
    spread=0.7,
    failing=0.004,
    is_bot=True,
    tags=("index",),
)
SANDBOX = App(
    name="sandbox",
    hours="office",
    models=(("gpt-4o-mini", 3), ("claude-haiku-4-5", 2), ("gpt-5-mini", 2)),
    user_agent="curl/8.5.0",
    weight=0.35,
    mode=Mode.TEST,
    input_tokens=240,
    output_tokens=90,
    streamed=0.3,
    failing=0.09,
    metadata={"environment": ("staging", "laptop")},
)
DIALOGUE = App(
    name="dialogue",
    hours="day",
    models=(("gpt-4o-mini", 5), ("gpt-5-mini", 3), ("claude-haiku-4-5", 2)),
    user_agent="openai-node/6.9.0",
    weight=1.5,
    input_tokens=1900,
    output_tokens=120,
    streamed=1.0,
    cached=0.6,
    in_sessions=True,
    is_bot=True,
    tags=("dialogue", "production"),
    metadata={"release": ("2.3", "2.4", "2.5"), "environment": ("production",)},
)
TRANSCRIPTS = App(
    name="transcripts",
    hours="day",
    models=(("gemini-2.5-flash", 6), ("gemini-2.5-pro", 1)),
    user_agent="google-genai-sdk/1.52.0",
    input_tokens=7400,
    output_tokens=640,
    is_bot=True,
    tags=("transcript",),
)
LETTERS = App(
    name="letters",
    hours="office",
    models=(("mistral-large-latest", 5), ("claude-sonnet-4-5", 2), ("gpt-4o-mini", 1)),
    user_agent="mistralai-client-python/1.9.11",
    input_tokens=1300,
    output_tokens=900,
    streamed=0.5,
    tags=("translation",),
    metadata={"language": ("hi", "ta", "mr", "bn", "de", "tr")},
)
LAPTOP = App(
    name="laptop",
    hours="evening",
    models=(("claude-haiku-4-5", 3), ("gpt-5-mini", 3), ("gemini-2.5-flash", 3), ("mistral-large-latest", 1)),
    user_agent="OpenAI/Python 2.8.1",
    input_tokens=600,
    output_tokens=320,
    streamed=0.8,
    in_sessions=True,
)
# The apps that the members of each team may use; everybody uses the first, some use more.
APPS = {
    "harbour-research": (EDITOR, NOTEBOOK, REVIEW_BOT, NIGHTLY_EVAL, SEARCH_INDEX, SANDBOX),
    "speech-lab": (NOTEBOOK, DIALOGUE, TRANSCRIPTS, SANDBOX),
    "civic-interpreters": (LETTERS, SEARCH_INDEX, SANDBOX),
}
