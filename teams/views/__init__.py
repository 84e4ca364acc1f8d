"""Views of accounts and teams, one module per page: access, form, action, response."""
