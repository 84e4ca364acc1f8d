"""OpenID Connect in a browser: a served site with the real settings, a real provider at another address."""

import pytest
from playwright.sync_api import expect

from tests.openid import provider
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET
from tests.serving import scratch_database, served


@pytest.fixture
def site(tmp_path, db):
    """The address of a site with the provider set; Kim has an account that staff made."""
    with scratch_database(tmp_path) as scratch, provider() as server:
        scratch.manage("create_user", "kim@example.org", "--name", "Kim")
        openid = {
            "CALLBOARD_OIDC_SERVER_URL": server,
            "CALLBOARD_OIDC_NAME": "Harbour",
            "CALLBOARD_OIDC_CLIENT_ID": CLIENT_ID,
            "CALLBOARD_OIDC_CLIENT_SECRET": CLIENT_SECRET,
        }
        with served(scratch, **openid):
            yield f"http://localhost:{scratch.port}"


def test_the_button_leads_to_the_provider_and_back_in(page, site):
    page.goto(f"{site}/accounts/login/")
    page.get_by_role("button", name="Continue with Harbour").click()
    page.get_by_label("Address").fill("lee@example.org")
    page.get_by_role("button", name="Let me in").click()
    expect(page.get_by_text("Accounts are made by invitation.")).to_be_visible()

    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Continue with Harbour").click()
    page.get_by_label("Address").fill("kim@example.org")
    page.get_by_role("button", name="Let me in").click()
    page.wait_for_url(f"{site}/me/")
    expect(page.get_by_role("button", name="Kim")).to_be_visible()
