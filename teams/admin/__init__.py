"""The pages of the Django admin for site staff, one module per page.

Staff view rows there, and change them by running the same actions as all other pages. No form edits a row: an
edit that bypasses the actions could break a rule and would leave no activity.
"""

from teams.admin import accounts, activity, keys, members, offers, site, teams, users

__all__ = ["accounts", "activity", "keys", "members", "offers", "site", "teams", "users"]
