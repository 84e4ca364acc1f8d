"""Makes a team of 40 with a gateway key, prints the key and calls to report with it as JSON.

Run in a process of its own, because it needs Django on the scratch database.
"""

import json
import sys
from dataclasses import asdict
from itertools import islice
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402

from logs.demo.generate import SEED, live  # noqa: E402
from logs.demo.people import RESEARCH  # noqa: E402
from logs.demo.sources import make_sources  # noqa: E402
from logs.formats.reported import ReportedCall  # noqa: E402
from teams.actions.gateway_keys import create_gateway_key  # noqa: E402
from teams.actions.members import add_member  # noqa: E402
from teams.actions.teams import create_team  # noqa: E402
from teams.actions.tokens import create_token  # noqa: E402
from teams.actions.users import create_user  # noqa: E402
from teams.activity import SITE  # noqa: E402

_OWN_WORDS = {"error_type": "type", "error_code": "code", "error_message": "message"}
_NOT_REPORTED = {"has_error", "cost_nanos", "team", "member", "reservation", *_OWN_WORDS}


def main(wanted: int) -> None:
    users = [create_user(email=f"member{number}@example.org") for number in range(40)]
    team = create_team(by=SITE, owner=users[0], name="Bench", time_zone=RESEARCH.time_zone)
    for user in users[1:]:
        add_member(by=SITE, team=team, user=user)
    tokens = [create_token(by=SITE, team=team, user=user, name="bench")[0].public_id for user in users]
    _key, secret = create_gateway_key(by=SITE, team=team, name="bench")
    # Ten days, so that a batch is some hours of a busy team, as one after an interruption would be.
    life = live(make_sources(SEED), now=timezone.now(), days=10, scale=wanted / 10_000 * 1.3)
    batches = life.batches(lambda source: tokens[source.number % len(tokens)])
    calls = list(islice((call for batch in batches for call in batch), wanted))
    if len(calls) < wanted:
        raise RuntimeError(f"Only {len(calls)} calls were made.")
    json.dump({"key": secret, "calls": [record_of(call) for call in calls]}, sys.stdout)


def record_of(call: ReportedCall) -> dict[str, Any]:
    """The call as a record of `POST /api/v1/calls`."""
    record = {name: value for name, value in asdict(call).items() if value and name not in _NOT_REPORTED}
    record["started_at"] = call.started_at.isoformat()
    if call.has_error:
        record["error"] = {word: getattr(call, name) for name, word in _OWN_WORDS.items()}
    return record


if __name__ == "__main__":
    main(int(sys.argv[1]))
