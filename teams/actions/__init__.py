"""Actions: the functions that change state in `teams`, named `verb_noun`, with keyword arguments and `by`.

An action opens a transaction, locks the team row, checks, changes, writes one activity row, sends e-mail
after the commit, and raises an `ActionError` with a message for the user.
"""
