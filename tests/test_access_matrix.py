"""Every address of the project × everybody of the cast → the status they get.

An address that is missing here fails the test: whoever adds a page says who may see it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from logs.browsing.actions import save_view
from logs.formats.reported import ReportedCall
from logs.models import Call
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.gateway_keys import create_gateway_key
from teams.actions.invitations import create_link
from teams.actions.tokens import create_token
from teams.actions.transfers import offer_transfer
from teams.activity import SITE, Actor
from teams.models import Activity, Mode, Token
from tests.conftest import Cast
from usage.alerts.models import Message, Webhook
from usage.anomalies.models import ExpectedEpisode

WHO = ["owner", "administrator", "member", "former", "outsider", "anonymous"]
LOGIN = 302  # to the sign-in page; the pages that redirect after a POST are marked by the method

# One column for each of WHO. For POST the form is empty or a button's; 422 and 302 mean that it was let in.
SEE_OWN = (200, 200, 200, 404, 404, LOGIN)
SEE_TEAM = (200, 200, 403, 404, 404, LOGIN)
OWN = (200, 200, 200, 200, 200, LOGIN)
POST_MEMBER = (302, 302, 302, 404, 404, LOGIN)
POST_ADMINISTRATOR = (302, 302, 403, 404, 404, LOGIN)
FORM_MEMBER = (422, 422, 422, 404, 404, LOGIN)
FORM_ADMINISTRATOR = (422, 422, 403, 404, 404, LOGIN)
FORM_OWNER = (422, 403, 403, 404, 404, LOGIN)

MATRIX: dict[str, tuple[str, tuple[int, ...]]] = {
    "healthz": ("GET", (200,) * 6),
    "home": ("GET", (302, 302, 302, 302, 302, LOGIN)),
    "teams:profile": ("GET", OWN),
    "teams:account-activity": ("GET", OWN),
    "teams:new": ("GET", OWN),
    "teams:invite": ("GET", (200,) * 6),
    "teams:invite-accept": ("POST", (302, 302, 302, 302, 302, LOGIN)),
    "teams:invite-decline": ("POST", (302, 302, 302, 302, 302, 302)),  # a link for many cannot be declined
    "teams:members": ("GET", SEE_TEAM),
    "teams:member-role": ("POST", POST_ADMINISTRATOR),
    "teams:member-remove": ("POST", POST_ADMINISTRATOR),
    "teams:invitations": ("GET", SEE_TEAM),
    "teams:invite-by-email": ("POST", FORM_ADMINISTRATOR),
    "teams:invite-by-link": ("POST", FORM_ADMINISTRATOR),
    "teams:invitation-resend": ("POST", SEE_TEAM),
    "teams:invitation-revoke": ("POST", POST_ADMINISTRATOR),
    "teams:tokens": ("GET", SEE_OWN),
    # The token is the member's: only they may see a new secret, and those above may stop it.
    "teams:token-rename": ("POST", (403, 403, 302, 404, 404, LOGIN)),
    "teams:token-rotate": ("POST", (403, 403, 200, 404, 404, LOGIN)),
    "teams:token-disable": ("POST", POST_MEMBER),
    "teams:token-enable": ("POST", POST_MEMBER),
    "teams:token-revoke": ("POST", POST_MEMBER),
    "teams:gateway-key-new": ("POST", FORM_ADMINISTRATOR),
    "teams:gateway-key-rename": ("POST", POST_ADMINISTRATOR),
    "teams:gateway-key-rotate": ("POST", SEE_TEAM),
    "teams:gateway-key-disable": ("POST", POST_ADMINISTRATOR),
    "teams:gateway-key-enable": ("POST", POST_ADMINISTRATOR),
    "teams:gateway-key-revoke": ("POST", POST_ADMINISTRATOR),
    "teams:activity": ("GET", SEE_TEAM),
    "teams:activity-export": ("GET", SEE_TEAM),
    "teams:settings": ("GET", SEE_OWN),
    "teams:settings-general": ("POST", FORM_ADMINISTRATOR),
    "teams:leave": ("POST", POST_MEMBER),
    "teams:delete": ("POST", FORM_OWNER),
    "teams:transfer-offer": ("POST", FORM_OWNER),
    # The offer is to the administrator.
    "teams:transfer-accept": ("POST", (403, 302, 403, 404, 404, LOGIN)),
    "teams:transfer-decline": ("POST", (403, 302, 403, 404, 404, LOGIN)),
    "teams:transfer-cancel": ("POST", (302, 403, 403, 404, 404, LOGIN)),
    "usage:overview": ("GET", SEE_OWN),
    "usage:ranking": ("GET", SEE_TEAM),
    "usage:top": ("GET", SEE_TEAM),
    "usage:me": ("GET", OWN),
    "usage:me-calls": ("GET", (200, 200, 302, 200, 200, LOGIN)),  # the member's only call is in one context
    "usage:me-export": ("GET", (400, 400, 400, 400, 400, LOGIN)),  # without a format
    "usage:digest": ("GET", SEE_TEAM),
    "usage:alerts": ("GET", SEE_OWN),
    "usage:alerts-mails": ("POST", POST_MEMBER),
    "usage:alerts-thresholds": ("POST", POST_ADMINISTRATOR),
    "usage:messages": ("GET", SEE_TEAM),
    "usage:message-resend": ("POST", POST_ADMINISTRATOR),
    "usage:webhook-new": ("POST", FORM_ADMINISTRATOR),
    "usage:webhook": ("GET", SEE_TEAM),
    "usage:webhook-change": ("POST", FORM_ADMINISTRATOR),
    "usage:webhook-rotate": ("POST", SEE_TEAM),
    "usage:webhook-delete": ("POST", POST_ADMINISTRATOR),
    "usage:webhook-test": ("POST", POST_ADMINISTRATOR),
    # Without a format they say so: 400.
    "usage:overview-export": ("GET", (400, 400, 400, 404, 404, LOGIN)),
    "usage:ranking-export": ("GET", (400, 400, 403, 404, 404, LOGIN)),
    "usage:expected-mark": ("POST", POST_ADMINISTRATOR),
    "usage:expected-unmark": ("POST", POST_ADMINISTRATOR),
    "usage:refusals": ("GET", SEE_OWN),
    "usage:quotas": ("GET", SEE_TEAM),
    "usage:quotas-team": ("POST", FORM_OWNER),
    "usage:quotas-members": ("POST", FORM_ADMINISTRATOR),
    "usage:quotas-unpriced": ("POST", FORM_ADMINISTRATOR),
    "usage:member-editor": ("GET", SEE_TEAM),
    "usage:token-new": ("POST", FORM_MEMBER),
    "usage:token-editor": ("GET", SEE_OWN),  # of the member's token, which has no limit yet
    "usage:token": ("GET", SEE_OWN),  # the member's
    "usage:gateway-key": ("GET", SEE_TEAM),
    "logs:check": ("GET", SEE_TEAM),
    "logs:list": ("GET", SEE_OWN),
    "logs:export": ("GET", SEE_OWN),
    "logs:choices": ("GET", SEE_OWN),
    "logs:detail": ("GET", SEE_OWN),  # a call of the member's
    "logs:latency": ("GET", SEE_OWN),
    "logs:tail": ("GET", (204, 204, 204, 404, 404, LOGIN)),
    "logs:view-save": ("POST", POST_MEMBER),
    "logs:view-delete": ("POST", POST_ADMINISTRATOR),  # a shared view
}
# Answered by keys, not by people: tested with the API. And what Django and allauth bring along.
ELSEWHERE = ("api/v1/", "otlp/", "^(?:api|otlp)/", "accounts/", "admin/")


def own_addresses(resolver: URLResolver | None = None, path: str = "", space: str = "") -> Iterator[str]:
    """The names of the project's own addresses, those without a name by their path."""
    for pattern in (resolver or get_resolver()).url_patterns:
        here = path + str(pattern.pattern)
        if here.startswith(ELSEWHERE) and here not in {"accounts/profile/", "accounts/activity/"}:
            continue
        if isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}" if pattern.name else here
        else:
            yield from own_addresses(pattern, here, f"{pattern.namespace}:" if pattern.namespace else space)


