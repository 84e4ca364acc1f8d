"""The pages of accounts and teams, a module per page: access, form, action, answer."""
