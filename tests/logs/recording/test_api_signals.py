"""OTLP's other signals: exporters that send metrics and logs, too, are answered an empty success."""

import gzip
import json

import pytest
from django.test import Client

from tests.logs.conftest import report

PROTOBUF, JSON = "application/x-protobuf", "application/json"
SIGNALS = ["/otlp/v1/metrics", "/otlp/v1/logs"]


@pytest.mark.parametrize("path", SIGNALS)
def test_metrics_and_logs_are_answered_an_empty_success(client: Client, mia: str, path: str) -> None:
    assert report(client, path, mia, b"\x0a\x00", PROTOBUF).content == b""
    answer = report(client, path, mia, gzip.compress(b"{}"), JSON, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer["Content-Type"], json.loads(answer.content)) == (200, JSON, {})


@pytest.mark.parametrize("path", SIGNALS)
def test_limits_and_keys_are_those_of_traces(client: Client, mia: str, path: str) -> None:
    assert report(client, path, None, b"", PROTOBUF).status_code == 401
    assert report(client, path, mia, b"", "text/plain").status_code == 415
    bomb = gzip.compress(bytes(17 * 1024 * 1024))
    assert report(client, path, mia, bomb, PROTOBUF, headers={"Content-Encoding": "gzip"}).status_code == 413
    assert client.get(path, headers={"Authorization": f"Bearer {mia}"}).status_code == 405


@pytest.mark.parametrize("path", ["/otlp/v1/traces", *SIGNALS])
def test_whoever_tries_grpc_is_told_of_http(client: Client, mia: str, path: str) -> None:
    answer = report(client, path, mia, b"", "application/grpc+proto")
    assert answer.status_code == 415
    assert "gRPC is not offered: send OTLP over HTTP" in json.loads(answer.content)["message"]
