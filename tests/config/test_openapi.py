"""The OpenAPI description names all endpoints and no others."""

import re
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import get_resolver

from teams.models.keys import Token
from tests.conftest import Cast
from usage.anomalies import api as anomalies
from usage.statistics import api as statistics


def described(client: Client) -> Any:
    return client.get("/api/v1/openapi.json").json()


def test_every_endpoint_is_described_and_nothing_else(client: Client, db: None) -> None:
    routes = {
        "/" + re.sub(r"<[^>]*?(\w+)>", r"{id}", str(prefix.pattern) + str(route.pattern))
        for prefix in get_resolver().url_patterns
        if str(prefix.pattern) == "api/v1/" and hasattr(prefix, "url_patterns")
        for route in prefix.url_patterns
        if "<path:" not in str(route.pattern)
    }
    assert set(described(client)["paths"]) == routes


def test_every_reference_leads_somewhere(client: Client, db: None) -> None:
    document = described(client)
    references = set(re.findall(r"#/components/(\w+)/(\w+)", str(document)))
    assert references
    for kind, name in references:
        assert name in document["components"][kind]


def parameters_of(client: Client, path: Any) -> set[Any]:
    return {one["name"] for one in described(client)["paths"][f"/api/v1/{path}"]["get"]["parameters"]}


def test_the_parameters_of_statistics_are_described_as_they_are_declared(client: Client, db: None) -> None:
    assert parameters_of(client, "usage") == set(statistics.PARAMETERS)
    assert parameters_of(client, "unusual") == set(anomalies.PARAMETERS)


def test_the_logs_know_every_parameter_that_is_described(
    client: Client, cast: Cast, token_of: Callable[..., tuple[Token, str]]
) -> None:
    headers = {"Authorization": f"Bearer {token_of('owner')[1]}"}
    for name in parameters_of(client, "calls"):
        response = client.get("/api/v1/calls", {name: ""}, headers=headers)
        assert "Unknown parameter" not in response.content.decode()
