"""What people do with a proxy: calls over plain HTTP, in the words of OpenAI and Anthropic."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.senders.cast import Member


@dataclass(frozen=True)
class Client:
    """One member's client of the proxy at `url`. Each call returns its HTTP status and the answer.

    The key is the member's token, if no other is given.
    """

    url: str
    member: Member
    key: str = ""

    def chat(self, prompt: str, model: str = "gpt-4o-mini", **more: Any) -> tuple[int, Any]:
        return self._post("/v1/chat/completions", chat_body(prompt, model) | more)

    def chat_with_id(self, call_id: str, prompt: str) -> tuple[int, Any]:
        body = chat_body(prompt, "gpt-4o-mini")
        return self._post("/v1/chat/completions", body, {"x-litellm-call-id": call_id})

    def embed(self, text: str) -> tuple[int, Any]:
        return self._post("/v1/embeddings", {"model": "text-embedding-3-small", "input": text})

    def respond(self, prompt: str, **more: Any) -> tuple[int, Any]:
        return self._post("/v1/responses", {"model": "gpt-4o-mini", "input": prompt} | more)

    def read_response(self, response_id: str) -> tuple[int, Any]:
        return self._send("GET", f"/v1/responses/{response_id}", self._headers(), None)

    def message(self, prompt: str, **more: Any) -> tuple[int, Any]:
        body = chat_body(prompt, "claude-haiku-4-5") | {"max_tokens": 50}
        return self._post("/v1/messages", body | more)

    def leave_during(self, prompt: str) -> None:
        """Reads a second of a stream, then goes away."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        body = json.dumps(chat_body(prompt, "gpt-4o-mini") | {"stream": True})
        connection.request("POST", "/v1/chat/completions", body, self._headers())
        response = connection.getresponse()
        assert response.status == 200, response.read()
        assert response.read1(100)
        time.sleep(1)
        response.close()
        connection.close()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key or self.member.secret}", "Content-Type": "application/json"}

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[int, Any]:
        sent = json.dumps(body).encode()
        return self._send("POST", path, self._headers() | (headers or {}), sent)

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            read = response.read()
        finally:
            connection.close()
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(read) if is_json else read


def chat_body(prompt: str, model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": prompt}]}
