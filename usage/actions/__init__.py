"""Every change of state in `usage`: `verb_noun`, keyword-only; like those of `teams`.

Reservations alone write no activity rows: there are as many of them as calls.
"""
