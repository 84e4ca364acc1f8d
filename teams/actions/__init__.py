"""Every change of state in `teams`: `verb_noun`, keyword-only, with `by`.

Each opens its transaction, locks the team row first, checks, changes, writes one activity row, mails
on commit, and raises an `ActionError` whose message a person can act on.
"""