@pytest.fixture
def things(cast: Cast) -> dict[str, str]:
    """One of each thing that an address may name."""
    now = timezone.now()
    invitation, link = create_link(by=Actor(cast.owner), team=cast.team, role="member", now=now, max_uses=9)
    token, _ = create_token(by=SITE, team=cast.team, user=cast.member, name="laptop")
    key, _ = create_gateway_key(by=SITE, team=cast.team, name="LiteLLM")
    transfer = offer_transfer(
        by=Actor(cast.owner),
        team=cast.team,
        successor=cast.administrator,
        typed_name=cast.team.name,
        now=now,
    )
    expected = ExpectedEpisode.objects.create(
        team=cast.team,
        mode=Mode.LIVE,
        kind="calls",
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        marked_at=now,
    )
    # Off, and at an address that is not connected to.
    webhook = Webhook.objects.create(
        team=cast.team, name="chat", url="http://127.0.0.1:9/", events=["usage.unusual"], is_active=False
    )
    message = Message.objects.create(
        team=cast.team, webhook=webhook, state="failed", body="{}", created_at=now, due_at=now
    )
    return {
        "slug": cast.team.slug,
        "webhook_id": webhook.public_id,
        "message_id": message.public_id,
        "expected_id": expected.public_id,
        "user_id": cast.member.public_id,
        "invitation_id": invitation.public_id,
        "token_id": token.public_id,
        "key_id": key.public_id,
        "transfer_id": transfer.public_id,
        "secret": link.rstrip("/").rpartition("/")[2],
        "name": "model",
        "view_id": save_view(
            by=Actor(cast.owner), team=cast.team, name="a", query="", is_shared=True
        ).public_id,
        "call_id": str(_recorded(token, now).id),
    }


