from django.test import Client


def test_anybody_may_ask_whether_the_site_is_healthy(client: Client, db: None) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
