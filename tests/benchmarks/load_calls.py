"""Fills an empty database with millions of calls and their rollups, to measure on. Not for real data.

    DATABASE_URL=… python -m tests.benchmarks.load_calls --calls 10000000

90 days up to a fixed moment, 200 teams (Zipf 1.07: the largest has a fifth of all calls), 4,000 members,
3 tokens each, 12 models, in the order in which calls are reported. Rows go straight into the tables: COPY
on PostgreSQL, executemany on SQLite; indexes are made afterwards. Some values are rare on purpose.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAYS = 90
TEAMS, MEMBERS, TOKENS = 200, 4_000, 3
EXPONENT = 1.07
MODELS = [
    ("gpt-4o-mini", "openai", 0.31),
    ("gpt-4o", "openai", 0.17),
    ("claude-sonnet-4-5", "anthropic", 0.15),
    ("gpt-4.1", "openai", 0.11),
    ("gemini-2.5-flash", "google", 0.09),
    ("gemini-2.5-pro", "google", 0.06),
    ("claude-haiku-4-5", "anthropic", 0.05),
    ("text-embedding-3-small", "openai", 0.03),
    ("mistral-small-latest", "mistral", 0.015),
    ("o3-mini", "openai", 0.01),
    ("house-model", "house", 0.0049),
    ("rare-model", "house", 0.0001),
]
CHANNELS = [("", 0.9), ("azure-east", 0.07), ("azure-west", 0.0298), ("azure-rare", 0.0002)]
FAILURES = [
    (400, 1, "invalid_request_error", "Invalid value for 'temperature'", 0.25),
    (429, 2, "rate_limit_error", "Rate limit reached for requests", 0.45),
    (500, 3, "server_error", "The server had an error while processing your request", 0.15),
    (503, 3, "overloaded_error", "The engine is currently overloaded, please try again later", 0.148),
    (418, 1, "teapot_error", "I'm a teapot", 0.002),
]
FAILED = 0.04
NUMBERS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")


def main() -> None:
    import django

    django.setup()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    arguments = parser.parse_args()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    load(arguments.calls)
    print(f"{arguments.calls:,} calls in {time.perf_counter() - began:.0f} s")


def load(calls: int) -> None:
    """Teams, then day by day calls and rollups, then the indexes."""
    from tests.benchmarks.bulk_tables import analyze, dropped_indexes, write_rows

    rng = np.random.default_rng(7)
    people = make_people(rng)
    with dropped_indexes():
        for day in range(DAYS):
            count = calls // DAYS + (day < calls % DAYS)
            batch = draw_day(rng, people, NOW - timedelta(days=DAYS - day), count)
            write_rows("logs_call", CALL_COLUMNS, call_rows(batch, day))
            for table, columns, rows in rollup_rows(batch):
                write_rows(table, columns, rows)
            write_rows("logs_calltag", ("team_id", "mode", "tag", "id"), tag_rows(batch))
            print(f"\rday {day + 1} of {DAYS}", end="", flush=True)
        print()
        write_rows(
            "logs_callroute", ("team_id", "provider", "endpoint", "channel", "stream"), route_rows(people)
        )
        write_quota_use()
    analyze()


class People:
    """Teams, who is in them and their tokens, as arrays that calls are drawn from."""

    def __init__(self, team_ids: Sequence[int], members: list[list[int]], tokens: dict[int, list[int]]) -> None:
        weights = 1 / np.arange(1, len(team_ids) + 1) ** EXPONENT
        self.team_ids = np.array(team_ids)
        self.team_share = weights / weights.sum()
        self.starts = np.cumsum([0, *(len(some) for some in members)])
        self.sizes = np.array([len(some) for some in members])
        self.members = np.array([member for some in members for member in some])
        self.tokens = np.array([tokens[member] for some in members for member in some])


def make_people(rng: np.random.Generator) -> People:
    """The rows of users, their spaces, teams, memberships, tokens; the largest team's slug is `bench-1`."""
    from teams.models import Membership, Role, Team, Token, User

    users = User.objects.bulk_create(
        [User(email=f"u{n}@bench.example", name=f"Person {n}", password="!") for n in range(MEMBERS)]
    )
    weights = 1 / np.arange(1, TEAMS + 1) ** 0.6
    sizes = np.maximum(1, (weights / weights.sum() * MEMBERS).astype(int))
    starts = np.cumsum([0, *sizes])
    owned = [users[int(start) : int(start + size)] for start, size in zip(starts, sizes, strict=False)]
    teams = Team.objects.bulk_create(
        [Team(name=f"Bench {n + 1}", slug=f"bench-{n + 1}", owner=some[0]) for n, some in enumerate(owned)]
    )
    memberships = [
        Membership(team=team, user=user, role=Role.MEMBER if index else Role.OWNER)
        for team, some in zip(teams, owned, strict=True)
        for index, user in enumerate(some)
    ]
    spaces = Team.objects.bulk_create(
        [
            Team(name="Personal space", slug=f"u{n}", owner=user, is_personal=True)
            for n, user in enumerate(users)
        ]
    )
    own = [Membership(team=space, user=space.owner, role=Role.OWNER) for space in spaces]
    Membership.objects.bulk_create([*memberships, *own])
    tokens = Token.objects.bulk_create(
        [
            Token(name=f"token {n}", prefix="cb_live_", digest=f"{m.user_id}-{n}", team=m.team, user=m.user)
            for m in memberships
            for n in range(TOKENS)
        ]
    )
    of_user: dict[int, list[int]] = {}
    for token in tokens:
        of_user.setdefault(token.user_id, []).append(token.pk)
    return People([team.pk for team in teams], [[user.pk for user in some] for some in owned], of_user)


