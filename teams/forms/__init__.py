"""Forms of the pages of accounts and teams, one module per page. Filters of lists are in `teams.filters`."""
