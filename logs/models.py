"""The tables of the logs: one row for each finished call to a model, and tables that help to find calls."""

from django.db import models
from django.db.models import F, Func
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.models import Mode, Team, User, public_id
from usage.prices.models import PricedBy
from usage.rollups.models import Outcome

# Written as a template, because SQLite uses an index on an expression only for exactly the same SQL text.
LATENCY = Func(F("latency_ms"), template="COALESCE(%(expressions)s, -1)", output_field=models.BigIntegerField())
TOKENS = F("input_tokens") + F("output_tokens")


class Call(models.Model):
    """One finished request to a model, successful or not.

    Inserted by `logs.recording.record`, changed or removed only by `logs.recording.amend`, and deleted when the
    team's retention ends. The table has no foreign keys and is never joined: names of members and tokens are
    looked up separately. `id` is a UUIDv7 made from `started_at` with microsecond precision
    (`logs.recording.ids`), so a time range is a range of the primary key (team, id), and paging by id is paging
    by time.
    """

    pk = models.CompositePrimaryKey("team_id", "id")
    team_id = models.BigIntegerField()
    id = models.UUIDField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    request_id = models.CharField(max_length=128)
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()

    # Who called: a user, their token (0: a gateway reported the member only), the gateway key (0: none), and
    # the team owner whose balance was charged.
    member_id = models.BigIntegerField()
    token_id = models.BigIntegerField()
    gateway_key_id = models.BigIntegerField()
    payer_id = models.BigIntegerField()

    # What was called, and the outcome. Durations are milliseconds, null when unknown.
    model = models.CharField(max_length=128)
    provider = models.CharField(max_length=64)
    endpoint = models.CharField(max_length=64)
    channel = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    outcome = models.SmallIntegerField(choices=Outcome.choices)
    stream = models.BooleanField()
    latency_ms = models.BigIntegerField(null=True)
    ttft_ms = models.BigIntegerField(null=True)

    # Tokens and cost. `input_tokens` includes cached tokens; the cost is in nano-dollars.
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
    # Fields that few calls have: those of `logs.formats.reported.DETAILS` that are set; null if none is.
    details = models.JSONField(null=True, default=None)

    class Meta:
        constraints = [
            # Keeps a call that is reported again from being stored twice. For deleted calls, KeptCalls does.
            models.UniqueConstraint(fields=["team_id", "mode", "request_id"], name="call_reported_once"),
        ]
        # Every index ends with the columns that the logs often filter by, so that most filters only read the
        # index. tests/benchmarks/bench_logs.py prints the gain and the size of each index.
        indexes = [
            # One member's own calls, newest first: the logs and the personal page of every member.
            models.Index(
                fields=["team_id", "member_id", "-id", "mode", "outcome", "token_id"], name="call_by_member"
            ),
            # The calls of a rarely used model among millions of calls.
            models.Index(fields=["team_id", "model", "-id", "mode", "outcome"], name="call_by_model"),
            # Failed calls are few and often searched for. A query uses this index only if it says outcome != 0.
            models.Index(
                fields=[
                    *("team_id", "-id", "mode", "outcome", "status", "member_id", "token_id", "model"),
                    *("error_type", "latency_ms", "cost_nanos"),
                ],
                name="call_failed",
                condition=~models.Q(outcome=0),
            ),
            # Filters by provider, endpoint, channel or streaming; CallRoute lists the existing combinations.
            models.Index(
                fields=["team_id", "provider", "endpoint", "channel", "stream", "-id", "mode"],
                name="call_by_route",
            ),
            # For sorting, and filters by range; unknown latency counts as -1. The last columns are those that
            # totals add up, those of the expressions, without which PostgreSQL reads each row of the table, and
            # the latency, which is often filtered together with tokens and cost.
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
            # The next columns are empty for most calls, which these indexes leave out.
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
            # Test calls are usually few among many live ones.
            models.Index(fields=["team_id", "-id"], name="call_test", condition=models.Q(mode=Mode.TEST)),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.started_at:%Y-%m-%d %H:%M:%S}"


