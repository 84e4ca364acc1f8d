"""The tables of users, teams, and what belongs to a team.

This module only imports them from the modules beside it. These tables have few rows and real foreign keys.
Calls and rollups, of which there are millions, are in `logs` and `usage`. A rule about which rows count, such
as “not revoked”, is a method of the model's QuerySet.
"""

from teams.models.activity import Activity
from teams.models.choices import Mode, Role
from teams.models.ids import (
    gateway_key_public_id,
    invitation_public_id,
    public_id,
    token_public_id,
    transfer_public_id,
    user_public_id,
)
from teams.models.invitations import Invitation, InvitationQuerySet
from teams.models.keys import (
    GatewayKey,
    GatewayKeyQuerySet,
    Secret,
    SecretQuerySet,
    Token,
    TokenQuerySet,
    key_is_unrevoked,
)
from teams.models.teams import Membership, Team, TeamQuerySet, team_is_alive, validate_time_zone
from teams.models.transfers import Transfer, TransferQuerySet
from teams.models.users import User, UserManager

__all__ = [
    "Activity",
    "GatewayKey",
    "GatewayKeyQuerySet",
    "Invitation",
    "InvitationQuerySet",
    "Membership",
    "Mode",
    "Role",
    "Secret",
    "SecretQuerySet",
    "Team",
    "TeamQuerySet",
    "Token",
    "TokenQuerySet",
    "Transfer",
    "TransferQuerySet",
    "User",
    "UserManager",
    "gateway_key_public_id",
    "invitation_public_id",
    "key_is_unrevoked",
    "public_id",
    "team_is_alive",
    "token_public_id",
    "transfer_public_id",
    "user_public_id",
    "validate_time_zone",
]
