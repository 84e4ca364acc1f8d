"""The tables of the logs: one row for each finished call to a model, and what is looked up beside it."""

from django.db import models
from django.db.models import F, Func
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Mode, Team, User, public_id
from usage.prices.models import PricedBy
from usage.rollups.models import Outcome

# Written out, because SQLite knows an index on an expression again only by its very text.
LATENCY = Func(F("latency_ms"), template="COALESCE(%(expressions)s, -1)", output_field=models.BigIntegerField())
TOKENS = F("input_tokens") + F("output_tokens")


class Call(models.Model):
    """One finished request to a model, successful or not. Written once, by `logs.recording.record`, never changed.

    A record: keyed by team, no foreign keys, never joined; names are looked up apart. The id is a UUIDv7
    of `started_at` to the microsecond (`logs.recording.ids`): a range of time is a range of the primary key, and
    paging by id is paging by time.
    """

    pk = models.CompositePrimaryKey("team_id", "id")
    team_id = models.BigIntegerField()
    id = models.UUIDField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    request_id = models.CharField(max_length=128)
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()

    # Who: a user, their token (0: reported by a gateway for the member), the gateway key (0: none), and
    # the owner whose balance paid.
    member_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    gateway_key_id = models.BigIntegerField()
    payer_id = models.BigIntegerField()

    # What and how it went. Times in milliseconds, null when unknown.
    model = models.CharField(max_length=128)
    provider = models.CharField(max_length=64)
    endpoint = models.CharField(max_length=64)
    channel = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    outcome = models.SmallIntegerField(choices=Outcome.choices)
    stream = models.BooleanField()
    latency_ms = models.BigIntegerField(null=True)
    ttft_ms = models.BigIntegerField(null=True)

    # How much. `input_tokens` includes cached ones; cost in nano-dollars.
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cached_tokens = models.BigIntegerField()
    cache_write_tokens = models.BigIntegerField()
    reasoning_tokens = models.BigIntegerField()
    cost_nanos = models.BigIntegerField()
    priced_by = models.SmallIntegerField(choices=PricedBy.choices)

    error_type = models.CharField(max_length=128)
    error_code = models.CharField(max_length=128)
    error_message = models.CharField(max_length=1000)
    ip = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=256)
    session_id = models.CharField(max_length=128)
    tags = models.JSONField(default=list)
    metadata = models.JSONField(default=dict)
    # What few calls have: the fields of `logs.formats.reported.DETAILS` that say something. Null takes no room.
    details = models.JSONField(null=True, default=None)

    class Meta:
        constraints = [
            # A call reported again changes nothing: duplicates fall out by this; once deleted, by KeptCalls.
            models.UniqueConstraint(fields=["team_id", "mode", "request_id"], name="call_reported_once"),
        ]
        # Every index ends with what the logs filter by beside it, so that most filters are settled in the
        # index. tests/benchmarks/bench_logs.py prints what each buys and weighs.
        indexes = [
            # One member's own calls, newest first: the logs and the personal page of every member.
            models.Index(
                fields=["team_id", "member_id", "-id", "mode", "outcome", "token_id"], name="call_by_member"
            ),
            # A model that few use, among millions of calls.
            models.Index(fields=["team_id", "model", "-id", "mode", "outcome"], name="call_by_model"),
            # Failed calls are few and asked for most. The query must itself say outcome != 0.
            models.Index(
                fields=[
                    *("team_id", "-id", "mode", "outcome", "status", "member_id", "token_id", "model"),
                    *("error_type", "latency_ms", "cost_nanos"),
                ],
                name="call_failed",
                condition=~models.Q(outcome=0),
            ),
            # Which way it went: CallRoute knows the combinations that exist.
            models.Index(
                fields=["team_id", "provider", "endpoint", "channel", "stream", "-id", "mode"],
                name="call_by_route",
            ),
            # Sorted by what stands out; the same for filters by range. Unknown latency counts as -1. With what a
            # total adds up; with the columns of the expressions, or PostgreSQL looks up each call for them; and with
            # the latency, which is asked together with tokens and cost.
            models.Index(
                *("team_id", LATENCY.desc(), F("id").desc(), "mode", "outcome", "cost_nanos", "latency_ms"),
                name="call_by_latency",
            ),
            models.Index(
                *("team_id", TOKENS.desc(), F("id").desc(), "mode", "outcome", "cost_nanos"),
                *("input_tokens", "output_tokens", "latency_ms"),
                name="call_by_tokens",
            ),
            models.Index(
                fields=["team_id", "-cost_nanos", "-id", "mode", "outcome", "latency_ms"], name="call_by_cost"
            ),
            models.Index(
                fields=["team_id", "-ttft_ms", "-id", "mode", "outcome", "cost_nanos"],
                name="call_by_ttft",
                condition=models.Q(ttft_ms__isnull=False),
            ),
            # These are empty for most calls, and then take no room.
            models.Index(
                fields=["team_id", "session_id", "-id", "mode"],
                name="call_by_session",
                condition=~models.Q(session_id=""),
            ),
            models.Index(
                fields=["team_id", "ip", "-id", "mode"], name="call_by_ip", condition=~models.Q(ip="")
            ),
            models.Index(
                fields=["team_id", "-id", "mode", "model"],
                name="call_unpriced",
                condition=models.Q(priced_by=PricedBy.NOTHING),
            ),
            # Test calls are few among live ones, seldom the other way round.
            models.Index(fields=["team_id", "-id"], name="call_test", condition=models.Q(mode=Mode.TEST)),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.started_at:%Y-%m-%d %H:%M:%S}"


