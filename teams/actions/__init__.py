"""Actions: the functions that change the tables of `teams`.

They are named `verb_noun` and take keyword arguments. The argument `by` is the `Actor` who makes the change. An
action opens a transaction, locks the team row, checks the actor's rights, makes the change, writes one activity
row, and sends e-mail after the commit. If it refuses, it raises an `ActionError` with a message for the user.
"""
