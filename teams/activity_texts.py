"""The texts of the activity: what each kind of change is called, and a sentence for each."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# The key, in `before` or `after` of a row, of the address of the calls that the row's numbers count.
CALLS_PATH = "calls_path"

# The labels of the filter of a team's activity, by the part of `Activity.kind` before the dot. Rows about accounts
# (`user.…`) belong to no team.
KINDS: dict[str, "StrOrPromise"] = {
    "team": gettext_lazy("Team"),
    "member": gettext_lazy("Members"),
    "invitation": gettext_lazy("Invitations"),
    "transfer": gettext_lazy("Ownership"),
    "token": gettext_lazy("Tokens"),
    "gateway_key": gettext_lazy("Gateway keys"),
    "quota": gettext_lazy("Quotas"),
    "alert": gettext_lazy("Alerts"),
    "webhook": gettext_lazy("Webhooks"),
    "episode": gettext_lazy("Unusual episodes"),
    "view": gettext_lazy("Saved views"),
}
# A sentence for each `Activity.kind`.
SENTENCES: dict[str, "StrOrPromise"] = {
    "team.created": gettext_lazy("%(actor)s created the team"),
    "team.changed": gettext_lazy("%(actor)s changed the settings"),
    "team.deleted": gettext_lazy("%(actor)s deleted the team"),
    "team.restored": gettext_lazy("%(actor)s restored the team"),
    "team.purged": gettext_lazy("%(actor)s erased the deleted team %(subject)s"),
    "member.added": gettext_lazy("%(actor)s added %(person)s"),
    "member.role_changed": gettext_lazy("%(actor)s changed the role of %(person)s"),
    "member.removed": gettext_lazy("%(actor)s removed %(person)s"),
    "member.left": gettext_lazy("%(person)s left"),
    "invitation.sent": gettext_lazy("%(actor)s invited %(subject)s"),
    "invitation.resent": gettext_lazy("%(actor)s renewed the invitation %(subject)s"),
    "invitation.link_created": gettext_lazy("%(actor)s made the invitation link %(subject)s"),
    "invitation.revoked": gettext_lazy("%(actor)s revoked the invitation %(subject)s"),
    "invitation.accepted": gettext_lazy("%(person)s joined by the invitation %(subject)s"),
    "invitation.declined": gettext_lazy("The invitation %(subject)s was declined"),
    "transfer.offered": gettext_lazy("%(actor)s offered the team to %(person)s"),
    "transfer.accepted": gettext_lazy("%(person)s took the team over"),
    "transfer.declined": gettext_lazy("%(person)s declined the team"),
    "transfer.cancelled": gettext_lazy("%(actor)s cancelled the offer to %(person)s"),
    "transfer.lapsed": gettext_lazy("The offer to %(person)s lapsed"),
    "transfer.by_staff": gettext_lazy("%(actor)s, site staff, made %(person)s the owner"),
    "token.created": gettext_lazy("%(actor)s made the token %(subject)s of %(person)s"),
    "token.disabled": gettext_lazy("%(actor)s disabled the token %(subject)s of %(person)s"),
    "token.enabled": gettext_lazy("%(actor)s enabled the token %(subject)s of %(person)s"),
    "token.revoked": gettext_lazy("%(actor)s revoked the token %(subject)s of %(person)s"),
    "token.rotated": gettext_lazy("%(actor)s gave the token %(subject)s a new secret"),
    "token.renamed": gettext_lazy("%(actor)s renamed the token %(subject)s"),
    "quota.changed": gettext_lazy("%(actor)s changed the quota of %(subject)s"),
    "gateway_key.created": gettext_lazy("%(actor)s made the gateway key %(subject)s"),
    "gateway_key.disabled": gettext_lazy("%(actor)s disabled the gateway key %(subject)s"),
    "gateway_key.enabled": gettext_lazy("%(actor)s enabled the gateway key %(subject)s"),
    "gateway_key.revoked": gettext_lazy("%(actor)s revoked the gateway key %(subject)s"),
    "gateway_key.rotated": gettext_lazy("%(actor)s gave the gateway key %(subject)s a new secret"),
    "gateway_key.renamed": gettext_lazy("%(actor)s renamed the gateway key %(subject)s"),
    "alert.mail_changed": gettext_lazy("%(actor)s changed which mails about usage they get"),
    "alert.thresholds_changed": gettext_lazy("%(actor)s changed at which shares of a quota somebody is told"),
    "webhook.created": gettext_lazy("%(actor)s made the webhook %(subject)s"),
    "webhook.changed": gettext_lazy("%(actor)s changed the webhook %(subject)s"),
    "webhook.rotated": gettext_lazy("%(actor)s gave the webhook %(subject)s a new secret"),
    "webhook.deleted": gettext_lazy("%(actor)s deleted the webhook %(subject)s"),
    "webhook.tested": gettext_lazy("%(actor)s tested the webhook %(subject)s"),
    "webhook.resent": gettext_lazy("%(actor)s sent a message to the webhook %(subject)s again"),
    "webhook.stopped": gettext_lazy("%(actor)s switched the webhook %(subject)s off, which kept failing"),
    "episode.expected": gettext_lazy("%(actor)s marked as expected: %(subject)s"),
    "episode.unmarked": gettext_lazy("%(actor)s no longer expects: %(subject)s"),
    "view.shared": gettext_lazy("%(actor)s shared the view %(subject)s of the logs"),
    "view.deleted": gettext_lazy("%(actor)s deleted the shared view %(subject)s of the logs"),
    "price.created": gettext_lazy("%(actor)s set the site's price of %(subject)s"),
    "price.deleted": gettext_lazy("%(actor)s took a price of %(subject)s back"),
    "user.created": gettext_lazy("%(actor)s made the account %(subject)s"),
    "user.renamed": gettext_lazy("%(actor)s changed the name"),
    "user.deactivated": gettext_lazy("%(actor)s deactivated the account"),
    "user.reactivated": gettext_lazy("%(actor)s reactivated the account"),
    "user.address_added": gettext_lazy("%(actor)s added the address %(subject)s"),
    "user.address_removed": gettext_lazy("%(actor)s removed the address %(subject)s"),
    "user.address_changed": gettext_lazy("%(actor)s made %(subject)s the primary address"),
    "user.address_confirmed": gettext_lazy("%(actor)s confirmed the address %(subject)s"),
    "user.password_set": gettext_lazy("%(actor)s set a password"),
    "user.password_changed": gettext_lazy("%(actor)s changed the password"),
    "user.password_reset": gettext_lazy("%(actor)s set a new password by a link"),
    "user.password_link": gettext_lazy("%(actor)s made a link to set a new password"),
    "user.second_factor_added": gettext_lazy("%(actor)s added to two-factor sign-in: %(subject)s"),
    "user.second_factor_removed": gettext_lazy("%(actor)s removed from two-factor sign-in: %(subject)s"),
    "user.second_factors_removed": gettext_lazy("%(actor)s removed all second factors"),
    "user.passkey_renamed": gettext_lazy("%(actor)s renamed the passkey %(subject)s"),
    "user.account_connected": gettext_lazy("%(actor)s connected an account at %(subject)s"),
    "user.account_disconnected": gettext_lazy("%(actor)s disconnected the account at %(subject)s"),
    "user.made_staff": gettext_lazy("%(actor)s made %(person)s support staff"),
    "user.staff_ended": gettext_lazy("%(actor)s took the staff rights of %(person)s back"),
}
