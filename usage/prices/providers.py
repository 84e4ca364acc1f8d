"""Finds out which vendor sold a call, from the call's provider or from a prefix of the model's name.

The result is the id of a vendor in the public price list. It is UNLISTED for known providers without prices
there: self-hosted servers, and vendors that the list does not have. It is None if the provider is missing or
unknown (such as a host name or an internal gateway), because that tells nothing.
"""

import re
from functools import lru_cache
from typing import Final

from genai_prices.data_snapshot import find_provider_by_id, get_snapshot

UNLISTED: Final = "(unlisted)"

# Other names of the list's vendors, in addition to their ids: from LiteLLM, OpenTelemetry, SDKs and routers.
_ALIASES: Final = {
    "anthropic": ("anthropic_text",),
    "aws": (
        "amazon",
        "amazon_bedrock",
        "amazon_nova",
        "aws_bedrock",
        "bedrock",
        "bedrock_converse",
        "bedrock_mantle",
    ),
    "azure": (
        *(
            "az_ai_inference",
            "az_ai_openai",
            "azure_ai",
            "azure_ai_foundry",
            "azure_ai_inference",
            "azure_ai_openai",
        ),
        *("azure_openai", "azure_text", "azureopenai"),
    ),
    "cloudflare": ("@cf", "workers_ai"),
    "cohere": ("cohere_chat",),
    "deepseek": ("deepseek_ai",),
    "fireworks": ("fireworks_ai", "fireworksai"),
    "github-copilot": ("github_copilot",),
    "google": (
        *(
            "gcp_gemini",
            "gcp_gen_ai",
            "gcp_vertex_ai",
            "gemini",
            "google_ai_studio",
            "google_genai",
            "google_gla",
        ),
        *("google_generative_ai", "google_vertex", "models", "palm", "projects", "publishers"),
        *("vertex", "vertex_ai", "vertex_ai_beta", "vertexai"),
    ),
    "meta": ("meta_llama",),
    "mistral": ("codestral", "mistral_ai", "mistralai", "text_completion_codestral"),
    "moonshotai": ("moonshot", "moonshot_ai"),
    "openai": ("chatgpt", "openai_chat", "openai_responses", "text_completion_openai"),
    "perplexity": ("perplexity_ai",),
    "together": ("together_ai", "togetherai"),
    "voyageai": ("voyage", "voyage_ai"),
    "x-ai": ("x_ai", "xai"),
    "zai": ("z_ai",),
    "zhipuai": ("zhipu", "zhipu_ai"),
}
# Names of self-hosted servers contain one of these ("vllm-gpu-2").
_SELF_HOSTED: Final = re.compile(
    r"ollama|vllm|llamafile|lm_?studio|llama_?cpp|sglang|xinference|oobabooga|localhost"
)
_SELF_HOSTED_NAMES: Final = (
    "aphrodite bentoml custom custom_openai docker_model_runner gpt4all infinity koboldcpp kserve lemonade "
    "lmdeploy local local_ai localai mlx mlx_lm openai_compat openai_compatible openai_like petals "
    "self_hosted tabbyapi tensorrt_llm text_generation_inference text_generation_webui tgi triton"
)
# Vendors that LiteLLM or OpenTelemetry have names for, but the price list has no prices for.
_WITHOUT_PRICES: Final = (
    "ai21 ai21_chat aihubmix aiml anyscale apertis assemblyai bespoke black_forest_labs bytez charity_engine "
    "chutes clarifai cognition cometapi compactifai coralbricks cortecs crusoe darkbloom dashscope datarobot "
    "deepgram deepinfra edenai empower fal_ai featherless_ai friendliai galadriel gdc gigachat github gmi "
    "gradient_ai heroku hugging_face huggingface hyperbolic ibm ibm_watsonx_ai inception inferenceapis "
    "jina_ai lambda_ai libertai llamagate manus maritalk microsoft_365_copilot modelscope morph nadir "
    "nano_gpt nebius neosantara nlp_cloud nscale nvidia_nim nvidia_riva oci openinfer parasail pinstripes poe "
    "predibase prism publicai qwen_ai_platform qwencloud recraft reka replicate runwayml sagemaker "
    "sagemaker_chat sagemaker_nova sail sambanova sap sarvam scaleway scx_ai snowflake soniox stability "
    "synthetic tencent tensormesh text_completion_inception topaz v0 vercel_ai_gateway volcengine wandb "
    "watsonx watsonx_text xiaomi_mimo"
)
# Gateways, which forward calls to a vendor: their names do not tell whose price applies.
_GATEWAYS: Final = frozenset(
    {"auto_router", "helicone", "litellm", "litellm_agent", "litellm_proxy", "portkey"}
)
# Many other servers speak these vendors' protocols, and clients report the vendor as provider of those, too:
# a prefix of the model's name is more reliable.
_PROTOCOLS: Final = frozenset({"openai", "anthropic"})
# How Amazon Bedrock names models: "us.anthropic.claude-…", "amazon.nova-…".
_BEDROCK: Final = re.compile(
    r"(?:(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen)\.[a-z]"
)
# Makers whose models are sold by others under the maker's name. LiteLLM's provider `meta_llama` has no hyphen.
_MAKERS: Final = frozenset({"meta-llama"})