def _recorded(token: Token, now: datetime) -> Call:
    call = ReportedCall(request_id="a", started_at=now, model="gpt-4o-mini")
    record_calls([call], by=Caller(token=token), now=now)
    return Call.objects.get(team_id=token.team_id)


def address(name: str, things: dict[str, str]) -> str:
    *spaces, last = name.split(":")
    resolver = get_resolver()
    for space in spaces:
        resolver = resolver.namespace_dict[space][1]
    _possibility, _pattern, _defaults, converters = resolver.reverse_dict.getlist(last)[0]
    return reverse(name, kwargs={argument: things[argument] for argument in converters})


def test_every_address_of_the_project_is_in_the_table() -> None:
    assert set(own_addresses()) == set(MATRIX)


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("name", MATRIX)
def test_everybody_gets_what_the_permission_table_says(
    name: Any, who: str, things: dict[str, str], client_of: Callable[..., Client]
) -> None:
    method, statuses = MATRIX[name]
    client = client_of(who)
    response = client.generic(method, address(name, things))
    assert response.status_code == statuses[WHO.index(who)]
    needs_sign_in = who == "anonymous" and statuses[-1] == LOGIN and name != "teams:invite-decline"
    if needs_sign_in:
        assert response["Location"].startswith("/accounts/login/?next=/")


@pytest.mark.parametrize("who", ["former", "outsider", "anonymous"])
@pytest.mark.parametrize(
    "name", [name for name, (method, _) in MATRIX.items() if method == "POST" and "invite-" not in name]
)
def test_who_is_not_in_the_team_changes_nothing(
    name: Any, who: str, things: dict[str, str], client_of: Callable[..., Client]
) -> None:
    rows = Activity.objects.count()
    client_of(who).post(address(name, things))
    assert Activity.objects.count() == rows


@pytest.mark.parametrize("name", [name for name, (method, _) in MATRIX.items() if method == "POST"])
def test_a_write_is_not_done_by_a_link(
    name: Any, things: dict[str, str], client_of: Callable[..., Client]
) -> None:
    assert client_of("owner").get(address(name, things)).status_code == 405


@pytest.mark.parametrize("who", WHO)
def test_the_site_administration_is_for_staff(who: str, cast: Cast, client_of: Callable[..., Client]) -> None:
    response = client_of(who).get("/admin/")
    assert response.status_code == 302
    assert "login" in response["Location"]