def draw_day(rng: np.random.Generator, people: People, day: datetime, count: int) -> dict[str, Any]:
    """The columns of one day's calls, in time order."""
    seconds = np.sort(rng.random(count) * 86_400)
    team = rng.choice(len(people.team_ids), count, p=people.team_share)
    # Some members call far more than others.
    member = people.starts[team] + (people.sizes[team] * rng.random(count) ** 2.2).astype(int)
    token = people.tokens[member, (TOKENS * rng.random(count) ** 3).astype(int)]
    model = rng.choice(len(MODELS), count, p=[share for *_rest, share in MODELS])
    failure = np.where(
        rng.random(count) < FAILED, rng.choice(len(FAILURES), count, p=[f[4] for f in FAILURES]), -1
    )
    failed = failure >= 0
    latency = rng.lognormal(7, 0.8, count).astype(np.int64)
    latency = np.where(failed, latency // 20, latency) * np.where(rng.random(count) < 0.0005, 40, 1)
    is_stream = (rng.random(count) < 0.5) & (model != 7)
    unknown = rng.random(count) < 0.01
    tokens_in = np.where(failed, 0, rng.lognormal(6.8, 1.2, count).astype(np.int64))
    tokens_out = np.where(failed | (model == 7), 0, rng.lognormal(5.3, 1, count).astype(np.int64))
    return {
        "day": day,
        "micros": (seconds * 1e6).astype(np.int64),
        "team": people.team_ids[team],
        "member": people.members[member],
        "token": token,
        "model": model,
        "failure": failure,
        "outcome": np.where(failed, np.array([f[1] for f in FAILURES])[failure], 0),
        "mode": (rng.random(count) < 0.01).astype(int),
        "channel": rng.choice(len(CHANNELS), count, p=[share for _name, share in CHANNELS]),
        "stream": is_stream,
        "latency": np.where(unknown, -1, latency),
        "ttft": np.where(is_stream & ~failed, latency // 4, -1),
        "input": tokens_in,
        "output": tokens_out,
        "cost": np.where(model >= 10, 0, tokens_in * 150 + tokens_out * 600),
        "unpriced": (model >= 10) & ~failed,
        "session": np.where(rng.random(count) < 0.2, rng.integers(0, max(10, count // 5), count), -1),
        "ip": rng.integers(0, 4000, count),
        "tag": rng.choice([-1, 0, 1, 2], count, p=[0.8, 0.15, 0.0499, 0.0001]),
        "random": rng.integers(0, 2**62, count),
    }


TAGS = ["nightly", "batch", "needle"]
CALL_COLUMNS = (
    "team_id", "id", "mode", "request_id", "started_at", "received_at", "member_id", "token_id",
    "gateway_key_id", "payer_id", "model", "provider", "endpoint", "channel", "status", "outcome", "stream",
    "latency_ms", "ttft_ms", *NUMBERS, "cost_nanos", "priced_by", "error_type", "error_code",
    "error_message", "ip", "user_agent", "session_id", "tags", "metadata",
)  # fmt: skip


def _ids(batch: dict[str, Any]) -> list[UUID]:
    from logs.recording.ids import first_id

    base = int((batch["day"] - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
    fixed = first_id(batch["day"]).int & ~(((1 << 48) - 1) << 80)
    millis, micros = np.divmod(batch["micros"], 1000)
    fractions = (micros * 4096 + 999) // 1000
    return [
        UUID(int=(base + ms) << 80 | fraction << 64 | fixed | low)
        for ms, fraction, low in zip(millis.tolist(), fractions.tolist(), batch["random"].tolist(), strict=True)
    ]


def call_rows(batch: dict[str, Any], day: int) -> Iterator[tuple[Any, ...]]:
    batch["ids"] = _ids(batch)
    lists = {name: column.tolist() for name, column in batch.items() if isinstance(column, np.ndarray)}
    start: datetime = batch["day"]
    for n, call_id in enumerate(batch["ids"]):
        model, provider, _share = MODELS[lists["model"][n]]
        failure = FAILURES[lists["failure"][n]] if lists["failure"][n] >= 0 else None
        at = start + timedelta(microseconds=lists["micros"][n])
        latency, ttft, tag = lists["latency"][n], lists["ttft"][n], lists["tag"][n]
        yield (
            lists["team"][n], call_id, lists["mode"][n], f"req-{day}-{n}", at, at, lists["member"][n],
            lists["token"][n], 0, 1, model, provider, "embeddings" if lists["model"][n] == 7 else "chat",
            CHANNELS[lists["channel"][n]][0], failure[0] if failure else 200, lists["outcome"][n],
            lists["stream"][n], latency if latency >= 0 else None, ttft if ttft >= 0 else None,
            lists["input"][n], lists["output"][n], 0, 0, 0, lists["cost"][n],
            4 if failure else 0 if lists["unpriced"][n] else 3, failure[2] if failure else "", "",
            f"{failure[3]} (request {call_id.hex[:12]})" if failure else "",
            f"10.0.{lists['ip'][n] % 16}.{lists['ip'][n] // 16}",
            "bench/1.0", f"session-{day}-{lists['session'][n]}" if lists["session"][n] >= 0 else "",
            json.dumps([TAGS[tag]]) if tag >= 0 else "[]", "{}",
        )  # fmt: skip


def tag_rows(batch: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    columns = (batch["team"].tolist(), batch["mode"].tolist(), batch["tag"].tolist(), batch["ids"])
    for team, mode, tag, call_id in zip(*columns, strict=True):
        if tag >= 0:
            yield team, mode, TAGS[tag], call_id


def write_quota_use() -> None:
    """What every level used of its quota: the costs of the rollups, by the day."""
    from django.db.models import Sum

    from teams.models import Team
    from tests.benchmarks.bulk_tables import write_rows
    from usage.quotas.models import Level
    from usage.rollups.models import DayMember, DayModel, DayToken

    space_of = dict(Team.objects.filter(is_personal=True).values_list("owner_id", "pk"))
    payer_of = {pk: space_of[owner] for pk, owner in Team.objects.values_list("pk", "owner_id")}
    sums: dict[str, Any] = {"n": Sum("calls"), "used": Sum("cost_nanos")}
    columns = ("team_id", "mode", "level", "subject_id", "day", "calls", "used_nanos")
    levels = ((Level.TOKEN, DayToken, "token_id"), (Level.MEMBER, DayMember, "member_id"))
    for level, rollup, subject in levels:
        used = rollup._default_manager.values_list("team_id", "mode", subject, "day", "calls", "cost_nanos")
        rows = ((team, mode, level.value, *rest) for team, mode, *rest in used.iterator())
        write_rows("usage_quotause", columns, list(rows))
    of_team = list(
        DayModel.objects.values("team_id", "mode", "day")
        .annotate(**sums)
        .values_list("team_id", "mode", "day", "n", "used")  # type: ignore[misc]  # the plugin does not see **sums
    )
    for level, team_of in ((Level.TEAM, int), (Level.OWNER, payer_of.__getitem__)):
        rows = ((team_of(team), mode, level.value, 0, *rest) for team, mode, *rest in of_team)
        write_rows("usage_quotause", columns, rows)


def route_rows(people: People) -> Iterator[tuple[Any, ...]]:
    """Every combination in every team: more than occur, which is the harder case."""
    kinds = sorted(
        {(provider, "embeddings" if n == 7 else "chat") for n, (_m, provider, _s) in enumerate(MODELS)}
    )
    for team in people.team_ids.tolist():
        for provider, endpoint in kinds:
            for channel, _share in CHANNELS:
                yield from ((team, provider, endpoint, channel, stream) for stream in (False, True))


def rollup_rows(batch: dict[str, Any]) -> Iterator[tuple[str, Sequence[str], Iterable[tuple[Any, ...]]]]:
    """The rows that one day adds to every rollup. Teams are on UTC, so a day is complete."""
    from usage.rollups.folding import COUNTERS, SKETCHES, _counters, _sketches
    from usage.rollups.models import ROLLUPS
    from usage.rollups.sketch import bucket_of

    names = ("outcome", "unpriced", "input", "output")
    zeros = np.zeros(len(batch["team"]), dtype=np.int64)
    numbers = np.column_stack(
        [*(batch[name] for name in names), zeros, zeros, zeros, batch["cost"], batch["latency"], batch["ttft"]]
    ).astype(np.int64)
    sums = _counters(numbers)
    buckets = [np.where(v >= 0, bucket_of(v), -1) for v in (batch["latency"], batch["ttft"])]
    start: datetime = batch["day"]
    first_hour = start.hour
    hours = (batch["micros"] + first_hour * 3_600_000_000) // 3_600_000_000
    midnight = start.replace(hour=0)
    values: dict[str, tuple[Any, Callable[[int], Any]]] = {
        "hour": (hours, lambda n: midnight + timedelta(hours=n)),
        "day": (hours // 24, lambda n: (midnight + timedelta(days=n)).date()),
        "member_id": (batch["member"], int),
        "token_id": (batch["token"], int),
        "model": (batch["model"], lambda n: MODELS[n][0]),
    }
    for rollup in ROLLUPS:
        keys = np.column_stack([batch["team"], batch["mode"], *(values[name][0] for name in rollup.DIMENSIONS)])
        found, rows = np.unique(keys, axis=0, return_inverse=True)
        counters = np.zeros((len(found), sums.shape[1]), dtype=np.int64)
        np.add.at(counters, rows, sums)
        sketches = [_sketches(rows, some, len(found)) for some in buckets]
        shown = [[team, mode, *(values[name][1](n) for name, n in zip(rollup.DIMENSIONS, rest, strict=True))]
                 for team, mode, *rest in found.tolist()]  # fmt: skip
        merged = (
            (*key, *counts, latency, ttft)
            for key, counts, latency, ttft in zip(shown, counters.tolist(), *sketches, strict=True)
        )
        columns = ("team_id", "mode", *rollup.DIMENSIONS, *COUNTERS, *SKETCHES)
        yield rollup._meta.db_table, columns, merged


if __name__ == "__main__":
    main()
