"""A real Chromium, signed in through the real form; a page that complains fails its test."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from teams.models import User
from tests.conftest import PASSWORD

# Playwright keeps an event loop in this thread, which makes Django fear for its connections.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = [(width, theme) for width in (1440, 900, 390) for theme in THEMES]
AXE_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}


# Closed after the last browser test: Playwright's event loop would be in the way of tests with their own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; its absence fails the tests, so that they are never skipped unseen."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.fail("Browser tests need Chromium: install the package chromium, or run -m 'not browser'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the console and the security policy of the test's page complained about. A test that expects
    a complaint looks at it here and clears it."""
    return []


@pytest.fixture
def page(chromium: Browser, live_server: LiveServer, complaints: list[str]) -> Iterator[Page]:
    """An empty page; relative addresses are those of the site under test."""
    # Reduced motion, because a colour half-way between two themes has any contrast.
    context = chromium.new_context(
        base_url=live_server.url, viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
    )
    context.set_default_timeout(10_000)
    context.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
    )
    page = context.new_page()
    page.on(
        "console",
        lambda message: complaints.append(f"{page.url}: {message.text}") if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def sign_in(page: Page) -> Callable[[User], None]:
    """`sign_in(cast.owner)`: through the form, as people do."""

    def through_the_form(user: User) -> None:
        page.goto(reverse("account_login") + "?next=" + reverse("teams:profile"))
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**" + reverse("teams:profile"))

    return through_the_form


@pytest.fixture
def confirm_password(page: Page) -> Callable[[str], None]:
    """`confirm_password(next_url)`: on the page that asks again who one is, as before grave changes."""

    def on_the_page(next_url: str) -> None:
        page.goto(f"{reverse('account_reauthenticate')}?next={next_url}")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**" + next_url)

    return on_the_page


@pytest.fixture
def make_passkey(
    page: Page, sign_in: Callable[[User], None], confirm_password: Callable[[str], None]
) -> Callable[[User], None]:
    """`make_passkey(cast.owner)`: signs in and registers a passkey in Chromium's virtual authenticator."""
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    def by_the_pages(user: User) -> None:
        sign_in(user)
        confirm_password(reverse("mfa_add_webauthn"))
        page.get_by_label("Passwordless").check()
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url(lambda url: reverse("mfa_add_webauthn") not in url)

    return by_the_pages


@pytest.fixture
def axe(page: Page) -> Callable[[], None]:
    """`axe()`: the page as it is now breaks no accessibility rule."""

    def check() -> None:
        if not page.evaluate("'axe' in window"):  # to load the script takes as long as to check a page
            page.evaluate(Axe().axe_script)
        violations = page.evaluate("rules => axe.run(rules).then(results => results.violations)", AXE_RULES)
        found = [(rule["id"], node["html"]) for rule in violations for node in rule["nodes"]]
        assert found == [], page.url

    return check


@pytest.fixture
def each_look(page: Page) -> Callable[[], Iterator[str]]:
    """`for look in each_look():` shows the page at three widths, light and dark, and never too wide."""

    def looks() -> Iterator[str]:
        for width, theme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=theme)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (page.url, width)
            yield f"{width} {theme}"

    return looks
