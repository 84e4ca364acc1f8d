def test_anybody_may_ask_whether_the_site_is_healthy(client, db):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