class CallRoute(models.Model):
    """A combination of provider, endpoint, channel and streaming that a team's calls have taken.

    Few, and never deleted: they turn a filter by one of the four into whole keys of `call_by_route`.
    """

    pk = models.CompositePrimaryKey("team_id", "provider", "endpoint", "channel", "stream")
    team_id = models.BigIntegerField()
    provider = models.CharField(max_length=64)
    endpoint = models.CharField(max_length=64)
    channel = models.CharField(max_length=64)
    stream = models.BooleanField()


class CallTag(models.Model):
    """A tag of a call: an index of `Call.tags` that both databases can use."""

    pk = models.CompositePrimaryKey("team_id", "mode", "tag", "id")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    tag = models.CharField(max_length=64)
    id = models.UUIDField()  # of the call


class CallLayer(models.Model):
    """A report of the last 24 hours, of a call or of a span between calls: which call it was found to be of.

    One call may be reported by several layers: instrumentations above each other in one trace, a client and the
    gateway behind it. `logs.recording.identity` tells by these rows what is the same call, across requests.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "trace_id", "span_id", "match_key")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    # "" for reports that are of no trace, whose `span_id` is made of what identifies them.
    trace_id = models.CharField(max_length=64)
    span_id = models.CharField(max_length=64)
    # The id of the response, or another that reports from elsewhere share; "" for none.
    match_key = models.CharField(max_length=128)
    parent_id = models.CharField(max_length=64)
    # Null: of no call, because it is about several, or a span between them.
    call_id = models.UUIDField(null=True)
    received_at = models.DateTimeField()
    # What was reported (`logs.recording.layers`), to work the call out again; null for a span between calls.
    report = models.JSONField(null=True)

    class Meta:
        indexes = [
            # Reports from elsewhere of the same call: a client's span, and its gateway's callback.
            models.Index(
                fields=["team_id", "mode", "match_key"],
                name="layer_by_match_key",
                condition=~models.Q(match_key=""),
            ),
            # The other layers of a call that loses one of them.
            models.Index(
                fields=["team_id", "call_id"], name="layer_by_call", condition=models.Q(call_id__isnull=False)
            ),
            # Those that are a day old, to delete them.
            models.Index(fields=["received_at"], name="layer_by_age"),
        ]

    def __str__(self) -> str:
        return f"span {self.span_id} of trace {self.trace_id}"


class KeptCalls(models.Model):
    """Since when the calls of a team are stored; older ones were deleted, their statistics stayed.

    Without a row all calls are stored. Written before the first call is deleted, so that a recount never misses
    one unknowingly, and a deleted call that is reported again is not taken for a new one.
    """

    team_id = models.BigIntegerField(primary_key=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"team {self.team_id} since {self.since:%Y-%m-%d}"


def view_public_id() -> str:
    return public_id("view")


class SavedView(models.Model):
    """A saved set of filters of the logs: one person's own, or shared with the team.

    Everybody who opens a shared view sees what they may see: a member sees their own calls.
    """

    public_id = models.CharField(max_length=24, unique=True, default=view_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="saved_views")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="saved_views")
    name = models.CharField(_("name"), max_length=80)
    # The query string of the page, without the place in the list.
    query = models.CharField(max_length=2000, blank=True)
    is_shared = models.BooleanField(_("shared with the team"), default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user", "name"], name="saved_view_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name
