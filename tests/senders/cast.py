"""A team of many members, each with a token, whom the senders call for. Runs inside Callboard's own settings."""

import io
import json
from dataclasses import asdict, dataclass

from django.core.management import call_command

from teams.models import Token

MEMBERS, LIMIT_USD = 120, "1000"


@dataclass(frozen=True)
class Member:
    email: str
    secret: str
    token: str  # the public id


@dataclass(frozen=True)
class Cast:
    team: str
    gateway_key: str  # of the site
    members: list[Member]


def print_cast() -> None:
    """Makes them, and prints them for `read_cast`: one process, where a command each would take a minute."""
    owner = "olivia@example.org"
    run("create_user", owner)
    team = run("create_team", "Harbour Research", "--owner", owner)
    run("set_quota", "--team", team, LIMIT_USD)
    members = [_member(team, f"member{number}@example.org") for number in range(MEMBERS)]
    key = run("create_gateway_key", "--name", "litellm")
    print(json.dumps(asdict(Cast(team, key, members))))  # noqa: T201  # the result of this process


def _member(team: str, email: str) -> Member:
    run("create_user", email)
    run("add_member", team, email)
    secret = run("create_token", email, "--team", team)
    token = Token.objects.get(user__email=email).public_id
    run("set_quota", "--token", token, LIMIT_USD)
    return Member(email, secret, token)


def run(*command: str) -> str:
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue().strip()


def read_cast(printed: str) -> Cast:
    values = json.loads(printed.splitlines()[-1])
    return Cast(values["team"], values["gateway_key"], [Member(**one) for one in values["members"]])
