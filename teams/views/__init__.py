"""Views of accounts and teams, one module per page.

A view checks access, validates a form and runs an action.
"""