class CallRoute(models.Model):
    """A combination of provider, endpoint, channel and streaming that occurs among a team's calls.

    There are few, and they are never deleted while the team exists. The search uses them to turn a filter by
    one of the four columns into complete keys of the index `call_by_route`.
    """

    pk = models.CompositePrimaryKey("team_id", "provider", "endpoint", "channel", "stream")
    team_id = models.BigIntegerField()
    provider = models.CharField(max_length=64)
    endpoint = models.CharField(max_length=64)
    channel = models.CharField(max_length=64)
    stream = models.BooleanField()


class CallTag(models.Model):
    """One tag of one call. The table serves as an index of `Call.tags` that works on SQLite and PostgreSQL."""

    pk = models.CompositePrimaryKey("team_id", "mode", "tag", "id")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    tag = models.CharField(max_length=64)
    id = models.UUIDField()  # of the call


class CallLayer(models.Model):
    """One report of a call, or one trace span that is not a call, received within the last 24 hours.

    The same call may be reported several times ("layers"): by instrumentations above each other in one trace,
    or by a client and by the gateway behind it. `logs.recording.identity` compares new reports with these rows
    to recognise that they are about the same call. `call_id` is the call that the report was attributed to.
    """

    pk = models.CompositePrimaryKey("team_id", "mode", "trace_id", "span_id", "match_key")
    team_id = models.BigIntegerField()
    mode = models.SmallIntegerField(choices=Mode.choices)
    # "" for a report outside of any trace; its `span_id` is then a hash of the values that identify it.
    trace_id = models.CharField(max_length=64)
    span_id = models.CharField(max_length=64)
    # The response id, or another id that other observers' reports of the same call share; "" for none.
    match_key = models.CharField(max_length=128)
    parent_id = models.CharField(max_length=64)
    # Null: a report that covers several calls, or a span that is not a call.
    call_id = models.UUIDField(null=True)
    received_at = models.DateTimeField()
    # The report (`Layer.report` of `logs.recording.layers`), to merge the call again; null for other spans.
    report = models.JSONField(null=True)

    class Meta:
        indexes = [
            # Finds other observers' reports of the same call: a client's span and its gateway's callback.
            models.Index(
                fields=["team_id", "mode", "match_key"],
                name="layer_by_match_key",
                condition=~models.Q(match_key=""),
            ),
            # Finds the remaining reports of a call when one of them turns out not to belong to it.
            models.Index(
                fields=["team_id", "call_id"], name="layer_by_call", condition=models.Q(call_id__isnull=False)
            ),
            # Finds rows older than a day, to delete them.
            models.Index(fields=["received_at"], name="layer_by_age"),
        ]

    def __str__(self) -> str:
        return f"span {self.span_id} of trace {self.trace_id}"


class KeptCalls(models.Model):
    """The time from which on a team's single calls are still stored; older calls were deleted.

    Statistics of the deleted calls remain. Without a row, no call of the team was ever deleted. The row is
    written before the first call is deleted: a recount then knows that calls are missing, and a deleted call
    that is reported again is not counted twice.
    """

    team_id = models.BigIntegerField(primary_key=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"team {self.team_id} since {self.since:%Y-%m-%d}"


def view_public_id() -> str:
    return public_id("view")


class SavedView(models.Model):
    """A saved set of filters of the logs page: private to its creator, or shared with the team.

    A shared view gives no additional access: a member who opens it still sees only their own calls.
    """

    public_id = models.CharField(max_length=24, unique=True, default=view_public_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="saved_views")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="saved_views")
    name = models.CharField(_("name"), max_length=80)
    # The query string of the page, without the paging position.
    query = models.CharField(max_length=2000, blank=True)
    is_shared = models.BooleanField(_("shared with the team"), default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user", "name"], name="saved_view_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name
