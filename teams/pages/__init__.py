"""Builds what the pages of a team show, one module per page: rows, and what the user may do with each."""
