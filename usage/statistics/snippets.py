"""Shell commands that pages show for copying."""

from datetime import UTC, datetime


def first_call(base_url: str, now: datetime) -> str:
    """Returns a curl command that reports one example call, authenticated with an API token."""
    started_at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"curl {base_url}/api/v1/calls \\\n"
        '  -H "Authorization: Bearer $CALLBOARD_TOKEN" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"""  -d '{{"request_id": "first-call", "started_at": "{started_at}", "model": "gpt-4o-mini",\n"""
        """       "latency_ms": 820, "input_tokens": 1000, "output_tokens": 500}'"""
    )
