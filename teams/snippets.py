"""Example code for a new key. Its first line is a comment that names the team and mode of the key."""


def check_key(base_url: str, secret: str, context: str) -> str:
    """Returns a curl command that prints the team and mode of a key. `context` is the text of the comment."""
    return f'# {_one_line(context)}\ncurl {base_url}/api/v1/me \\\n  -H "Authorization: Bearer {secret}"'


def report_openai_call(base_url: str, secret: str, context: str) -> str:
    """Returns a Python program that calls a model with OpenAI's SDK and reports the call with the key.

    `context` is the text of the comment.
    """
    return f"""# {_one_line(context)}
import datetime, time
import httpx
from openai import OpenAI

started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
answer = OpenAI().chat.completions.create(
    model="gpt-4o-mini", messages=[{{"role": "user", "content": "Hello"}}]
)
httpx.post(
    "{base_url}/api/v1/calls",
    headers={{"Authorization": "Bearer {secret}"}},
    json={{
        "request_id": answer.id,
        "started_at": started.isoformat(),
        "model": answer.model,
        "latency_ms": round(1000 * (time.monotonic() - clock)),
        "input_tokens": answer.usage.prompt_tokens,
        "output_tokens": answer.usage.completion_tokens,
    }},
).raise_for_status()"""


def _one_line(text: str) -> str:
    """Returns the text without line breaks, because a line break would end the comment."""
    return " ".join(text.split())
