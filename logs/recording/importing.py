"""Imports calls from files into a team: finds or creates the members, and records the calls in batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError

from logs.formats.call_format import CallFormat
from logs.formats.identity import OtherSpan
from logs.formats.reported import InvalidRecordError, ReportedCall
from logs.recording.callers import Caller
from logs.recording.record import record_calls
from teams.actions.members import add_member
from teams.actions.users import create_user
from teams.activity import SITE
from teams.errors import ActionError
from teams.models import GatewayKey, Membership, Team, User

# The number of a record in its file, and the record.
Numbered = tuple[int, object]


@dataclass
class Import:
    """A running import into one team: the settings, and the counts so far."""

    team: Team
    form: CallFormat
    default_member: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)  # e-mail in the file → member's, lower case
    creates_members: bool = False
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    ignored: int = 0  # records that are about no call to a model
    created: list[str] = field(default_factory=list)  # addresses that became members
    _known: set[str] = field(default_factory=set)

    def take(self, batch: Sequence[Numbered], now: datetime) -> Iterator[tuple[int, str]]:
        """Records a batch of records; yields (number in the file, error message) for each rejected record."""
        calls: list[ReportedCall] = []
        numbers: list[int] = []
        between = [record for _number, record in batch if isinstance(record, OtherSpan)]
        for number, record in batch:
            if isinstance(record, OtherSpan):
                continue
            try:
                if isinstance(record, InvalidRecordError):
                    raise record
                call = self.form.parse(record, now)
                if call is None:
                    self.ignored += 1
                    continue
                self._name_member(call)
            except InvalidRecordError as error:
                yield number, self._reject(error)
                continue
            calls.append(call)
            numbers.append(number)
        # The import speaks for this team only, as a gateway key of the team would.
        caller = Caller(gateway_key=GatewayKey(pk=0, team=self.team))
        recorded = record_calls(calls, by=caller, now=now, between=between)
        self.accepted += recorded.accepted
        self.duplicates += recorded.duplicates
        for refused in recorded.rejected:
            yield numbers[refused.position], self._reject(refused.error)

    def _reject(self, error: InvalidRecordError) -> str:
        self.rejected += 1
        return f"{error.param}: {error}" if error.param else str(error)

    def _name_member(self, call: ReportedCall) -> None:
        """Sets `call.member` to the mapped or default e-mail address; creates the member if that is allowed.

        Raises InvalidRecordError if the address cannot become a member. A call that names a token is left
        unchanged.
        """
        if call.token:
            return
        address = (call.member or self.default_member).lower()
        call.member = self.mapping.get(address, address)
        if self.creates_members and call.member and call.member not in self._known:
            try:
                is_new = ensure_member(self.team, call.member)
            except (ValidationError, ActionError) as error:
                raise InvalidRecordError("member", "; ".join(_messages(error))) from error
            self._known.add(call.member)
            if is_new:
                self.created.append(call.member)


def _messages(error: ValidationError | ActionError) -> list[str]:
    return error.messages if isinstance(error, ValidationError) else [str(error)]


def ensure_member(team: Team, email: str) -> bool:
    """Makes the user with this e-mail address a member of the team; returns False if they already were one.

    Creates a user without a password if there is none.
    """
    user = User.objects.filter(email__iexact=email).first() or create_user(email=email, by=SITE)
    if Membership.objects.filter(team=team, user=user).exists():
        return False
    add_member(by=SITE, team=team, user=user)
    return True