def _table() -> dict[str, str]:
    listed = {name: vendor for vendor, names in _ALIASES.items() for name in names}
    return listed | dict.fromkeys(f"{_SELF_HOSTED_NAMES} {_WITHOUT_PRICES}".split(), UNLISTED)


_VENDORS: Final = _table()
# Vercel's AI SDK names the vendor together with its API: `groq.chat`, `azure-openai.responses`.
_API: Final = re.compile(r"_(chat|completions?|embeddings?|image|messages|responses|speech|transcription)$")
# LiteLLM splits some vendors into families: `vertex_ai-anthropic_models`, `fireworks_ai-embedding-models`.
_FAMILY: Final = re.compile(r"(azure_ai|bedrock|fireworks_ai|vertex_ai)_")


# The cache is limited, because senders choose the words.
@lru_cache(maxsize=1024)
def vendor_of_provider(provider: str) -> str | None:
    """Returns the vendor of a call's provider, by our own table or by the list's rules ("google-vertex",
    "api.openai.com").
    """
    vendor = _vendor(provider)
    if vendor or not provider.strip() or _plain(provider) in _GATEWAYS:
        return vendor
    found = find_provider_by_id(get_snapshot().providers, provider)
    return found.id if found else None


def vendor_of_model(name: str) -> str | None:
    """Returns the vendor that a prefix of a model's name stands for: `azure/…`, `litellm_proxy/openai/…`,
    `us.anthropic.…`.
    """
    head, slash, rest = name.lower().partition("/")
    if not slash:
        return "aws" if _BEDROCK.match(head) else None
    if _plain(head) in _GATEWAYS:
        return vendor_of_model(rest)
    if head == "huggingface":  # a router: the next word says whose servers these are
        return _listed(f"huggingface_{rest.partition('/')[0]}") or UNLISTED
    return None if head in _MAKERS else _vendor(head)


def vendor_called(provider: str, name: str, other_name: str = "") -> str | None:
    """Returns the vendor whose price applies to a call.

    This is the vendor of `provider`. But `openai` and `anthropic` may only name the protocol that the server
    speaks, so there a prefix of the model's name takes precedence. Without a known provider, it is the vendor
    in the prefix of `name` or, without one, of `other_name`.
    """
    said = vendor_of_provider(provider)
    if said is None:
        return vendor_of_model(name) or vendor_of_model(other_name)
    return vendor_of_model(name) or said if said in _PROTOCOLS else said


def _vendor(word: str) -> str | None:
    plain = _plain(word)
    if _SELF_HOSTED.search(plain):
        return UNLISTED
    if family := _FAMILY.match(plain):
        return _VENDORS[family[1]]
    known = _VENDORS.get(plain) or _listed(word.strip().lower())
    return _vendor(_API.sub("", plain)) if known is None and _API.search(plain) else known


def _listed(word: str) -> str | None:
    return word if any(vendor.id == word for vendor in get_snapshot().providers) else None


def _plain(word: str) -> str:
    """Normalises a word, because case and separators vary (`Azure.AI.OpenAI`, `azure-ai-openai`)."""
    return re.sub(r"[-. ]", "_", word.strip().lower())
