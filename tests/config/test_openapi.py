"""The description of the HTTP API names every endpoint that there is, and only those."""

import re

from django.urls import get_resolver


def described(client):
    return client.get("/api/v1/openapi.json").json()


def test_every_endpoint_is_described_and_nothing_else(client, db):
    routes = {
        "/" + re.sub(r"<[^>]*?(\w+)>", r"{id}", str(prefix.pattern) + str(route.pattern))
        for prefix in get_resolver().url_patterns
        if str(prefix.pattern) == "api/v1/" and hasattr(prefix, "url_patterns")
        for route in prefix.url_patterns
        if "<path:" not in str(route.pattern)
    }
    assert set(described(client)["paths"]) == routes


def test_every_reference_leads_somewhere(client, db):
    document = described(client)
    references = set(re.findall(r"#/components/(\w+)/(\w+)", str(document)))
    assert references
    for kind, name in references:
        assert name in document["components"][kind]
